"""``pilotbase backup`` and ``pilotbase restore``: a base in one file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pilotbase.cli.edge.terminal import command, progress_shown, say
from pilotbase.documents.progress import Progress
from pilotbase.documents.texts import text


@command
def backup(file: Annotated[Path, typer.Argument(help="Where the backup goes; nothing may be there.")]) -> None:
    """Write the base into one file while hub and worker go on: store, accounts, blobs, files; never a key."""
    from pilotbase.hub.process.account_backup import accounts_of_home
    from pilotbase.workspace.backup.writing import write_backup
    from pilotbase.workspace.home import home_path, open_home

    home = open_home(home_path())
    with progress_shown() as on_progress:
        manifest = write_backup(home, file, accounts_of_home(), on_progress)
    say(text("backup.written", file=file, members=len(manifest.members), bytes=file.stat().st_size))
    say(text("backup.without_keys", folder=home.keys.path))


@command
def restore(
    file: Annotated[Path, typer.Argument(help="A backup.")],
    store: Annotated[
        str | None, typer.Option(help="postgresql://… of an empty database; default: an embedded store in the home.")
    ] = None,
    blobs: Annotated[str | None, typer.Option(help="fsspec address for the blobs; default: inside the home.")] = None,
    keys: Annotated[
        Path | None, typer.Option(help="A copy of the folder keys/ of that base; default: none, bring them later.")
    ] = None,
) -> None:
    """Bring a base back into an empty PILOTBASE_HOME (and database); everything is verified before it stands."""
    from pilotbase.hub.process.account_backup import accounts_restored
    from pilotbase.workspace.backup.restoring import (
        Destination,
        opened_backup,
        require_empty,
        restore_store,
        restored_home,
    )
    from pilotbase.workspace.home import home_path, open_home, settings_for

    home, settings = home_path(), settings_for(store, blobs)
    require_empty(home)
    with opened_backup(file) as found, progress_shown() as on_progress:
        on_progress(Progress(text("backup.progress.verify")))
        found.verify()
        on_progress(Progress(text("backup.progress.restore")))
        with restored_home(found, Destination(home, settings, keys)) as draft, accounts_restored(found, draft):
            proven = restore_store(found, draft)
    say(text("backup.restored", home=home, made=found.manifest.made_at.isoformat(), entries=proven.size))
    folder = open_home(home).keys
    if folder.missing():
        say(text("backup.keys_missing", keys=", ".join(folder.missing()), folder=folder.path))
