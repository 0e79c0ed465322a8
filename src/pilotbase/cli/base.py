"""``pilotbase init | upgrade | backup | restore | key | log | blobs``: the base itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.framework.driving import Noun, open_base
from pilotbase.cli.framework.terminal import AsJson, command, print_json, progress_shown, say, warn
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.progress import Progress
from pilotbase.documents.quantities import format_bytes
from pilotbase.documents.texts import text

if TYPE_CHECKING:
    from pilotbase.workspace.checks.blobs import Damage


keys = Noun()
log = Noun()
blobs_app = Noun()


@command
def init(name: str | None = None, store: str | None = None, blobs: str | None = None) -> None:
    """Set up PILOTBASE_HOME: store, keys, trust roots."""
    from pilotbase.workspace.home import settings_for

    base = open_base(create=True, name=name, settings=settings_for(store, blobs) if store or blobs else None)
    say(text("cli.base_ready", home=base.home.path, roots=base.trust_roots))


@command
def upgrade() -> None:
    """Upgrade store and accounts of PILOTBASE_HOME to this version. Back up first; if interrupted, run it again."""
    from pilotbase.hub.serving.accounts import upgrade_accounts
    from pilotbase.workspace.home import home_path, open_home, upgrade_home

    home = open_home(home_path())
    upgrade_home(home)
    upgrade_accounts()
    say(text("cli.base_upgraded", home=home.path))


@keys.here("rotate")
def rotate(root: bool = False) -> None:
    """Replace the signing key (certified by the root key) or the root key (signed by the old one)."""
    from pilotbase.worker.base import rotate_key

    say(rotate_key(open_base(), root=root))


@keys.here("revoke")
def revoke() -> None:
    """Replace a signing key that somebody else may have. Every certificate that it signed is revoked."""
    from pilotbase.worker.base import revoke_key

    say(revoke_key(open_base()))


@command
def backup(file: Path) -> None:
    """Back up the base to one file while hub and worker keep running: store, accounts, blobs and files, but no keys."""
    from pilotbase.hub.serving.accounts import accounts_of_home
    from pilotbase.workspace.backup.writing import write_backup
    from pilotbase.workspace.home import home_path, open_home

    home = open_home(home_path())
    with progress_shown() as on_progress:
        manifest = write_backup(home, file, accounts_of_home(), on_progress)
    say(text("backup.written", file=file, members=len(manifest.members), bytes=file.stat().st_size))
    say(text("backup.without_keys", folder=home.keys.path))


@command
def restore(file: Path, store: str | None = None, blobs: str | None = None, keys: Path | None = None) -> None:
    """Restore a base to an empty PILOTBASE_HOME (and database), after verifying everything."""
    from pilotbase.hub.serving.accounts import accounts_restored
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


@log.here("verify")
def verify_log(checkpoint: list[Path] | None = None) -> None:
    """Recompute the Merkle log and its signed checkpoints. Exit 0 if they hold, else 3."""
    from pilotbase.worker.trials.log_check import verify_base_log

    say(verify_base_log(open_base(), checkpoint or ()))


@blobs_app.here("verify")
def verify_objects(share: Annotated[float, typer.Option(min=0.0, max=1.0)] = 1.0, as_json: AsJson = False) -> None:
    """Read the blobs and name those that are missing or altered. Exit 0 if all are intact, else 3."""
    from pilotbase.workspace.checks.blobs import verify_blobs

    base = open_base()
    with progress_shown() as on_progress:
        checked = verify_blobs(base.lab.store, base.lab.vault.blobs, share, on_progress)
    if as_json:
        damages = [_damage(damage) for damage in checked.damages]
        print_json({"objects": checked.objects, "read": checked.read, "damages": damages})
    for damage in checked.damages:
        warn(text(f"blobs.{damage.fault.value}", **_damage(damage)))
    if checked.damages:
        missing = sum(damage.fault.value == "missing" for damage in checked.damages)
        raise InvalidProofError("blobs.damaged", missing=missing, altered=len(checked.damages) - missing)
    if not as_json:
        say(text("blobs.holds", read=checked.read, objects=checked.objects))


@blobs_app.here("collect")
def collect(days: float = 7.0, dry_run: bool = False, as_json: AsJson = False) -> None:
    """Remove blobs and chunks that nothing refers to any more, if they are old enough."""
    from datetime import timedelta

    from pilotbase.workspace.checks.blobs import SweepTerms, collect_blobs

    base = open_base()
    with progress_shown() as on_progress:
        terms = SweepTerms(timedelta(days=days), dry_run)
        swept = collect_blobs(base.lab.view, base.lab.vault.blobs, terms, on_progress)
    counts = {"drafts": swept.drafts, "left": swept.left}
    if as_json:
        print_json({"dry_run": dry_run, "blobs": swept.blobs, "chunks": swept.chunks, "bytes": swept.size, **counts})
        return
    found = {"blobs": len(swept.blobs), "chunks": len(swept.chunks), "bytes": format_bytes(swept.size), **counts}
    say(text("blobs.would_collect", **found) if dry_run else text("blobs.collected", **found))


def _damage(damage: Damage) -> dict[str, str]:
    return {**vars(damage), "fault": damage.fault.value}
