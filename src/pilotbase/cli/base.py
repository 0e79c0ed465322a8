"""``pilotbase init`` and ``pilotbase key``: the base itself."""

from __future__ import annotations

from typing import Annotated

import typer

from pilotbase.cli.edge.terminal import command, say
from pilotbase.documents.texts import text

keys = typer.Typer(help="Signing keys of the base.", no_args_is_help=True)


@command
def init(
    name: Annotated[
        str | None, typer.Option(help="Short name of the base; it signs certificates. A new base: pilot-base.")
    ] = None,
    store: Annotated[
        str | None, typer.Option(help="postgresql://… of an empty database; default: an embedded store in the home.")
    ] = None,
    blobs: Annotated[str | None, typer.Option(help="fsspec address for the blobs; default: inside the home.")] = None,
) -> None:
    """Set up PILOTBASE_HOME: store, keys, trust roots."""
    from pilotbase.worker.base import open_base
    from pilotbase.workspace.home import settings_for

    base = open_base(create=True, name=name, settings=settings_for(store, blobs) if store or blobs else None)
    say(text("cli.base_ready", home=base.home.path, roots=base.trust_roots))


@command
def upgrade() -> None:
    """Bring store and accounts of PILOTBASE_HOME to this version; cut off, run it again. Back up first."""
    from pilotbase.hub.process.accounts import upgrade_accounts
    from pilotbase.workspace.home import home_path, open_home, upgrade_home

    home = open_home(home_path())
    upgrade_home(home)
    upgrade_accounts()
    say(text("cli.base_upgraded", home=home.path))


@keys.command("rotate")
@command
def rotate(
    root: Annotated[bool, typer.Option("--root", help="The root key; default: the signing key.")] = False,
) -> None:
    """Replace the signing key (certified by the root), or the root key (the old root signs the new)."""
    from pilotbase.worker.base import open_base, rotate_key

    say(rotate_key(open_base(), root=root))


@keys.callback()
def _keys() -> None:
    """Signing keys of the base."""
