"""``pilotbase application conform``: a scenario's matrix and recorded exchanges, on the supplier's own machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text as Cell

from pilotbase.cli.edge.terminal import EXIT_REJECTED, command, print_json, progress_shown, say, shown
from pilotbase.documents.texts import Text, text
from pilotbase.documents.visible_text import format_for_terminal

if TYPE_CHECKING:
    from pilotbase.trial.rehearsing import Conformance


@command
def conform(
    scenario: Annotated[Path, typer.Argument(help="The scenario's folder.")],
    application: Annotated[Path, typer.Argument(help="The application's folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the document.")] = False,
) -> None:
    """Try every cell of the matrix and every recorded exchange with its faults. Exit 0 where nothing failed, else 3."""
    from pilotbase.worker.base import open_base
    from pilotbase.worker.trials.proving import conform_in

    with progress_shown(as_json) as on_progress:
        found = conform_in(open_base(create=True), scenario, application, on_progress)
    if as_json:
        print_json(found.to_json_value())
    else:
        _print(found)
    raise typer.Exit(0 if found.holds else EXIT_REJECTED)


def _print(found: Conformance) -> None:
    values = {"application": found.application.name, "scenario": found.scenario}
    table = Table(title=Cell(shown(text("cli.conform_title", **values))), expand=False)
    for column in ("check", "outcome", "finding"):
        table.add_column(Cell(shown(Text(code=f"cli.conform_column_{column}"))), overflow="fold")
    for finding in found.findings:
        outcome = text(f"outcome.{finding.outcome}")
        table.add_row(*map(Cell, (format_for_terminal(finding.check), shown(outcome), shown(finding.sentence))))
    Console(width=None if Console().is_terminal else 160).print(table)
    say(text("cli.conform_holds" if found.holds else "cli.conform_fails"))
