"""``pilotbase application``: a new application from a scenario's contract, and its check."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text as Cell

from pilotbase.cli import hub_records
from pilotbase.cli.edge.terminal import EXIT_REJECTED, AsJson, command, print_json, progress_shown, say, shown
from pilotbase.documents.permissions import Act
from pilotbase.documents.texts import Text, text
from pilotbase.documents.visible_text import format_for_terminal

if TYPE_CHECKING:
    from pilotbase.trial.conforming import Conformance


class StartingForm(StrEnum):
    """Forms in which a new application begins."""

    PYTHON = "python"
    COMMAND = "command"
    ONNX = "onnx"
    SKOPS = "skops"


app = typer.Typer(help="Write and check an application.", no_args_is_help=True)
app.command("list")(hub_records.lister("applications"))
app.command("show")(hub_records.shower("application"))
app.command("save")(hub_records.save_application)
app.command("rehearse", help="Order a rehearsal on the hub; `pilotbase application show` tells of it.")(
    hub_records.stepper("application", Act.APPLICATION_REHEARSE)
)
app.command("stop", help="Stop the rehearsal or board submission on the hub that waits or runs.")(
    hub_records.stepper("application", Act.APPLICATION_STOP)
)
app.command("submit", help="Submit the newest version on the hub, so that trials may be proposed.")(
    hub_records.stepper("application", Act.APPLICATION_SUBMIT)
)


@app.command("new")
@command
def new(
    scenario: Annotated[Path, typer.Argument(help="The scenario's folder.")],
    folder: Annotated[Path, typer.Option("--out", help="Folder to write (must not exist).")] = Path("application"),
    supplier: Annotated[str, typer.Option(help="Short name of your organisation.")] = "my-organisation",
    runtime: Annotated[
        StartingForm,
        typer.Option(help="A Python function, a program in any language, or a model: ONNX, or scikit-learn's."),
    ] = StartingForm.PYTHON,
) -> None:
    """Write an application that always gives the same answer, pre-filled from the scenario's contract."""
    from pilotbase.worker.intake.drafting import new_application

    written = new_application(scenario, folder, supplier, runtime=runtime.value)
    for path in written.files:
        typer.echo(format_for_terminal(str(path)))
    values = {"scenario": scenario, "folder": folder, "file": written.first, "model": written.makes}
    say(text("cli.application_written" if written.makes is None else "cli.model_begun", **values))


@app.command("check")
@command
def check(
    application: Annotated[Path, typer.Argument(help="The application's folder.")],
    as_json: AsJson = False,
) -> None:
    """Check an application's folder, manifest and locked requirements; report every problem at once."""
    from pilotbase.worker.intake.checking import check_application

    checked, lines = check_application(application)
    if as_json:
        print_json(checked.to_json_value())
    else:
        for line in lines:
            say(line)


@app.command("conform")
@command
def conform(
    scenario: Annotated[Path, typer.Argument(help="The scenario's folder.")],
    application: Annotated[Path, typer.Argument(help="The application's folder.")],
    as_json: AsJson = False,
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
