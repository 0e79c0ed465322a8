"""``pilotbase roadmap``: the ledger of the base, its map, the ranking of scenarios; here or on a hub."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from unicodedata import east_asian_width

import typer

from pilotbase.cli.framework.declared import Command, add, call
from pilotbase.cli.framework.driving import Noun
from pilotbase.cli.framework.terminal import AsJson, answer, language, say
from pilotbase.cli.hub_records import read_part
from pilotbase.documents.base import localized
from pilotbase.documents.files import format_csv
from pilotbase.documents.roadmap import Driving, Phase, PotentialBy
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import Text, format_for_terminal, percent, text
from pilotbase.operations import figures
from pilotbase.operations import ledger as operations

if TYPE_CHECKING:
    from pilotbase.documents.api.ledger import (
        ClauseTold,
        FunnelTold,
        MapTold,
        OpennessTable,
        PlanTold,
        PotentialTold,
        RankingTold,
        RoadmapTold,
        TaskSheetsTold,
    )
    from pilotbase.documents.planning import PlanningSheet
    from pilotbase.roadmap.tables import Table

app = Noun()


@app.anywhere("ledger")
def ledger(as_json: AsJson = False, as_csv: Annotated[bool, typer.Option("--csv")] = False) -> None:
    """Show the way from demand to use: numbers, days, costs, and progress towards targets."""
    from pilotbase.roadmap.tables import ledger_table

    told = call(operations.SHOW)
    if as_csv and not as_json:
        _print_csv(ledger_table(told, language()))
    else:
        answer(told, as_json, lambda _: _print_grouped(ledger_table(told, language(), exact=False)))


@app.anywhere("map")
def show_map(as_json: AsJson = False, as_csv: Annotated[bool, typer.Option("--csv")] = False) -> None:
    """Show the map of six actions × eight supports: scenarios opened, trials certified, services in use."""
    from pilotbase.roadmap.tables import map_table

    told = call(operations.MAP)
    _print(told, map_table(told, language()), as_json, as_csv)


@app.anywhere("rank")
def rank(  # noqa: PLR0913 - each criterion is an option
    potential: int = 1,
    maturity: int = 1,
    driving_effect: int = 1,
    top: int = 10,
    within: int = 10,
    driving: Driving = "stated",
    potential_by: PotentialBy = "stated",
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv")] = False,
) -> None:
    """Rank scenarios that are open or under review, and show the smallest change of weights that reorders them."""
    from pilotbase.roadmap.tables import format_driven, format_shift, ranking_table

    asked = {"potential": potential, "maturity": maturity, "driving_effect": driving_effect}
    told = call(operations.RANKING, **asked, driving=driving, potential_by=potential_by, top=top, within=within)
    _print(told, ranking_table(told, language()), as_json, as_csv)
    if as_json or as_csv:
        return
    holds = told.top_holds_for
    share = format_shift(holds, language())
    say(text("roadmap.top_fixed", top=top) if holds is None else text("roadmap.top_holds", top=top, share=share))
    if told.unrated:
        say(text("roadmap.unrated", count=told.unrated))
    if told.by_records:
        say(text("roadmap.by_records", count=told.by_records))
    for one in told.driving:
        line = {"scenario": one.scenario, "stated": one.stated, "shown": one.shown, "effect": f"{one.effect:.2f}"}
        say(text("roadmap.driving_line", **line))
        for part in one.largest:
            typer.echo(f"  {format_for_terminal(format_driven(part, language()))}")
    for scored in told.potentials:
        say(text("roadmap.potential_line", **scored.model_dump()))
    for flip in told.flips:
        above, below = (" · ".join(map(str, one)) for one in (flip.above, flip.below))
        say(text("roadmap.flip", above=above, below=below, share=format_shift(flip.shift, language())))


@app.anywhere("tasks")
def tasks(
    phase: Phase | None = None, as_json: AsJson = False, as_csv: Annotated[bool, typer.Option("--csv")] = False
) -> None:
    """Show the task sheets of the roadmap: needs, what comes before, and what is to be done next by whom."""
    from pilotbase.roadmap.tables import task_table

    told = call(operations.TASKS, phase=phase)
    _print(told, task_table(told, language()), as_json, as_csv)


@app.anywhere("set")
def set_new(file: Path, as_json: AsJson = False) -> None:
    """Replace the roadmap and show it."""
    from pilotbase.documents.roadmap import Roadmap

    answer(call(operations.SET_ROADMAP, sent=read_part(Roadmap, file)), as_json, _print_roadmap)


@app.anywhere("set-sheet")
def set_rules(file: Path, as_json: AsJson = False) -> None:
    """Replace the planning sheet: limits, needs, order, balance and goals."""
    from pilotbase.documents.loading import load_document
    from pilotbase.documents.planning import PlanningSheet

    answer(call(operations.SET_SHEET, sent=load_document(PlanningSheet, file)), as_json, _print_sheet)


@app.anywhere("what-if")
def what_if(  # noqa: PLR0913 - each changes one thing of the sheet
    potential: int | None = None,
    maturity: int | None = None,
    driving_effect: int | None = None,
    driving: Driving | None = None,
    keep: float | None = None,
    limit: Annotated[list[str] | None, typer.Option("--limit", metavar="RESOURCE=PERCENT")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the plan under other weights and limits, beside the roadmap in force; nothing is stored."""
    weights: dict[str, float | str | None] = {"potential": potential, "maturity": maturity}
    weights |= {"driving_effect": driving_effect, "driving": driving, "keep": keep}
    told = {name: value for name, value in weights.items() if value is not None}
    limits = {name: percent for name, _, percent in (one.partition("=") for one in limit or [])}
    with _solver_beside_stdout():
        found = call(operations.WHAT_IF, **told, limits=limits)
    answer(found, as_json, _print_plan)


@app.anywhere("propose")
def propose(as_json: AsJson = False) -> None:
    """Compute a plan from today's records and show it."""
    with _solver_beside_stdout():
        found = call(operations.PROPOSE)
    answer(found, as_json, _print_plan)


@contextmanager
def _solver_beside_stdout() -> Iterator[None]:
    """Let HiGHS print its occasional line of debugging to stderr: stdout is the command's answer."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


@app.anywhere("adopt")
def adopt_plan(title: str, as_json: AsJson = False) -> None:
    """Let the newest proposal stand as the roadmap."""
    found = call(operations.PROPOSAL)
    answer(call(operations.ADOPT, title=title, seen=found.digest), as_json, _print_roadmap)


def _print_sheet(sheet: PlanningSheet) -> None:
    from pilotbase.data.scenario_yaml import dump_document

    for line in dump_document(sheet.to_json_value()).splitlines():
        typer.echo(format_for_terminal(line))


def _print_plan(told: PlanTold) -> None:
    for news in told.because:
        say(news)
    say(Text(code=f"planning.outcome.{told.outcome}"))
    if told.outcome == "infeasible":
        say(text("planning.relaxations_lead" if told.relaxations else "planning.no_relaxation"))
        for way in told.relaxations:
            say(way)
        return
    say(text("planning.changes", moved=told.moved, fresh=told.fresh))
    worth = {"value": f"{told.value:.2f}", "bound": f"{told.bound:.2f}", "gap": f"{100 * told.gap:.2f}"}
    say(text("planning.worth", **worth))
    for task in told.tasks:
        line = {"phase": _phase(task.phase), "scenario": task.scenario, "start": task.start, "end": task.end}
        if task.reason is None or task.before is None:
            say(text("planning.line", **line))
        else:
            say(text("planning.line_moved", **line, before=_phase(task.before), reason=task.reason))
    for out in told.left_out:
        say(text("planning.line_out", scenario=out.scenario, reason=out.reason))
    for use in told.resources:
        limit = text("planning.no_limit") if use.limit is None else f"{use.limit:g}"
        line = {"resource": use.resource, "phase": _phase(use.phase), "used": f"{use.used:g}"}
        say(text("planning.line_use", **line, limit=limit))
    for goal in told.goals:
        reached = {"reached": f"{goal.reached:g}", "number": f"{goal.number:g}"}
        say(text("planning.line_goal", title=localized(goal.title, language()), phase=_phase(goal.by), **reached))


def _print_clauses(told: list[ClauseTold]) -> None:
    from pilotbase.roadmap.tables import clause_table

    print_aligned(clause_table(told, language()))


def _print_openness(told: OpennessTable) -> None:
    for one in told.scenarios:
        score = text("openness.early") if one.score is None else one.score
        raised = Text(code=f"openness.raise.{one.next}") if one.next is not None else "–"
        say(text("openness.line", scenario=name_of(one.scenario), score=score, unanswered=one.unanswered, next=raised))
    for owner in told.owners:
        kind = Text(code=f"ownership.{owner.ownership}") if owner.ownership is not None else text("openness.unknown")
        lower = percent(owner.outside_lower)
        say(text("openness.owner_line", owner=owner.owner, kind=kind, lower=lower, unanswered=owner.unanswered))


def _phase(phase: str) -> Text:
    return Text(code=f"phase.{phase}")


def _print_roadmap(told: RoadmapTold) -> None:
    if not told.tasks:
        say(text("roadmap.no_plan"))
    for task in told.tasks:
        phase, state = Text(code=f"phase.{task.phase}"), Text(code=f"task.{task.state}")
        dates = {"start": task.start, "end": task.end}
        say(text("roadmap.line", phase=phase, scenario=task.scenario, state=state, **dates))
        if task.reason is not None:
            end = task.suggested_end or text("roadmap.take_off")
            say(text("roadmap.line_suggested", end=end, reason=task.reason))


def _print_funnel(told: FunnelTold) -> None:
    for one in told.stages:
        say(text("funnel.line", stage=text(f"funnel.{one.stage}"), recorded=one.recorded, reached=one.reached))


def _print_potential(told: PotentialTold) -> None:
    named = {"scenario": name_of(told.scenario)}
    if told.scores and told.is_present:
        scores = ", ".join(str(one.potential) for one in told.scores)
        say(text("roadmap.potential_printed_opened", **named, scores=scores))
    else:
        say(text("roadmap.potential_printed", **named, received=told.received, needed=told.needed))
    if told.own is not None:
        say(text("roadmap.potential_own", potential=told.own))


add(
    app,
    Command("potential", operations.POTENTIAL, show=_print_potential),
    Command("score", operations.SCORE_POTENTIAL, show=_print_potential),
    Command("show", operations.ROADMAP, show=_print_roadmap, nulls=True),
    Command("sheet", operations.SHEET, show=_print_sheet),
    Command("proposal", operations.PROPOSAL, show=_print_plan, nulls=True),
    Command("clauses", operations.CLAUSES, show=_print_clauses),
    Command("openness", operations.OPENNESS, show=_print_openness),
    Command("funnel", figures.FUNNEL, show=_print_funnel),
)


def _print(told: MapTold | RankingTold | TaskSheetsTold, table: Table, as_json: bool, as_csv: bool) -> None:
    answer(told, as_json, lambda _: _print_csv(table) if as_csv else print_aligned(table))


def _print_csv(table: Table) -> None:
    sys.stdout.buffer.write(format_csv(table.header, table.rows))
    sys.stdout.flush()


def _print_grouped(table: Table) -> None:
    """Print one line for each thing that a part tells of, without what is not known of it."""
    from pilotbase.roadmap.tables import NOTHING

    for part, rows in groupby(table.rows, key=lambda row: row[0]):
        typer.echo(format_for_terminal(part))
        for of, numbers in groupby(rows, key=lambda row: row[1]):
            told = [f"{what} {number}" for _, _, what, number in numbers if number != NOTHING]
            say(text("roadmap.grouped", of=of, said=text("roadmap.semicolon").render(language()).join(told)))


def print_aligned(table: Table) -> None:
    """Print a table in columns."""
    lines = [table.header, *table.rows]
    widths = [max(_width(line[place]) for line in lines) for place in range(len(table.header))]
    for line in lines:
        cells = (cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True))
        typer.echo(format_for_terminal("  ".join(cells).rstrip()))


def _width(cell: str) -> int:
    """Return how many columns of a terminal a word takes; Chinese characters take two."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in cell)
