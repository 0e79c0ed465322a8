"""``pilotbase trial decide | judge | calibrate | contamination``: from answers and cases alone, without a trial."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text as Cell

from pilotbase.cli.edge.terminal import EXIT_CODES, AsJson, command, print_json, progress_shown, say, shown
from pilotbase.documents.errors import InputError
from pilotbase.documents.texts import Text, text
from pilotbase.documents.visible_text import format_for_terminal
from pilotbase.documents.vocabularies import is_approximate, verdict_in_words

if TYPE_CHECKING:
    from pilotbase.documents.judge import Calibration
    from pilotbase.trial.deciding import CriterionFigures, Decisions
    from pilotbase.trial.judging.folder import FinishedJudging
    from pilotbase.trial.probes.contamination import Recited, SharedRuns


_MOST_TEXT = 32 << 20


@command
def decide(  # noqa: PLR0913 - each is an option
    plan: Annotated[
        Path, typer.Argument(help="A plan.json or a trial's folder, a scenario, or criteria by hand (YAML, JSON).")
    ],
    cases: Annotated[
        Path,
        typer.Argument(
            help="CSV: case,truth,prediction, maybe group,unit,baseline,score; a trial's folder; a log of Inspect AI."
        ),
    ],
    order_seed: Annotated[int, typer.Option("--order-seed", help="The order of scoring follows from it.")] = 0,
    repeat: Annotated[int, typer.Option("--repeat", help="How many seeds, one after the other.")] = 1,
    attempt: Annotated[int | None, typer.Option("--attempt", help="Decide as attempt J: at α/(J(J+1)).")] = None,
    alpha: Annotated[float | None, typer.Option("--alpha", help="Error probability over all attempts.")] = None,
    design: Annotated[str | None, typer.Option("--design", help="early, full or fixed:N.")] = None,
    labels: Annotated[
        str | None, typer.Option("--labels", help="all, or score: few true labels, a judge's score for all.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the decisions.")] = False,
) -> None:
    """Decide from recorded answers alone, by the trial's own engine. Exit 0 accept, 3 reject, 4 none; repeated: 0."""
    from pilotbase.trial.deciding import decide_recorded
    from pilotbase.trial.decision_plans import Overrides, read_decision_plan
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
    if as_json:
        print_json(found.to_json_value())
    else:
        _print(found)
    raise typer.Exit(EXIT_CODES[found.verdicts[0]] if repeat == 1 else 0)


@command
def judge(
    cases: Annotated[Path, typer.Argument(help="CSV: case,prediction and what the prompt names; or a trial's folder.")],
    manifest: Annotated[Path, typer.Option("--judge", help="The judge: a judge/1 document (YAML).")],
    label: Annotated[int, typer.Option("--label", help="How many cases people label, drawn at random.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the judging; begun again it goes on.")],
    beside: Annotated[
        Path | None, typer.Option("--beside", help="A table with case whose columns the prompt may name, too.")
    ] = None,
    give_up: Annotated[
        bool, typer.Option("--give-up", help="Do not wait for a judge that went away: the rest has no score.")
    ] = False,
) -> None:
    """Ask a judge model about every answer, then draw the cases that people label. Its scores alone prove nothing."""
    from pilotbase.documents.judge import Judge
    from pilotbase.documents.loading import load_document
    from pilotbase.trial.judging.folder import judge_cases
    from pilotbase.trial.judging.judged_cases import read_judged_cases
    from pilotbase.worker.trials.folder import cases_file

    read = load_document(Judge, manifest)
    judged = read_judged_cases(cases_file(cases), read, beside)
    with progress_shown() as on_progress:
        found = judge_cases(read, judged, out, label, give_up, on_progress)
    for line in _judged_lines(found, out):
        say(line)


@command
def calibrate(
    folder: Annotated[Path, typer.Argument(help="The folder of a judging.")],
    sheets: Annotated[list[Path], typer.Argument(help="Sheets filled in, or other tables of item and label.")],
    as_json: AsJson = False,
) -> None:
    """Read people's labels, tell how far the judge agrees with them, and write what `trial decide` decides on."""
    from pilotbase.trial.judging.calibrating import calibrate as calibrate_by

    found = calibrate_by(folder, sheets)
    if as_json:
        print_json(found.to_json_value())
        return
    for line in _calibration_lines(found, folder):
        say(line)


@command
def contamination(  # noqa: PLR0913 - each is an option
    cases: Annotated[Path, typer.Argument(help="A table of cases.")],
    column: Annotated[str, typer.Option("--column", help="Its column of texts.")] = "question",
    trained_on: Annotated[
        list[Path] | None,
        typer.Option("--trained-on", help="A text that the supplier says to have trained on (UTF-8)."),
    ] = None,
    ask: Annotated[
        Path | None, typer.Option("--ask", help="Folder of an endpoint, which is sent the first half of the cases.")
    ] = None,
    control: Annotated[
        Path | None, typer.Option("--control", help="A table of like cases that the model cannot have met.")
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="Of each table so many cases at most are asked.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures.")] = False,
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
    for line in (*_shared_lines(runs), *_recited_lines(told)):
        say(line)
    say(text("contamination.limits"))


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
    table = _table(
        text("cli.decide_title", verdict=verdict, scored=decision.scored, cases=found.cases),
        "rule", "outcome", "score", "lower", "upper", "entered", "guarantee",
    )  # fmt: skip
    for item in decision.criteria:
        figures = (_figure(value) for value in (item.estimate, item.lower, item.upper))
        table.add_row(
            _cell(item.rule), _cell(text(f"outcome.{item.verdict}")), *figures, _entered(item), _guarantee(item)
        )
    _show(table)
    for item in decision.criteria:
        if item.claim is not None:
            say(text("cli.decide_claim", rule=item.rule, claim=item.claim))
    say(text("cli.decide_level", level=f"{found.level:.4g}", attempt=found.attempt, digest=decision.digest or "–"))


def _print_many(found: Decisions) -> None:
    table = _table(
        text("cli.decide_many", repeat=found.repeat, cases=found.cases), "verdict", "times", "share", "scored"
    )
    for verdict, count in found.counts.items():
        scored = sorted(item.scored for item in found.decisions if item.verdict == verdict)
        median = f"{scored[len(scored) // 2]:,}" if scored else "–"
        share = f"{count / found.repeat:.2%}"
        table.add_row(_cell(text(f"cli.verdict_{verdict}")), f"{count:,}", share, median)
    _show(table)
    say(text("cli.decide_many_level", level=f"{found.level:.4g}", attempt=found.attempt))


def _table(title: Text, *columns: str) -> Table:
    table = Table(title=Cell(shown(title)), expand=False)
    for column in columns:
        table.add_column(Cell(shown(Text(code=f"cli.decide_column_{column}"))), overflow="fold")
    return table


def _show(table: Table) -> None:
    Console(width=None if Console().is_terminal else 160).print(table)


def _cell(content: Text | str) -> Cell:
    return Cell(shown(content) if isinstance(content, Text) else format_for_terminal(content))


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _guarantee(item: CriterionFigures) -> Cell:
    return _cell("–" if item.guarantee is None else text(f"evidence.guarantee.{item.guarantee}"))


def _entered(item: CriterionFigures) -> str:
    return f"{item.used:,} / {item.total:,}"


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
        lines.append(text("judge.agreement", agreement=f"{found.agreement:.1%}", kappa=kappa))
        counts = {"kind": found.too_kind, "strict": found.too_strict}
        lines.append(text("judge.bias", bias=f"{found.bias:+.3f}", **counts))
    if found.order_matters is not None:
        lines.append(text("judge.order_matters", share=f"{found.order_matters:.1%}"))
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
