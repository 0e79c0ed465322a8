"""The size of an attempt, planned for a rule or a scenario, and beside the questions about a table that is drafted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import render

from pilotbase.charts.power import power_chart
from pilotbase.data.drafting import DraftAnswers
from pilotbase.documents.api.trials import PlannedCriterion, SizePlan
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.hashes import digest_json
from pilotbase.documents.moments import DateOrder
from pilotbase.documents.scenario import Criterion
from pilotbase.documents.texts import Text, text
from pilotbase.hub.acting import HubRequest, language, posted
from pilotbase.hub.forms.declared import form_of
from pilotbase.hub.forms.files import KeptTable, opened_table
from pilotbase.hub.presenters.drawn import drawn, tables_drawn
from pilotbase.hub.routing import FORM, page
from pilotbase.operations import trials
from pilotbase.worker.intake.boxed_tables import foresee_in_box
from pilotbase.worker.intake.sizes import total_lines
from pilotbase.worker.intake.table_drafts import DraftOutlook, ForeseenPlan, plan_foreseen
from pilotbase.workspace.store import View

SizeForm = form_of(trials.PLAN_SIZE, words={"stop": "trial.size.stop."})
_REMEMBERED_SECONDS = 3600


@page("plan-size/", "plan-size", methods=FORM)
def show_size(request: HubRequest) -> HttpResponse:
    """Plan how many cases and labels a rule or a scenario needs."""
    form = SizeForm(posted(request), initial={"scenario": request.GET.get("scenario", "")})
    plan: SizePlan | None = form.found if form.done(request.acting.view) else None
    shown = {
        "title": text("trial.size.title"),
        "form": form,
        "plan": plan,
        "lines": list(total_lines(plan)) if plan is not None else [],
        "criteria": [(one, drawn(_power(one))) for one in plan.criteria] if plan is not None else [],
    }
    return render(request, "hub/plan_size.html", shown)


def _power(one: PlannedCriterion) -> str:
    points = [(point.cases, point.power) for point in one.curve]
    return power_chart(one.rule, points, one.cases, one.power, language())


@dataclass(frozen=True)
class Outlook:
    """What a draft would ask, or what stands against it; ``lines``: the cases that it takes, in sentences."""

    criteria: tuple[Criterion, ...] = ()
    lines: tuple[Text, ...] = ()
    chart: str = ""
    problems: tuple[Text, ...] = ()


def shown_beside(view: View, table: KeptTable | None, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is shown beside the questions; ``said``: the answers so far, as they are written."""
    if table is None:
        return {"tables": []}
    profile = table.facts.profile
    return {"tables": tables_drawn([profile] if profile else []), "outlook": outlook_of(view, table, said)}


def outlook_of(view: View, table: KeptTable, said: Mapping[str, Any]) -> Outlook | None:
    """Return what a draft with these answers would ask; None before the target column is chosen."""
    if said.get("target") not in table.facts.columns:
        return None
    try:
        found = _foreseen(view, table, _answers(view, said))
        costs = _cost(said.get("cost_of_miss")), _cost(said.get("cost_of_false_alarm"))
        if found.classes is not None and None in costs:
            return Outlook(lines=(text("studio.costs"),))
        criteria = found.criteria_at(*(cost or 1.0 for cost in costs))
        plan = _planned(table, found, criteria) if found.answers else None
    except (InputError, RefusedError) as error:
        issues = error.issues if isinstance(error, InputError) else ()
        return Outlook(problems=tuple(one.problem for one in issues) or (error.text,))
    lines = [] if found.classes is not None else [text("draft.decided.costs_unused")]
    if plan is None:
        return Outlook(criteria, (*lines, text("studio.unplanned")))
    return Outlook(criteria, (*lines, *_lines(found, plan)), _chart(found, plan))


def _answers(view: View, said: Mapping[str, Any]) -> DraftAnswers:
    """Return answers of which those that change no criterion are left open."""
    return DraftAnswers(
        problem="-",
        target=said["target"],
        group_or_time=said.get("group_or_time") or None,
        cost_of_miss=1.0,
        cost_of_false_alarm=1.0,
        contact=f"{view.actor.organisation}, -",
        dates=DateOrder(said["dates"]) if said.get("dates") in set(DateOrder) else None,
    )


def _cost(value: object) -> float | None:
    try:
        found = float(str(value))
    except ValueError:
        return None
    return found if 0 < found < math.inf else None


def _foreseen(view: View, table: KeptTable, answers: DraftAnswers) -> DraftOutlook:
    """Return what a box has found of the draft: once for a target and a split, whatever the costs."""
    key = f"outlook:{table.upload.identity}:{digest_json([answers.target, answers.group_or_time, answers.dates])}"
    known = cache.get(key)
    if known is None:
        with opened_table(view, table.upload) as path:
            known = foresee_in_box(path, answers).model_dump_json()
        cache.set(key, known, _REMEMBERED_SECONDS)
    return DraftOutlook.model_validate_json(known)


def _planned(table: KeptTable, found: DraftOutlook, criteria: tuple[Criterion, ...]) -> ForeseenPlan:
    rules = [one.rule for one in criteria]
    key = f"plan:{table.upload.identity}:{digest_json([found.scenario.data.split.to_json_value(), rules])}"
    known: ForeseenPlan | None = cache.get(key)
    if known is None:
        known = plan_foreseen(found, criteria)
        cache.set(key, known, _REMEMBERED_SECONDS)
    return known


def _lines(found: DraftOutlook, planned: ForeseenPlan) -> list[Text]:
    counts = {"hidden": found.hidden, "more": _about(planned.lacking)}
    takes = text("studio.takes", cases=_about(planned.cases), power=f"{100 * planned.plan.power:.0f}")
    if planned.attempts > 1:
        return [takes, text("studio.holds", attempts=planned.attempts, **counts)]
    if planned.attempts == 1:
        return [takes, text("studio.holds_one", **counts)]
    return [takes, text("studio.too_few", **counts), text("studio.ask_less")]


def _about(count: int) -> int:
    """Return a simulated number with two digits, rounded up."""
    step = int(10 ** max(0, len(str(count)) - 2))
    return -(-count // step) * step


def _chart(found: DraftOutlook, planned: ForeseenPlan) -> str:
    """Draw how likely the criteria are met over the number of cases."""
    rules, at = ", ".join(one.rule for one in planned.plan.criteria), planned.plan.cases
    return drawn(power_chart(rules, planned.curve, at, dict(planned.curve)[at], language(), found.hidden))
