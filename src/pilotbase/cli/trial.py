"""``pilotbase trial``: rehearse, freeze, run, show, compare on a board, replay a verdict, pack a bundle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli import hub_records, trial_answers
from pilotbase.cli.framework.declared import Command, OptionSpelling, add, call
from pilotbase.cli.framework.driving import Noun, build_request, hub, is_remote, open_base, scenario_at
from pilotbase.cli.framework.terminal import (
    EXIT_CODES,
    EXIT_REJECTED,
    AsJson,
    AskAbove,
    answer,
    consents,
    progress_shown,
    say,
    say_all,
    shown,
)
from pilotbase.documents.errors import InputError, PilotbaseError, RefusedError
from pilotbase.documents.subjects import commission_subject
from pilotbase.documents.texts import Text, format_for_terminal, text
from pilotbase.operations import records, trials

if TYPE_CHECKING:
    from pilotbase.documents.api.trials import SizePlan, SizeTerms, TrialProgress
    from pilotbase.documents.board import SeenTender
    from pilotbase.documents.report import Report


app = Noun()


app.command("decide")(trial_answers.decide)
app.command("judge")(trial_answers.judge)
app.command("calibrate")(trial_answers.calibrate)
app.command("contamination")(trial_answers.contamination)
app.command("list")(hub_records.lister("commission"))


@app.here("rehearse")
def rehearse(scenario: str, applications: list[Path], out: Path | None = None, as_json: AsJson = False) -> None:
    """Run box, limits and scoring on the public sample: full logs, no attempt counted, not evidence."""
    from pilotbase.worker.trials.proving import rehearse_in

    base = open_base(create=True)
    place = scenario_at(scenario)

    def rehearse_one(application: Path) -> int:
        with progress_shown(as_json) as on_progress:
            rehearsal = rehearse_in(base, place, application, _place(out, application, applications), on_progress)
        _print_report(rehearsal.report, rehearsal.folder, as_json)
        return 0 if rehearsal.passed else EXIT_REJECTED

    _for_each(applications, rehearse_one)


@app.here("freeze")
def freeze(
    scenario: Path, application: Path, out: Path | None = None, carries: str = "", as_json: AsJson = False
) -> None:
    """Freeze a trial plan by its hash; after that, neither criteria nor data can change."""
    from pilotbase.documents.plan import attempts_held
    from pilotbase.worker.trials.proving import freeze_in

    with progress_shown(as_json) as on_progress:
        plan = freeze_in(open_base(create=True), scenario, application, out, on_progress, carries)
    say(attempts_held(plan.attempts, plan.cases, plan.scenario.hidden_cases, plan.draw), err=True)
    answer(plan, as_json, lambda frozen: typer.echo(frozen.digest()))


@app.here("run")
def run(  # noqa: PLR0913 - each is an option
    scenario: Path,
    applications: list[Path],
    out: Path | None = None,
    as_json: AsJson = False,
    engine: str = "local",
    ask_above: AskAbove = None,
    prices: str = "",
    yes: bool = False,
    carries: str = "",
) -> None:
    """Rehearse, freeze and run, or resume; write report and certificate. Exit 0 accept, 3 reject, 4 inconclusive."""
    from pilotbase.worker.trials.certificates import earlier_lines
    from pilotbase.worker.trials.consenting import asking_of, runner
    from pilotbase.worker.trials.proving import ProvenTrial, frozen_in, prove_plan

    base = open_base(create=True, engine=engine)
    asked_at, asking = base.lab.store.clock(), asking_of(base.lab.view, ask_above, prices, tells=not as_json)

    def proven(application: Path, consented: bool) -> ProvenTrial:
        place = _place(out, application, applications)
        with progress_shown(as_json) as on_progress:
            plan, folder = frozen_in(base, (scenario, application), place, on_progress, carries)
            return prove_plan(base, plan, folder, on_progress, runner(asking, consented))

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


@app.anywhere("show")
def show(report: Path, as_json: AsJson = False) -> None:
    """Show a report; for a trial on a hub, its state."""
    if is_remote():
        hub_records.show_record(commission_subject(str(report)), as_json)
        return
    from pilotbase.worker.trials.folder import read_report

    found = read_report(report)
    _print_report(found, report if report.is_dir() else report.parent, as_json)


@app.anywhere("report")
def report(name: str, out: Path | None = None, as_json: AsJson = False) -> None:
    """Show the report of a trial, in the view that you may see."""
    found = call(records.REPORT, name=name)
    if out is not None:
        out.write_bytes(found.canonical())
    _print_report(found, out or Path(f"{name}.json"), as_json)


@app.here("replay")
def replay(
    report: Path,
    trust: Path | None = None,
    log_key: Path | None = None,
    world: Path | None = None,
    as_json: AsJson = False,
) -> None:
    """Derive the verdict again from the records next to a report, without a base or key. Exit 3 if it differs."""
    from pilotbase.worker.sample_bundles.replaying import BundleReplay, bundle_lines, is_bundle, replay_bundle
    from pilotbase.worker.trials.replaying import replay_lines, replay_trial

    of_bundle = trust is not None or log_key is not None or is_bundle(report)
    found = replay_bundle(report, trust, log_key) if of_bundle else replay_trial(report, world)
    lines = bundle_lines(found) if isinstance(found, BundleReplay) else replay_lines(found)
    answer(found, as_json, lambda _: say_all(lines))


@app.anywhere("pack")
def pack(
    trial: Path,
    application: Annotated[Path | None, typer.Argument()] = None,
    site: str = "",
    days: int = 30,
    out: Path | None = None,
    as_json: AsJson = False,
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
    from pilotbase.documents.files import PRIVATE, write_whole
    from pilotbase.documents.hashes import digest_bytes

    place, archive = _from_hub(str(trial)) if is_remote() else _from_base(trial)
    place = out or place
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, archive, PRIVATE)
    digest = digest_bytes(archive)
    packed = text("cli.packed", file=place, digest=digest)
    answer({"bundle": str(place), "sha256": digest}, as_json, lambda _: say(packed))


@app.here("board")
def board(
    scenario: Path, application: Annotated[Path | None, typer.Argument()] = None, as_json: AsJson = False
) -> None:
    """Score an application on the scenario's board and show it: no attempt counted, not evidence."""
    from pilotbase.worker.trials.boards import board_lines, entry_line, show_board, submit_to_board

    if application is None:
        entry, found = None, show_board(open_base(), scenario)
    else:
        with progress_shown(as_json) as on_progress:
            submitted = submit_to_board(open_base(create=True), scenario, application, on_progress)
        entry, found = submitted.entry, submitted.board
    told = {"submission": entry and entry.to_json_value(), "board": found.to_json_value()}
    answer(told, as_json, lambda _: say_all([*([entry_line(entry)] if entry else []), *board_lines(found)]))


@app.here("tender")
def tender(  # noqa: PLR0913 - each is an option
    scenario: Path,
    applications: list[Path],
    measure: str = "accuracy",
    cases: int = 1000,
    margin: float = 0.0,
    tolerance: float = 0.02,
    alpha: float = 0.05,
    as_json: AsJson = False,
) -> None:
    """Run suppliers' applications on the same hidden cases and tell which is better: one attempt, no verdict."""
    from pilotbase.documents.board import TenderTerms, tender_lines
    from pilotbase.worker.trials.tenders import compare_in

    asked = {"measure": measure, "cases": cases, "margin": margin, "tolerance": tolerance, "alpha": alpha}
    terms = build_request(TenderTerms, **asked)
    with progress_shown(as_json) as on_progress:
        found = compare_in(open_base(create=True), scenario, applications, terms, on_progress)
    answer(found, as_json, lambda _: say_all(tender_lines(found)))


def _print_tender(found: SeenTender) -> None:
    say(
        text(
            "tender.line",
            identity=found.identity,
            measure=found.terms.measure,
            stage=Text(code=f"tender.stage.{found.stage}"),
        )
    )
    if found.reason:
        typer.echo(format_for_terminal(found.reason))
    if found.result is not None:
        from pilotbase.documents.board import tender_lines

        say_all(tender_lines(found.result))
    if found.place is not None:
        say(text("tender.place", **found.place.model_dump(include={"others", "better_than", "worse_than"})))


def _print_tenders(found: list[SeenTender]) -> None:
    for one in found:
        _print_tender(one)


def _print_progress(found: TrialProgress) -> None:
    if found.state is None:
        say(text("cli.hub_no_work"))
        return
    state, more = Text(code=f"job.state.{found.state}"), found.reason or found.stage or ""
    place = text("cli.hub_place", position=found.position) if found.position else ""
    say(text("cli.hub_progress", state=state, place=place, more=more))


def _plan_here(terms: SizeTerms) -> SizePlan | None:
    from pilotbase.worker.intake.sizes import plan_here

    return plan_here(terms)


def _print_size(plan: SizePlan) -> None:
    from pilotbase.worker.intake.sizes import size_lines

    say_all(size_lines(plan))


add(
    app,
    Command(
        "plan-size",
        trials.PLAN_SIZE,
        show=_print_size,
        here=_plan_here,
        spelled={"scenario": OptionSpelling(positional=True, default="")},
    ),
    Command("progress", records.PROGRESS, show=_print_progress, nulls=True),
    Command("open-tender", trials.OPEN_TENDER, show=_print_tender),
    Command("enter-tender", trials.ENTER_TENDER, show=_print_tender, spelled={"application": OptionSpelling(True)}),
    Command("close-tender", trials.CLOSE_TENDER, show=_print_tender),
    Command("show-tender", trials.TENDER, show=_print_tender),
    Command("tenders", trials.TENDERS, show=_print_tenders),
)


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

    answer(report, as_json, lambda _: say_all(report_lines(report, folder)))


def _for_site(order: tuple[str, str, Path, int], out: Path | None, as_json: bool) -> None:
    from pilotbase.worker.sites.packing import PackOrder, pack_for_site

    with progress_shown(as_json) as on_progress:
        packed = pack_for_site(open_base(), PackOrder(*order), out, on_progress)
    answer(packed.pack, as_json, lambda _: say(packed.line))


def _from_hub(name: str) -> tuple[Path, bytes]:
    with progress_shown() as on_progress:
        return Path(f"{name}.zip"), hub().bundle(name, on_progress=on_progress)


def _from_base(trial: Path) -> tuple[Path, bytes]:
    from pilotbase.worker.sample_bundles.packing import pack_trial
    from pilotbase.worker.trials.folder import read_plan

    folder, base = trial if trial.is_dir() else trial.parent, open_base()
    bundle = pack_trial(base, base.lab.view, read_plan(folder / "plan.json").digest())
    return folder / bundle.name, bundle.archive
