"""The candidates for a scenario: its board, its tenders, and side by side in an order that the reader chooses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from pilotbase.charts.criterion import CandidateRow, LeaderStep, candidates_chart, leader_chart
from pilotbase.charts.scales import format_bounds, format_number, format_score
from pilotbase.documents.api.trials import Candidate, ComparedCriterion, Comparison
from pilotbase.documents.base import localized
from pilotbase.documents.board import Board
from pilotbase.documents.moments import format_day
from pilotbase.documents.permissions import ReadScope, SubjectRelation, permitted
from pilotbase.documents.quantities import format_seconds
from pilotbase.documents.states import ApplicationState
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.acting import HubRequest, RequestActor, language, posted
from pilotbase.hub.base import base
from pilotbase.hub.forms.declared import do, form_of, post_of, tell
from pilotbase.hub.presenters.addresses import record_crumbs, subject_of
from pilotbase.hub.presenters.drawn import drawn, drawn_order
from pilotbase.hub.routing import EVERYBODY, FORM, page
from pilotbase.operations import trials
from pilotbase.trial.board_measure import measure_problems
from pilotbase.worker.progress import progress_of
from pilotbase.worker.readings import scenario_for
from pilotbase.worker.trials.boards import board_for
from pilotbase.worker.trials.comparing import compare
from pilotbase.worker.trials.hidden_budgets import budget_of_scenario
from pilotbase.workspace.listings import Listing, Query, list_page

Key = Callable[[Candidate], Any]
ORDERS: dict[str, Key] = {
    "tender": lambda one: one.place,
    "ended": lambda one: one.ended_at,
    "application": lambda one: (one.name, one.version),
    "supplier": lambda one: one.supplier,
    "verdict": lambda one: one.verdict.value,
    "saves": lambda one: one.saves,
    "latency": lambda one: one.latency,
    "computing": lambda one: one.computing,
}
"""What the reader may sort by, besides each criterion (``c0``, ``c1`` …); names: text ``live.by_<key>``."""


_OWN_SHOWN = 50
TenderForm = form_of(trials.OPEN_TENDER)


@dataclass(frozen=True)
class Head:
    """The head of a column: its name, where a click leads, and how it is sorted now (``aria-sort``)."""

    name: Text | str
    link: str
    sorted: str


@dataclass(frozen=True)
class CriterionCell:
    """How a candidate met one criterion, in words and figures."""

    result: ComparedCriterion
    score: str
    interval: str
    baseline: str
    lead: Text | None


@dataclass(frozen=True)
class ComparisonRow:
    """One candidate as the table shows it."""

    candidate: Candidate
    cells: tuple[CriterionCell | None, ...]
    saves: Text | None
    latency: str
    computing: str


@page("scenarios/<name:name>/board/", "board", EVERYBODY)
def show_board(request: HubRequest, name: str) -> HttpResponse:
    """Show a board to its owner, to the base and to suppliers."""
    acting, subject = request.acting, subject_of("scenarios", name)
    seen = board_for(acting.view, subject)
    applications = [(one, progress_of(acting.view, one.subject, "board")) for one in own_applications(acting, subject)]
    shown = {
        "title": text("live.board_of", scenario=localized(seen.title, language())),
        "seen": seen,
        "steps": list(seen.board.ranked) if seen.board else [],
        "used": sorted(seen.board.used.items()) if seen.board else [],
        "chart": drawn(leader_chart(steps_of(seen.board), language())) if seen.board else "",
        "applications": applications,
        "at_work": any(work is not None and work.live for _, work in applications),
        "crumbs": record_crumbs(subject, seen.title),
    }
    return render(request, "hub/board.html", shown)


@page("scenarios/<name:name>/tenders/", "tenders", EVERYBODY, methods=FORM)
def show_tenders(request: HubRequest, name: str) -> HttpResponse:
    """Show the tenders on a scenario to its owner, to the base and to suppliers; let the owner open one."""
    acting, subject = request.acting, subject_of("scenarios", name)
    owner, _, own_name = name.partition("/")
    scenario = scenario_for(acting.view, subject, ReadScope.BOARD)
    rules = [criterion.parsed() for criterion in scenario.criteria]
    offered = [rule.plain.key for rule in rules if next(measure_problems(scenario, rule.plain.key, None), None) is None]
    choices = {"measure": [(one, one) for one in dict.fromkeys(offered)]}
    asked = {"owner": owner, "name": own_name}
    form = TenderForm(posted(request), given=asked, choices=choices)
    owns = acting.organisation == owner and acting.has(Role.DEMAND_OWNER)
    if owns and form.done(acting.view):
        tell(request, form.operation)
        return redirect("tenders", name=name)
    shown = {
        "title": text("tender.of", scenario=localized(scenario.title, language())),
        "tenders": [(one, drawn_order(one.result)) for one in do(trials.TENDERS, acting.view, asked)],
        "form": form if owns and offered else None,
        "owns": owns,
        "name": name,
        "applications": [one for one in own_applications(acting, subject) if one.state == ApplicationState.SUBMITTED],
        "crumbs": record_crumbs(subject, scenario.title),
    }
    return render(request, "hub/tenders.html", shown)


_TENDER = "scenarios/<name:name>/tenders/<digits:tender>"
post_of(f"{_TENDER}/enter/", "tender-enter", trials.ENTER_TENDER, "tenders", tender="tender")
post_of(f"{_TENDER}/close/", "tender-close", trials.CLOSE_TENDER, "tenders", tender="tender")


@page("scenarios/<name:name>/comparison/", "comparison", EVERYBODY)
def show_comparison(request: HubRequest, name: str) -> HttpResponse:
    """Show the candidates to the owner of the scenario and to the operator."""
    view, subject = request.acting.view, subject_of("scenarios", name)
    found = compare(base(), view, subject)
    order, downwards = request.GET.get("by") or ("tender" if found.tender else "ended"), "down" in request.GET
    candidates = in_order(found, order, downwards)
    may_know = permitted(ReadScope.BUDGET, view.actor, SubjectRelation(demand_owner=name.partition("/")[0]))
    shown = {
        "title": text("live.comparison_of", scenario=localized(found.title, language())),
        "found": found,
        "rows": [row_of(found, one) for one in candidates],
        "heads": heads(found, order, downwards),
        "chart": drawn_order(found.tender),
        "name": name,
        "charts": charts_of(found, candidates),
        "budget": budget_of_scenario(base(), view, subject) if may_know else None,
        "crumbs": record_crumbs(subject, found.title),
    }
    return render(request, "hub/comparison.html", shown)


def in_order(found: Comparison, order: str, downwards: bool) -> list[Candidate]:
    """Return the candidates in the order that the reader asks for; who has no figure comes last either way."""
    key = ORDERS.get(order) or _by_criterion(found, order) or ORDERS["ended"]
    known = [one for one in found.candidates if key(one) is not None]
    return sorted(known, key=key, reverse=downwards) + [one for one in found.candidates if key(one) is None]


def heads(found: Comparison, order: str, downwards: bool) -> dict[str, Any]:
    """Return the heads of the columns, by key, and those of the criteria as a list."""
    plain = {key: _head(key, text(f"live.by_{key}"), order, downwards) for key in ORDERS}
    rules = [_head(f"c{index}", rule, order, downwards) for index, rule in enumerate(found.rules)]
    return {**plain, "rules": rules}


def row_of(found: Comparison, one: Candidate) -> ComparisonRow:
    """Return a candidate's line."""
    by_rule = {result.rule: result for result in one.criteria}
    cells = tuple(_cell(found, by_rule[rule]) if rule in by_rule else None for rule in found.rules)
    saves = None if one.saves is None else _saves(found, one.saves)
    latency = "–" if one.latency is None else format_seconds(one.latency)
    computing = "–" if one.computing is None else format_seconds(one.computing)
    return ComparisonRow(one, cells, saves, latency, computing)


def charts_of(found: Comparison, candidates: list[Candidate]) -> list[tuple[str, SafeString]]:
    """Return (rule, chart) of each criterion that somebody has a score on, its rows in the reader's order."""
    drawings = []
    for rule in found.rules:
        rows = [
            CandidateRow(f"{one.name} {one.version}", result)
            for one in candidates
            for result in one.criteria
            if result.rule == rule
        ]
        drawings.append((rule, candidates_chart(rows, language())))
    return [(rule, drawn(drawing)) for rule, drawing in drawings if drawing]


def _by_criterion(found: Comparison, order: str) -> Key | None:
    rule = next((rule for index, rule in enumerate(found.rules) if order == f"c{index}"), None)
    if rule is None:
        return None
    return lambda one: next((result.estimate for result in one.criteria if result.rule == rule), None)


def _head(key: str, name: Text | str, order: str, downwards: bool) -> Head:
    now = key == order
    turned = {"by": key, **({"down": "1"} if now and not downwards else {})}
    return Head(name, f"?{urlencode(turned)}", ("descending" if downwards else "ascending") if now else "")


def _cell(found: Comparison, result: ComparedCriterion) -> CriterionCell:
    bounded = result.lower is not None or result.upper is not None
    lower, upper = format_bounds((result.lower, result.upper), result)
    interval = f"[{lower}, {upper}]" if bounded else ""
    baseline = format_score(result.baseline, result) if result.baseline is not None else ""
    return CriterionCell(result, format_score(result.estimate, result), interval, baseline, _lead(found, result))


def _lead(found: Comparison, result: ComparedCriterion) -> Text | None:
    """Return by how much a candidate scored better or worse than the baseline on the same cases."""
    if result.better_by is None:
        return None
    by = format_number(abs(result.better_by), result.unit_label)
    baseline = text(f"live.baseline.{found.baseline}")
    code = (
        "live.better_than" if result.better_by > 0 else "live.worse_than" if result.better_by < 0 else "live.as_good_as"
    )
    return Text(code=code, params={"by": by, "baseline": baseline})


def _saves(found: Comparison, saves: float) -> Text:
    amount = f"{abs(saves):,.0f} {found.currency}"
    baseline = text(f"live.baseline.{found.baseline}")
    code = "live.saves" if saves >= 0 else "live.costs_more"
    return Text(code=code, params={"amount": amount, "baseline": baseline})


def steps_of(board: Board) -> list[LeaderStep]:
    """Return the leaders of a board, oldest first."""
    return [LeaderStep(format_day(entry.submitted_at), entry.released) for entry in reversed(board.ranked)]


def own_applications(acting: RequestActor, scenario: str) -> tuple[Listing, ...]:
    """Return the supplier's applications that were made for a scenario."""
    if not acting.has(Role.SUPPLIER):
        return ()
    states = (ApplicationState.DRAFT, ApplicationState.SUBMITTED)
    query = Query("application", states=states, scenario=scenario, owner=acting.organisation)
    return list_page(acting.view, query, limit=_OWN_SHOWN).items
