"""The size of an attempt, planned for a rule or a scenario, and beside the questions about a table that is drafted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.cache import cache
from django.http import HttpResponse, QueryDict
from django.shortcuts import render

from pilotbase.charts.criterion import power_chart
from pilotbase.data.doctor import Examination, Remark, remark_on_gap
from pilotbase.data.doctor.page import strengths_chart
from pilotbase.data.drafting import DraftAnswers
from pilotbase.data.fixes import ALL, NO_FIXES, Fixes, chosen_fixes
from pilotbase.data.thresholds import FEWEST_OF_CLASS
from pilotbase.documents.api.trials import PlannedCriterion, SizePlan
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.hashes import digest_json
from pilotbase.documents.moments import DateOrder
from pilotbase.documents.scenario import Costs, Criterion, read_mistakes
from pilotbase.documents.texts import Text, text
from pilotbase.hub.acting import HubRequest, language, posted
from pilotbase.hub.forms.declared import form_of
from pilotbase.hub.forms.files import KeptTable, opened_table
from pilotbase.hub.presenters.drawn import drawn, tables_drawn
from pilotbase.hub.routing import FORM, page
from pilotbase.operations import trials
from pilotbase.worker.intake.boxed_tables import examine_in_box, foresee_in_box
from pilotbase.worker.intake.sizes import total_lines
from pilotbase.worker.intake.table_drafts import DraftOutlook, ForeseenPlan, plan_foreseen
from pilotbase.workspace.store import View

SizeForm = form_of(trials.PLAN_SIZE, words={"stop": "trial.size.stop."})
_REMEMBERED_SECONDS = 3600
_ANY_COSTS = Costs(miss=1.0, false_alarm=1.0)


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
class OfferedRemedy:
    """A remark of the data doctor; of what a draft can do about it, whether it is ticked and what was filled in."""

    remark: Remark
    ticked: bool = False
    meant: str = ""


@dataclass(frozen=True)
class Outlook:
    """What a draft would ask, or what stands against it; ``lines``: the cases that it takes, in sentences."""

    criteria: tuple[Criterion, ...] = ()
    lines: tuple[Text, ...] = ()
    chart: str = ""
    problems: tuple[Text, ...] = ()
    classes: tuple[str, ...] = ()
    """Of the target column, as they are answered."""


@dataclass(frozen=True)
class Diagnosis:
    """What stands out in a table, with a remedy each; ``about``: see `columns_asked`; ``chart``: columns alone."""

    about: str
    remedies: tuple[OfferedRemedy, ...]
    chart: str = ""


def columns_asked(said: Mapping[str, Any]) -> str:
    """Return a digest of what an examination rests on: fixes that were ticked for another do not count."""
    return digest_json([said.get(name) or "" for name in ("target", "group_or_time", "dates")])


def ticked_fixes(posted: QueryDict) -> tuple[str, ...] | None:
    """Return the fixes that are ticked, as `chosen_fixes` takes them; None: nobody was asked about these columns."""
    if posted.get("examined") != columns_asked(posted):
        return None
    meant = {one.removeprefix("empty."): str(posted[one]).strip() for one in posted if one.startswith("empty.")}
    said = {one: f"{one}={value}" for one, value in meant.items() if value}
    return tuple(said.get(one, one) for one in dict.fromkeys([*posted.getlist("fixes"), *said]))


def offers_remedies(error: InputError) -> bool:
    """Return whether a draft was refused only for what the data doctor has a remedy for."""
    issues = error.issues
    return bool(issues) and all(one.problem.code == "doctor.fix.offer" or remark_on_gap(one) for one in issues)


def shown_beside(
    view: View, table: KeptTable | None, said: Mapping[str, Any], ticked: tuple[str, ...] | None
) -> dict[str, Any]:
    """Return what is shown beside the questions; ``said``: the answers so far, as written; ``ticked``: the fixes."""
    if table is None:
        return {"tables": []}
    profile = table.facts.profile
    shown = {"tables": tables_drawn([profile] if profile else [])}
    if said.get("target") not in table.facts.columns:
        return shown
    answers = replace(_answers(view, said), fixes=(ALL,) if ticked is None else ticked)
    try:
        found = _examined(view, table, answers)
        fixes = chosen_fixes(found.fixes, answers.fixes or ())
        doctor = Diagnosis(columns_asked(said), _remedies(found.remarks, fixes), _strengths(found))
        return shown | {"doctor": doctor, "outlook": _outlook(view, table, answers, fixes, said)}
    except (InputError, RefusedError) as error:
        issues = error.issues if isinstance(error, InputError) else ()
        gaps = tuple(filter(None, map(remark_on_gap, issues)))
        others = tuple(one.problem for one in issues if remark_on_gap(one) is None)
        doctor = Diagnosis(columns_asked(said), _remedies(gaps, NO_FIXES))
        return shown | {"doctor": doctor, "outlook": Outlook(problems=others or (() if gaps else (error.text,)))}


def _remedies(remarks: Iterable[Remark], chosen: Fixes) -> tuple[OfferedRemedy, ...]:
    meant = {one.offered: one.meant for one in chosen.every}
    keys = ((one, one.fix.offered if one.fix else "") for one in remarks)
    return tuple(OfferedRemedy(one, key in meant, meant.get(key, "")) for one, key in keys)


def _strengths(found: Examination) -> str:
    return drawn(strengths_chart(found, language()))


def _outlook(view: View, table: KeptTable, answers: DraftAnswers, fixes: Fixes, said: Mapping[str, Any]) -> Outlook:
    """Return what a draft with these answers would ask; raises what a draft does."""
    found = _foreseen(view, table, answers, fixes)
    try:
        asked = _asked(table, found, said)
    except InputError as error:
        asked = Outlook(problems=tuple(one.problem for one in error.issues) or (error.text,))
    return replace(asked, classes=tuple(found.classes.counts) if found.classes is not None else ())


def _asked(table: KeptTable, found: DraftOutlook, said: Mapping[str, Any]) -> Outlook:
    costs = _costs(said)
    if found.classes is not None and costs is None:
        return Outlook(lines=(text("studio.costs" if len(found.classes.counts) < 3 else "studio.costs_of_many"),))
    costs = costs or _ANY_COSTS
    criteria, counted = found.criteria_at(costs), found.counts_costs(costs)
    plan = _planned(table, found, criteria) if found.answers else None
    lines = [] if counted else [text("draft.decided.costs_unused", fewest=FEWEST_OF_CLASS)]
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


def _costs(said: Mapping[str, Any]) -> Costs | None:
    """Return what errors cost, as far as it is answered; raises `InputError` if that cannot be read."""
    if said.get("mistakes"):
        _ = read_mistakes(said["mistakes"])
        return Costs(mistakes=said["mistakes"])
    miss, false_alarm = _cost(said.get("cost_of_miss")), _cost(said.get("cost_of_false_alarm"))
    return None if miss is None or false_alarm is None else Costs(miss=miss, false_alarm=false_alarm)


def _cost(value: object) -> float | None:
    try:
        found = float(str(value))
    except ValueError:
        return None
    return found if 0 < found < math.inf else None


def _examined(view: View, table: KeptTable, answers: DraftAnswers) -> Examination:
    """Return what a box has found: once for a target and a split, and for what empty cells of theirs mean."""
    meant = tuple(one for one in answers.fixes or () if "=" in one)
    key = _key("doctor", table, [answers.target, answers.group_or_time, answers.dates, *meant])
    known: Examination | None = cache.get(key)
    if known is None:
        with opened_table(view, table.upload) as path:
            known = examine_in_box(path, replace(answers, fixes=meant))
        cache.set(key, known, _REMEMBERED_SECONDS)
    return known


def _foreseen(view: View, table: KeptTable, answers: DraftAnswers, fixes: Fixes) -> DraftOutlook:
    """Return what a box has found of the draft: once for a target, a split and its fixes, whatever the costs."""
    chosen = [one.spelled for one in fixes.every]
    key = _key("outlook", table, [answers.target, answers.group_or_time, answers.dates, *chosen])
    known = cache.get(key)
    if known is None:
        with opened_table(view, table.upload) as path:
            known = foresee_in_box(path, answers, fixes).model_dump_json()
        cache.set(key, known, _REMEMBERED_SECONDS)
    return DraftOutlook.model_validate_json(known)


def _key(what: str, table: KeptTable, said: Sequence[str | None]) -> str:
    return f"{what}:{table.upload.identity}:{digest_json([*said])}"


def _planned(table: KeptTable, found: DraftOutlook, criteria: tuple[Criterion, ...]) -> ForeseenPlan:
    data, rules = found.scenario.data, [one.rule for one in criteria]
    counts = [str(one) for one in (found.public, found.hidden)]
    key = _key("plan", table, [digest_json(data.split.to_json_value()), *counts, *rules])
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
