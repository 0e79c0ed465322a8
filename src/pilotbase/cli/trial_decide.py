"""``pilotbase trial decide``: a verdict from recorded answers, for as many orders as wanted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text as Cell

from pilotbase.cli.edge.terminal import EXIT_CODES, command, print_json, progress_shown, say, shown
from pilotbase.documents.guarantees import is_approximate, verdict_in_words
from pilotbase.documents.texts import Text, text
from pilotbase.documents.visible_text import format_for_terminal

if TYPE_CHECKING:
    from pilotbase.trial.deciding import CriterionFigures, Decisions


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
