"""``pilotbase trial decide | judge | calibrate | contamination``: from answers and cases alone, without a trial."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.framework.terminal import (
    EXIT_CODES,
    AsJson,
    answer,
    command,
    print_json,
    print_table,
    progress_shown,
    say,
    say_all,
)
from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.errors import InputError
from pilotbase.documents.quantities import write_judged
from pilotbase.documents.texts import Text, percent, text
from pilotbase.documents.vocabularies import is_approximate, verdict_in_words

if TYPE_CHECKING:
    from pilotbase.documents.judge import Calibration
    from pilotbase.trial.deciding import CriterionFigures, Decisions
    from pilotbase.trial.judge_models.folder import FinishedJudging
    from pilotbase.trial.probes.contamination import Recited, SharedRuns


_MOST_TEXT = 32 << 20


@command
def decide(  # noqa: PLR0913 - each is an option
    plan: Path,
    cases: Path,
    order_seed: int = 0,
    repeat: int = 1,
    attempt: int | None = None,
    alpha: float | None = None,
    design: str | None = None,
    labels: str | None = None,
    as_json: AsJson = False,
) -> None:
    """Decide from recorded answers, with the trial's engine. Exit 0 accept, 3 reject, 4 inconclusive; repeated: 0."""
    from pilotbase.trial.deciding import Overrides, decide_recorded, read_decision_plan
    from pilotbase.trial.recorded_cases import read_recorded_cases
    from pilotbase.worker.trials.folder import cases_file

    read, file = read_decision_plan(plan, Overrides(attempt, alpha, design, labels)), cases_file(cases)
    if file != cases:
        say(text("cli.decide_reads", file=file), err=True)
    recorded = read_recorded_cases(file, read)
    if recorded.told is not None:
        say(recorded.told, err=True)
    with progress_shown(as_json) as on_progress:
        found = decide_recorded(read, recorded, order_seed, repeat, on_progress)
    answer(found, as_json, _print)
    raise typer.Exit(EXIT_CODES[found.verdicts[0]] if repeat == 1 else 0)


@command
def judge(
    cases: Path,
    manifest: Annotated[Path, typer.Option("--judge")],
    label: Annotated[int, typer.Option()],
    out: Annotated[Path, typer.Option()],
    beside: Path | None = None,
    give_up: bool = False,
) -> None:
    """Ask a judge model about every answer, then draw the cases that people label. Its scores alone prove nothing."""
    from pilotbase.documents.judge import Judge
    from pilotbase.documents.loading import load_document
    from pilotbase.trial.judge_models.folder import judge_cases
    from pilotbase.trial.judge_models.judged_cases import read_judged_cases
    from pilotbase.worker.trials.folder import cases_file

    read = load_document(Judge, manifest)
    judged = read_judged_cases(cases_file(cases), read, beside)
    with progress_shown() as on_progress:
        found = judge_cases(read, judged, out, label, give_up, on_progress)
    say_all(_judged_lines(found, out))


@command
def calibrate(folder: Path, sheets: list[Path], as_json: AsJson = False) -> None:
    """Read people's labels, measure how well the judge agrees with them, and write the input for `trial decide`."""
    from pilotbase.trial.judge_models.calibrating import calibrate as calibrate_by

    found = calibrate_by(folder, sheets)
    answer(found, as_json, lambda _: say_all(_calibration_lines(found, folder)))


@command
def contamination(  # noqa: PLR0913 - each is an option
    cases: Path,
    column: str = "question",
    trained_on: list[Path] | None = None,
    ask: Path | None = None,
    control: Path | None = None,
    most: Annotated[int, typer.Option(min=1)] = 100,
    as_json: AsJson = False,
) -> None:
    """Look for cases that a model has met: long runs in training texts, and beginnings that it goes on with by heart.

    What an endpoint is asked its supplier may keep: ask with cases that no later trial needs.
    """
    from pilotbase.catalogue.applications import read_application
    from pilotbase.documents.files import read_bounded
    from pilotbase.trial.probes.contamination import asking_endpoint, recited, shared_runs, texts_of

    if not trained_on and ask is None:
        raise InputError("contamination.nothing_asked")
    known = texts_of(cases, column)
    texts = [read_bounded(path, _MOST_TEXT).decode(errors="replace") for path in trained_on or ()]
    runs = shared_runs(known, texts) if texts else None
    told = None
    if ask is not None:
        unmet = texts_of(control, column)[:most] if control is not None else []
        told = recited(known[:most], unmet, asking_endpoint(read_application(ask).application))
    if as_json:
        print_json({name: found.to_json_value() for name, found in (("texts", runs), ("recited", told)) if found})
        return
    say_all((*_shared_lines(runs), *_recited_lines(told), text("contamination.limits")))


def _print(found: Decisions) -> None:
    if found.repeat == 1:
        _print_one(found)
    else:
        _print_many(found)
    for rule in found.left_out:
        say(text("cli.decide_left_out", rule=rule), err=True)


def _print_one(found: Decisions) -> None:
    (decision,) = found.decisions
    approximate = is_approximate(item.guarantee for item in decision.criteria)
    verdict = verdict_in_words(decision.verdict, approximate)
    title = text("cli.decide_title", verdict=verdict, scored=decision.scored, cases=found.cases)
    columns = ("rule", "outcome", "score", "lower", "upper", "entered", "guarantee")
    print_table(title, (f"cli.decide_column_{column}" for column in columns), map(_row, decision.criteria))
    for item in decision.criteria:
        if item.claim is not None:
            say(text("cli.decide_claim", rule=item.rule, claim=item.claim))
    say(text("cli.decide_level", level=f"{found.level:.4g}", attempt=found.attempt, digest=decision.digest or "–"))


def _print_many(found: Decisions) -> None:
    rows = []
    for verdict, count in found.counts.items():
        scored = sorted(item.scored for item in found.decisions if item.verdict == verdict)
        median = f"{scored[len(scored) // 2]:,}" if scored else "–"
        share = percent(count / found.repeat, ".2f")
        rows.append((text(f"cli.verdict_{verdict}"), f"{count:,}", share, median))
    columns = (f"cli.decide_column_{column}" for column in ("verdict", "times", "share", "scored"))
    print_table(text("cli.decide_many", repeat=found.repeat, cases=found.cases), columns, rows)
    say(text("cli.decide_many_level", level=f"{found.level:.4g}", attempt=found.attempt))


def _row(item: CriterionFigures) -> tuple[Text | str, ...]:
    figures = write_judged(item.estimate, (item.lower, item.upper), float(parse_rule(item.rule).threshold))
    guarantee = "–" if item.guarantee is None else text(f"evidence.guarantee.{item.guarantee}")
    return item.rule, text(f"outcome.{item.verdict}"), *figures, f"{item.used:,} / {item.total:,}", guarantee


def _judged_lines(found: FinishedJudging, folder: Path) -> list[Text]:
    from collections import Counter

    scored = sum(score.no_score is None and score.known is None for score in found.scores)
    missing = Counter(score.no_score for score in found.scores if score.no_score is not None)
    lines = [text("judge.scored", scored=scored, cases=len(found.scores))]
    lines += [text(f"judge.no_score.{reason}", count=count) for reason, count in sorted(missing.items())]
    if found.sheet is not None:
        lines.append(text("judge.sheet", count=found.to_label, file=found.sheet))
    return [*lines, text("judge.next_calibrate", folder=folder)]


def _calibration_lines(found: Calibration, folder: Path) -> list[Text]:
    lines = [text("judge.labelled", labelled=found.labelled, drawn=found.drawn, cases=found.cases)]
    if found.left_out:
        lines.append(text("judge.left_out", count=found.left_out))
    lines += [text(f"judge.no_score.{reason}", count=count) for reason, count in found.unscored.items()]
    if found.agreement is not None and found.bias is not None:
        kappa = "–" if found.kappa is None else f"{found.kappa:.2f}"
        lines.append(text("judge.agreement", agreement=percent(found.agreement, ".1f"), kappa=kappa))
        counts = {"kind": found.too_kind, "strict": found.too_strict}
        lines.append(text("judge.bias", bias=f"{found.bias:+.3f}", **counts))
    if found.order_matters is not None:
        lines.append(text("judge.order_matters", share=percent(found.order_matters, ".1f")))
    lines += [
        text("judge.alone_passes" if one.passes else "judge.alone_fails", rule=one.rule, value=f"{one.value:.4g}")
        for one in found.alone
    ]
    return [*lines, text("judge.next_decide", folder=folder, seed=found.order_seed)]


def _shared_lines(found: SharedRuns | None) -> list[Text]:
    if found is None:
        return []
    return [text("contamination.shared", **found.to_json_value())]


def _recited_lines(found: Recited | None) -> list[Text]:
    if found is None:
        return []
    values = {name: getattr(found, name) for name in ("cases", "too_short", "silent", "recited", "longest")}
    lines = [text("contamination.recited", **values)]
    if found.chance is None:
        return [*lines, text("contamination.no_control")]
    counts = {"recited": found.control_recited, "cases": found.control_cases}
    return [*lines, text("contamination.control", chance=f"{found.chance:.2g}", **counts)]
