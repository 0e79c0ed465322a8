"""``pilotbase organisation``: organisations from a spreadsheet."""

from __future__ import annotations

from pathlib import Path

import typer

from pilotbase.cli.edge.terminal import command, say
from pilotbase.documents.texts import text

app = typer.Typer(help="Organisations that act on the base.", no_args_is_help=True)


@app.command("import")
@command
def import_file(file: Path, yes: bool = False) -> None:
    """Register organisations from a spreadsheet: every problem is told at once; all of it is carried out or nothing."""
    from pilotbase.worker.base import open_base
    from pilotbase.worker.intake.organisations import import_organisations, look_at_organisations

    base = open_base()
    looked = look_at_organisations(base, file)
    for line in looked.lines():
        say(line)
    say(import_organisations(base, looked) if yes else text("worker.import_unconfirmed"))
