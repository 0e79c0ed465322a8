"""``pilotbase application``: a new application from a scenario's contract or a model, its lock and its check."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli import hub_records
from pilotbase.cli.framework.driving import Noun, open_base, scenario_at
from pilotbase.cli.framework.terminal import (
    EXIT_REJECTED,
    AsJson,
    answer,
    print_table,
    progress_shown,
    say,
    say_all,
)
from pilotbase.documents.permissions import Act
from pilotbase.documents.texts import format_for_terminal, text

if TYPE_CHECKING:
    from pilotbase.trial.conforming import Conformance


class StartingForm(StrEnum):
    """Forms in which a new application begins."""

    PYTHON = "python"
    COMMAND = "command"
    ONNX = "onnx"
    SKOPS = "skops"


app = Noun()
app.command("list")(hub_records.lister("application"))
app.command("show")(hub_records.shower("application"))
app.command("save")(hub_records.save_application)
app.command("rehearse", help="Order a rehearsal on the hub; `pilotbase application show` tells of it.")(
    hub_records.stepper(Act.APPLICATION_REHEARSE)
)
app.command("stop", help="Stop the rehearsal or board submission on the hub that waits or runs.")(
    hub_records.stepper(Act.APPLICATION_STOP)
)
app.command("submit", help="Submit the newest version on the hub, so that trials may be proposed.")(
    hub_records.stepper(Act.APPLICATION_SUBMIT)
)


@app.here("new")
def new(
    scenario: str,
    folder: Annotated[Path, typer.Option("--out")] = Path("application"),
    supplier: str = "my-organisation",
    runtime: StartingForm = StartingForm.PYTHON,
) -> None:
    """Write an application that always gives the same answer, pre-filled from the scenario's contract."""
    from pilotbase.worker.intake.drafting import new_application

    place = scenario_at(scenario)
    written = new_application(place, folder, supplier, runtime=runtime.value)
    for path in written.files:
        typer.echo(format_for_terminal(str(path)))
    values = {"scenario": scenario, "folder": folder, "file": written.first, "model": written.makes}
    say(text("cli.application_written" if written.makes is None else "cli.model_begun", **values))


@app.here("wrap")
def wrap(
    model: Path,
    scenario: Path,
    folder: Annotated[Path, typer.Option("--out")] = Path("application"),
    supplier: str = "my-organisation",
    package: list[str] | None = None,
) -> None:
    """Write an application that answers with a trained model: ONNX, skops, MLflow, joblib, LightGBM, XGBoost, torch.

    The model's file is recognised by its content, and never loaded outside of the box.
    """
    from pilotbase.worker.intake.wrapping import wrap_model

    wrapped = wrap_model(model, scenario, folder, supplier, package or ())
    for path in wrapped.files:
        typer.echo(format_for_terminal(str(path)))
    say_all(wrapped.lines())
    say(text("cli.model_wrapped", scenario=scenario, folder=folder))


@app.here("lock")
def lock(application: Path, package: list[str] | None = None, yes: bool = False) -> None:
    """Write an application's requirements.lock: what its program imports, at the versions installed here, with hashes.

    Names of --package, else requirements.in, take the place of the imports.
    """
    from pilotbase.worker.intake.locking import lock_folder

    say_all(lock_folder(application, package or (), overwrite=yes).lines())


@app.here("check")
def check(application: Path, as_json: AsJson = False) -> None:
    """Check an application's folder, manifest and locked requirements; report every problem at once."""
    from pilotbase.worker.intake.checking import check_application

    checked, lines = check_application(application)
    answer(checked, as_json, lambda _: say_all(lines))


@app.here("conform")
def conform(scenario: Path, application: Path, as_json: AsJson = False) -> None:
    """Try every cell of the matrix and every recorded exchange with its faults. Exit 0 where nothing failed, else 3."""
    from pilotbase.worker.trials.proving import conform_in

    with progress_shown(as_json) as on_progress:
        found = conform_in(open_base(create=True), scenario, application, on_progress)
    answer(found, as_json, _print)
    raise typer.Exit(0 if found.holds else EXIT_REJECTED)


def _print(found: Conformance) -> None:
    values = {"application": found.application.name, "scenario": found.scenario}
    columns = (f"cli.conform_column_{column}" for column in ("check", "outcome", "finding"))
    rows = ((one.check, text(f"outcome.{one.outcome}"), one.sentence) for one in found.findings)
    print_table(text("cli.conform_title", **values), columns, rows)
    say(text("cli.conform_holds" if found.holds else "cli.conform_fails"))
