"""``pilotbase organisation``: organisations from a spreadsheet."""

from __future__ import annotations

from pathlib import Path

from pilotbase.cli.framework.driving import Noun, open_base
from pilotbase.cli.framework.terminal import say_all

app = Noun()


@app.here("import")
def import_file(file: Path, yes: bool = False) -> None:
    """Register organisations from a spreadsheet: every problem is reported; either all are registered or none."""
    from pilotbase.worker.intake.imports import import_file as imported

    say_all(imported(open_base(), "organisations", file, yes))
