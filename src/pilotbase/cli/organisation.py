"""``pilotbase organisation``: organisations from a spreadsheet."""

from __future__ import annotations

from pathlib import Path

from pilotbase.cli.framework.driving import Noun, open_base
from pilotbase.cli.framework.terminal import say
from pilotbase.documents.texts import text

app = Noun()


@app.here("import")
def import_file(file: Path, yes: bool = False) -> None:
    """Register organisations from a spreadsheet: every problem is reported; either all are registered or none."""
    from pilotbase.worker.intake.organisations import import_organisations, look_at_organisations

    base = open_base()
    looked = look_at_organisations(base, file)
    for line in looked.lines():
        say(line)
    say(import_organisations(base, looked) if yes else text("worker.import_unconfirmed"))
