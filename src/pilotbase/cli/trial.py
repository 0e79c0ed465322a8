"""``pilotbase trial``: rehearse, freeze, run, show; decide from recorded answers; replay a verdict, pack a bundle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli import (
    hub_records,
    hub_trials,
    trial_board,
    trial_contamination,
    trial_decide,
    trial_judge,
    trial_pack,
    trial_replay,
)
from pilotbase.cli.edge.consent import AskAbove, consents
from pilotbase.cli.edge.driving import is_remote, remote
from pilotbase.cli.edge.terminal import EXIT_CODES, EXIT_REJECTED, command, print_json, progress_shown, say, shown
from pilotbase.documents.errors import PilotbaseError, RefusedError
from pilotbase.documents.subjects import commission_subject
from pilotbase.documents.visible_text import format_for_terminal

if TYPE_CHECKING:
    from pilotbase.documents.report import Report

app = typer.Typer(help="Prove applications on data they never see.", no_args_is_help=True)

Scenario = Annotated[Path, typer.Argument(help="The scenario's folder.")]
Applications = Annotated[list[Path], typer.Argument(help="Folders of one or several applications.")]
OneApplication = Annotated[Path, typer.Argument(help="The application's folder.")]
Out = Annotated[Path | None, typer.Option("--out", help="Where to write; default: trials/ in PILOTBASE_HOME.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the documents.")]
Engine = Annotated[str, typer.Option("--engine", help="Where boxes are opened: local, or ray.")]
Prices = Annotated[str, typer.Option(help="Pool at whose prices the cost is told; default: PILOTBASE_TRIAL_PRICES.")]
Yes = Annotated[bool, typer.Option("--yes", help="Consent to whatever it takes and costs.")]


app.command("decide")(trial_decide.decide)
app.command("judge")(trial_judge.judge)
app.command("calibrate")(trial_judge.calibrate)
app.command("contamination")(trial_contamination.contamination)
app.command("replay")(trial_replay.replay)
app.command("pack")(trial_pack.pack)
app.command("board")(trial_board.board)
app.command("list")(hub_records.lister("trials"))
app.command("progress")(hub_trials.progress)
app.command("report")(hub_trials.report)


@app.command("rehearse")
@command
def rehearse(scenario: Scenario, applications: Applications, out: Out = None, as_json: AsJson = False) -> None:
    """Run box, limits and scoring on the public sample: full logs, no attempt counted, not evidence."""
    from pilotbase.worker.base import open_base
    from pilotbase.worker.trials.proving import rehearse_in

    base = open_base(create=True)

    def rehearse_one(application: Path) -> int:
        with progress_shown(as_json) as on_progress:
            rehearsal = rehearse_in(base, scenario, application, _place(out, application, applications), on_progress)
        _print_report(rehearsal.report, rehearsal.folder, as_json)
        return 0 if rehearsal.passed else EXIT_REJECTED

    _for_each(applications, rehearse_one)


@app.command("freeze")
@command
def freeze(scenario: Scenario, application: OneApplication, out: Out = None, as_json: AsJson = False) -> None:
    """Freeze a trial plan by its hash; afterwards neither criteria nor data can move."""
    from pilotbase.worker.base import open_base
    from pilotbase.worker.trials.proving import freeze_in

    with progress_shown(as_json) as on_progress:
        plan = freeze_in(open_base(create=True), scenario, application, out, on_progress)
    if as_json:
        print_json(plan.to_json_value())
    else:
        typer.echo(plan.digest())


@app.command("run")
@command
def run(  # noqa: PLR0913 - each is an option
    scenario: Scenario,
    applications: Applications,
    out: Out = None,
    as_json: AsJson = False,
    engine: Engine = "local",
    ask_above: AskAbove = None,
    prices: Prices = "",
    yes: Yes = False,
) -> None:
    """Rehearse, freeze and run what is not yet done; write report and certificate. Exit 0 accept, 3 reject, 4 none."""
    from pilotbase.worker.base import open_base
    from pilotbase.worker.trials.certificates import earlier_lines
    from pilotbase.worker.trials.consenting import asking_of, runner
    from pilotbase.worker.trials.proving import ProvenTrial, prove

    base = open_base(create=True, engine=engine)
    asked_at, asking = base.lab.store.clock(), asking_of(base.lab.view, ask_above, prices, tells=not as_json)

    def proven(application: Path, consented: bool) -> ProvenTrial:
        place = _place(out, application, applications)
        with progress_shown(as_json) as on_progress:
            return prove(base, scenario, application, place, on_progress, runner(asking, consented))

    def prove_one(application: Path) -> int:
        try:
            proof = proven(application, yes)
        except RefusedError as error:
            if not consents(error):
                raise
            proof = proven(application, True)
        _print_report(proof.report, proof.folder, as_json)
        for line in earlier_lines(base, proof.certificate, asked_at):
            say(line, err=as_json)
        return EXIT_CODES[proof.report.verdict]

    _for_each(applications, prove_one)


@app.command("show")
@remote
def show(
    report: Annotated[
        Path, typer.Argument(help="A report.json, or the folder that holds it; with --hub the name of a trial.")
    ],
    as_json: AsJson = False,
) -> None:
    """Show what a report says; of a trial on a hub where it stands."""
    if is_remote():
        hub_records.show_record(commission_subject(str(report)), as_json)
        return
    from pilotbase.worker.trials.folder import read_report

    found = read_report(report)
    _print_report(found, report if report.is_dir() else report.parent, as_json)


def _for_each(applications: list[Path], act: Callable[[Path], int]) -> None:
    """Act on each application, whatever came of the others, and exit with the highest of their codes."""
    codes = []
    for application in applications:
        try:
            codes.append(act(application))
        except PilotbaseError as error:
            if len(applications) == 1:
                raise
            typer.echo(f"{format_for_terminal(str(application))}: {shown(error)}", err=True)
            codes.append(error.exit_code)
    raise typer.Exit(max(codes))


def _place(out: Path | None, application: Path, applications: list[Path]) -> Path | None:
    """Of one application the files stand in the folder given; of several each has a subfolder."""
    return out / application.resolve().name if out is not None and len(applications) > 1 else out


def _print_report(report: Report, folder: Path, as_json: bool) -> None:
    from pilotbase.worker.trials.summary import report_lines

    if as_json:
        print_json(report.to_json_value())
    else:
        for line in report_lines(report, folder):
            say(line)
