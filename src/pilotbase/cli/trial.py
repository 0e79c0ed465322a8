"""``pilotbase trial``: rehearse, freeze, run, show, compare on a board, replay a verdict, pack a bundle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli import hub_records, trial_answers
from pilotbase.cli.edge.declared import on_hub
from pilotbase.cli.edge.driving import hub, is_remote, remote
from pilotbase.cli.edge.terminal import (
    EXIT_CODES,
    EXIT_REJECTED,
    AskAbove,
    command,
    consents,
    print_json,
    progress_shown,
    say,
    shown,
)
from pilotbase.documents.errors import InputError, PilotbaseError, RefusedError
from pilotbase.documents.subjects import commission_subject
from pilotbase.documents.texts import Text, text
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
Named = Annotated[str, typer.Argument(help="Name of the trial, as `pilotbase trial list` shows it after the colon.")]
Yes = Annotated[bool, typer.Option("--yes", help="Consent to whatever it takes and costs.")]


app.command("decide")(trial_answers.decide)
app.command("judge")(trial_answers.judge)
app.command("calibrate")(trial_answers.calibrate)
app.command("contamination")(trial_answers.contamination)
app.command("list")(hub_records.lister("trials"))


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


@app.command("progress")
@remote
def progress(name: Named, as_json: AsJson = False) -> None:
    """Tell how far the newest work on a trial is: place in the queue, stage, reason."""
    from pilotbase.operations import records

    found = on_hub(records.PROGRESS, name=name)
    if as_json:
        print_json(found.model_dump(mode="json"))
    elif found.state is None:
        say(text("cli.hub_no_work"))
    else:
        state, more = Text(code=f"job.state.{found.state}"), found.reason or found.stage or ""
        place = text("cli.hub_place", position=found.position) if found.position else ""
        say(text("cli.hub_progress", state=state, place=place, more=more))


@app.command("report")
@remote
def report(
    name: Named,
    out: Annotated[Path | None, typer.Option("--out", help="File to write the report to, as JSON.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the report of a trial in the view that you have of it."""
    from pilotbase.operations import records

    found = on_hub(records.REPORT, name=name)
    if out is not None:
        out.write_bytes(found.canonical())
    if as_json:
        print_json(found.to_json_value())
        return
    from pilotbase.worker.trials.summary import report_lines

    for line in report_lines(found, out or Path(f"{name}.json")):
        say(line)


@app.command("replay")
@command
def replay(
    report: Annotated[
        Path, typer.Argument(help="A sample bundle (archive or folder), the owner's trial folder, or its report.json.")
    ],
    trust: Annotated[
        Path | None, typer.Option(help="Of a bundle: the base's trust-roots.json; default: the bundle's own.")
    ] = None,
    log_key: Annotated[
        Path | None, typer.Option(help="Of a bundle: the base's log-key.txt; default: the key that the bundle names.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the replay.")] = False,
) -> None:
    """Derive a verdict again from the records beside a report: needs no base and no key. Exit 3 where they disagree."""
    from pilotbase.worker.bundles.replaying import BundleReplay, bundle_lines, is_bundle, replay_bundle
    from pilotbase.worker.trials.replaying import replay_lines, replay_trial

    of_bundle = trust is not None or log_key is not None or is_bundle(report)
    found = replay_bundle(report, trust, log_key) if of_bundle else replay_trial(report)
    if as_json:
        print_json(found.to_json_value())
        return
    for line in bundle_lines(found) if isinstance(found, BundleReplay) else replay_lines(found):
        say(line)


@app.command("pack")
@remote
def pack(
    trial: Annotated[
        Path,
        typer.Argument(
            help="The trial's folder, or its plan.json; with --hub the trial's name, with --site the scenario's."
        ),
    ],
    application: Annotated[
        Path | None, typer.Argument(help="With --site: folder of the application that is to be tried.")
    ] = None,
    site: Annotated[str, typer.Option(help="Name of the site that is to run the trial on its own machine.")] = "",
    days: Annotated[int, typer.Option(help="With --site: within so many days the site has to begin.")] = 30,
    out: Annotated[
        Path | None, typer.Option("--out", help="The archive to write; default: named by the trial.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print where it is and its SHA-256.")] = False,
) -> None:
    """Pack plan, commitments, records, report and certificate into one archive. It holds true labels: logged.

    A hub's worker packs it; the command waits until it is there. With --site and an application nothing has run yet:
    application, its packages, terms and software are signed for a site whose data do not leave it.
    """
    if bool(site) != (application is not None):
        raise InputError("site.pack_needs_both")
    if application is not None:
        _for_site((site, str(trial), application, days), out, as_json)
        return
    from pilotbase.documents.hashes import digest_bytes
    from pilotbase.worker.whole_files import PRIVATE, write_whole

    place, archive = _from_hub(str(trial)) if is_remote() else _from_base(trial)
    place = out or place
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, archive, PRIVATE)
    digest = digest_bytes(archive)
    if as_json:
        print_json({"bundle": str(place), "sha256": digest})
    else:
        say(text("cli.packed", file=place, digest=digest))


@app.command("board")
@command
def board(
    scenario: Annotated[Path, typer.Argument(help="The scenario's folder.")],
    application: Annotated[Path | None, typer.Argument(help="The application's folder; none: show the board.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the document.")] = False,
) -> None:
    """Score an application on the scenario's board and show it: no attempt counted, not evidence."""
    from pilotbase.worker.base import open_base
    from pilotbase.worker.trials.boards import board_lines, entry_line, show_board, submit_to_board

    if application is None:
        entry, found = None, show_board(open_base(), scenario)
    else:
        with progress_shown(as_json) as on_progress:
            submitted = submit_to_board(open_base(create=True), scenario, application, on_progress)
        entry, found = submitted.entry, submitted.board
    if as_json:
        print_json({"submission": entry and entry.to_json_value(), "board": found.to_json_value()})
        return
    for line in [*([entry_line(entry)] if entry else []), *board_lines(found)]:
        say(line)


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


def _for_site(order: tuple[str, str, Path, int], out: Path | None, as_json: bool) -> None:
    from pilotbase.worker.base import open_base
    from pilotbase.worker.sites.packing import PackOrder, pack_for_site

    with progress_shown(as_json) as on_progress:
        packed = pack_for_site(open_base(), PackOrder(*order), out, on_progress)
    if as_json:
        print_json(packed.pack.to_json_value())
    else:
        say(packed.line)


def _from_hub(name: str) -> tuple[Path, bytes]:
    with progress_shown() as on_progress:
        return Path(f"{name}.zip"), hub().bundle(name, on_progress=on_progress)


def _from_base(trial: Path) -> tuple[Path, bytes]:
    from pilotbase.worker.base import open_base
    from pilotbase.worker.bundles.packing import pack_trial
    from pilotbase.worker.trials.folder import read_plan

    file, base = trial / "plan.json" if trial.is_dir() else trial, open_base()
    bundle = pack_trial(base, base.lab.view, read_plan(file).digest())
    return file.parent / bundle.name, bundle.archive
