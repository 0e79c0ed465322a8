"""The roadmap, and the planner beside it: a proposal, what-ifs, adoption, and the sheet of limits and rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import partial
from itertools import groupby
from typing import Any, get_args

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render

from pilotbase.charts.gantt import PlannedBar, gantt_chart
from pilotbase.data.scenario_yaml import dump_document
from pilotbase.documents.api.ledger import PlanTold, RoadmapTold, TaskSheetTold
from pilotbase.documents.base import Localized, localized
from pilotbase.documents.permissions import DeskAct, ReadScope
from pilotbase.documents.planning import PlanningSheet, ProposedTask, Title
from pilotbase.documents.roadmap import Driving, Phase
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import Language, Text, text
from pilotbase.hub.acting import HubRequest, language, posted
from pilotbase.hub.forms.declared import AGAINST, add_errors, do, form_of, post_of
from pilotbase.hub.forms.parts import ADD, Spelled
from pilotbase.hub.forms.planning import SheetForm
from pilotbase.hub.presenters.addresses import Crumb
from pilotbase.hub.presenters.drawn import capitalised, drawn
from pilotbase.hub.presenters.records import records_offered, title_of, titles_of, with_titles
from pilotbase.hub.routing import FORM, page
from pilotbase.hub.sentences import later, t
from pilotbase.operations import ledger as operations
from pilotbase.roadmap.ranking import CRITERIA
from pilotbase.roadmap.tables import format_need, format_next
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import Query
from pilotbase.workspace.store import View

Titles = Mapping[str, Localized]
_CRUMBS: list[Crumb] = [
    {"url": "/ledger/", "label": text("roadmap.ledger")},
    {"url": "/ledger/plan/", "label": text("roadmap.plan")},
]
_SHOWN_BARS, _SHOWN_LEFT, _SHOWN_SHEETS = 60, 50, 200
_AdoptForm = form_of(operations.ADOPT, "title")


@page("ledger/plan/", "ledger-plan", ReadScope.LEDGER)
def plan(request: HubRequest) -> HttpResponse:
    """Show the roadmap: which scenarios, when, how far they have come, and what the planner proposes."""
    told, whole = do(operations.ROADMAP, request.acting.view, {}), request.acting.actor.sees_all
    titles = titles_of(request.acting.view, (one.scenario for one in told.tasks))
    shown = {
        "title": text("roadmap.plan"),
        "crumbs": _CRUMBS[:1],
        "roadmap": told,
        "chart": drawn(_roadmap_chart(told, titles)),
        "titles": titles,
        "proposal": _proposal(request.acting.view) if whole else None,
        "sees_whole": whole,
        "may_plan": request.acting.may(DeskAct.PLAN),
    }
    return render(request, "hub/ledger_plan.html", shown)


@page("ledger/plan/tasks/", "plan-tasks", ReadScope.LEDGER)
def tasks(request: HubRequest) -> HttpResponse:
    """Show the task sheets of a phase, or of the whole roadmap, to be printed."""
    phase = request.GET.get("phase", "")
    asked = {"phase": phase} if phase in set(Phase) else {}
    told = do(operations.TASKS, request.acting.view, asked)
    sheets = [(one, [format_need(need, language()) for need in one.needs], _next(one)) for one in told.sheets]
    shown = {
        "title": text("roadmap.tasks"),
        "crumbs": _CRUMBS,
        "told": told,
        "titles": titles_of(request.acting.view, (before for one in told.sheets for before in one.after)),
        "sheets": sheets[:_SHOWN_SHEETS],
        "more": max(0, len(sheets) - _SHOWN_SHEETS),
        "phases": list(Phase),
        "phase": asked.get("phase"),
    }
    return render(request, "hub/plan_tasks.html", shown)


def _next(told: TaskSheetTold) -> list[Text]:
    named = (one.model_copy(update={"organisation": title_of(one.organisation or "")}) for one in told.next)
    return [format_next(one) for one in named]


post_of("ledger/plan/propose/", "plan-propose", operations.PROPOSE, "plan-proposal", back=())


@page("ledger/plan/proposal/", "plan-proposal", ReadScope.LEDGER, FORM)
def proposal(request: HubRequest) -> HttpResponse:
    """Show the newest proposal beside the roadmap in force; the operator adopts it."""
    view = request.acting.view
    found = do(operations.PROPOSAL, view, {})
    form = _AdoptForm(posted(request), given={"seen": request.POST.get("seen", "")})
    if request.method == "POST" and form.done(view):
        return redirect("ledger-plan")
    return _compared(request, found, text("planning.proposal"), form if found.can_adopt else None)


@page("ledger/plan/what-if/", "plan-what-if", ReadScope.LEDGER)
def what_if(request: HubRequest) -> HttpResponse:
    """Show the plan under other weights and limits beside the roadmap in force; nothing is stored."""
    view = request.acting.view
    sheet = do(operations.SHEET, view, {})
    form = _WhatIfForm(request.GET or None, sheet=sheet)
    found = None
    if form.is_valid():
        try:
            found = do(operations.WHAT_IF, view, form.asked())
        except AGAINST as error:
            if isinstance(error, NotFoundError):
                raise
            add_errors(form, error)
    return _compared(request, found, text("planning.what_if"), what_if=form)


@page("ledger/plan/sheet/", "plan-sheet", DeskAct.PLAN, FORM)
def sheet(request: HubRequest) -> HttpResponse:
    """Set the limits, needs, rules and goals under which the planner plans."""
    view = request.acting.view
    before = do(operations.SHEET, view, {})
    document = Spelled(PlanningSheet, dump_document(before.to_json_value()), posted(request))
    form = SheetForm(before, records_offered(view, Query("scenario")), posted(request))
    sent = document if document.edited else form
    if request.method == "POST" and ADD not in request.POST and sent.is_valid():
        try:
            do(operations.SET_SHEET, view, {"sent": sent.said()})
            return redirect("ledger-plan")
        except AGAINST as error:
            add_errors(sent, error)
    shown = {
        "title": text("planning.sheet"),
        "form": form,
        "document": document,
        "crumbs": _CRUMBS,
    }
    return render(request, "hub/plan_sheet.html", shown)


class _WhatIfForm(forms.Form):
    """Weights, the price of a change, and each resource in percent of its limits."""

    def __init__(self, asked: Any, *, sheet: PlanningSheet) -> None:
        super().__init__(asked, initial=sheet.to_json_value())
        for name in CRITERIA:
            self.fields[name] = forms.IntegerField(label=t(f"roadmap.{name}"), min_value=0, max_value=100)
        ways = [(one, t(f"roadmap.driving_by.{one}")) for one in get_args(Driving)]
        self.fields["driving"] = forms.ChoiceField(label=t("roadmap.driving_by"), choices=ways, required=False)
        self.fields["keep"] = forms.FloatField(label=t("planning.keep"), help_text=t("planning.keep.help"), min_value=0)
        for one in sheet.resources:
            label = later(partial(_percent_of, one.title))
            self.fields[f"limit-{one.name}"] = forms.FloatField(label=label, min_value=0, max_value=10_000, initial=100)

    def asked(self) -> dict[str, Any]:
        """Return what the operation takes."""
        plain = {name: value for name, value in self.cleaned_data.items() if not name.startswith("limit-")}
        limits = {name.removeprefix("limit-"): value for name, value in self.cleaned_data.items() if name not in plain}
        return {**plain, "driving": plain["driving"] or None, "limits": limits}


def _percent_of(title: Title, reader: Language) -> str:
    return text("planning.percent_of", what=localized(title, reader)).render(reader)


def _proposal(view: View) -> PlanTold | None:
    try:
        return do(operations.PROPOSAL, view, {})
    except NotFoundError:
        return None


def _compared(
    request: HubRequest, found: PlanTold | None, title: Any, adopt: Any = None, what_if: Any = None
) -> HttpResponse:
    """Return a page with a plan beside the roadmap in force: bars, what moves and why, limits, goals."""
    told = do(operations.ROADMAP, request.acting.view, {})
    changed = [one for one in found.tasks if one.reason is not None] if found is not None else []
    left_out = found.left_out if found is not None else []
    dropped = [one for one in left_out if one.before is not None]
    named = {one.scenario for one in (*(found.tasks if found is not None else ()), *left_out)}
    titles = titles_of(request.acting.view, named)
    shown = {
        "title": title,
        "crumbs": _CRUMBS,
        "plan": found,
        "because": with_titles(request.acting.view, found.because) if found is not None else [],
        "gap": f"{100 * found.gap:.2f}" if found is not None else "",
        "titles": titles,
        "chart": drawn(_plan_chart(found, told, titles)) if found is not None else "",
        "more": max(0, len(found.tasks) - _SHOWN_BARS) if found is not None else 0,
        "changed": changed,
        "dropped": dropped,
        "left_out": [one for one in left_out if one.before is None][:_SHOWN_LEFT],
        "resources": _uses(found, request.acting.view) if found is not None else [],
        "adopt": adopt,
        "what_if": what_if,
        "may_plan": request.acting.may(DeskAct.PLAN),
    }
    return render(request, "hub/plan_compared.html", shown)


def _uses(found: PlanTold, view: View) -> list[tuple[Any, str, list[Any]]]:
    """Return each resource with its unit and its use by phase."""
    named = {one.name: one for one in do(operations.SHEET, view, {}).resources}
    return [
        (named[name].title if name in named else name, named[name].unit if name in named else "", list(uses))
        for name, uses in groupby(found.resources, key=lambda one: one.resource)
    ]


def _roadmap_chart(told: RoadmapTold, titles: Titles) -> str:
    bars = [
        PlannedBar(_title(titles, one.scenario), date.fromisoformat(one.start), date.fromisoformat(one.end))
        for one in told.tasks[:_SHOWN_BARS]
    ]
    return gantt_chart(tuple(bars), _phases(), language())


def _plan_chart(found: PlanTold, told: RoadmapTold, titles: Titles) -> str:
    """Return the tasks of a plan, what changes first, with the times of the roadmap in force behind them."""
    before = {one.scenario: (date.fromisoformat(one.start), date.fromisoformat(one.end)) for one in told.tasks}
    bars = [_bar(_title(titles, one.scenario), one, before) for one in found.tasks]
    bars.sort(key=lambda one: one.before is None and not one.is_new)
    return gantt_chart(tuple(sorted(bars[:_SHOWN_BARS], key=lambda one: (one.start, one.end))), _phases(), language())


def _bar(title: str, task: ProposedTask, before: Mapping[str, tuple[date, date]]) -> PlannedBar:
    span, was = (date.fromisoformat(task.start), date.fromisoformat(task.end)), before.get(task.scenario)
    ghost = was if was is not None and was != span else None
    return PlannedBar(title, *span, ghost, bool(before) and was is None)


def _title(titles: Titles, scenario: str) -> str:
    return localized(titles.get(scenario, name_of(scenario)), language())


def _phases() -> tuple[tuple[str, date], ...]:
    return tuple((capitalised("phase", phase), date(phase.years[-1], 12, 31)) for phase in Phase)
