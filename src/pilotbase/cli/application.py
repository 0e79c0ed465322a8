"""``pilotbase application``: a new application from a scenario's contract, and its check."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pilotbase.cli import application_conform, hub_records, hub_uploads
from pilotbase.cli.edge.terminal import command, print_json, say
from pilotbase.documents.permissions import Act
from pilotbase.documents.texts import text
from pilotbase.documents.visible_text import format_for_terminal


class StartingForm(StrEnum):
    """Forms in which a new application begins."""

    PYTHON = "python"
    COMMAND = "command"
    ONNX = "onnx"
    SKOPS = "skops"


app = typer.Typer(help="Write and check an application.", no_args_is_help=True)
app.command("list")(hub_records.lister("applications"))
app.command("show")(hub_records.shower("application"))
app.command("conform")(application_conform.conform)
app.command("save")(hub_uploads.save_application)
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
    as_json: Annotated[bool, typer.Option("--json", help="Print the document.")] = False,
) -> None:
    """Check an application's folder, manifest and locked requirements; report every problem at once."""
    from pilotbase.worker.intake.checking import check_application

    checked = check_application(application)
    if as_json:
        print_json(checked.application.to_json_value())
    else:
        for line in checked.lines:
            say(line)
