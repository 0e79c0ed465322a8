"""The effect on employment: published shares, what owners state, sums, activity by sector; an occupation."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from pilotbase.data.scenario_yaml import dump_document
from pilotbase.documents.base import localized
from pilotbase.documents.errors import InputError
from pilotbase.documents.files import format_csv
from pilotbase.documents.permissions import DeskAct, ReadScope
from pilotbase.documents.subjects import name_of, scenario_subject
from pilotbase.documents.texts import text
from pilotbase.documents.workforce import WorkforceStatement
from pilotbase.hub.acting import HubRequest, language, posted
from pilotbase.hub.forms.declared import AGAINST, do, form_of, form_post, tell
from pilotbase.hub.forms.parts import Asking, Editor
from pilotbase.hub.presenters import taken
from pilotbase.hub.presenters.addresses import Crumb, address_of
from pilotbase.hub.presenters.records import titles_of
from pilotbase.hub.routing import FORM, page
from pilotbase.operations import workforce as operations
from pilotbase.roadmap.tables import format_bounds, format_people, workforce_table
from pilotbase.roadmap.workforce import may_state, read_statement

_ALL: Crumb = {"url": "/ledger/workforce/", "label": text("workforce.title")}
_CRUMBS: list[Crumb] = [{"url": "/ledger/", "label": text("roadmap.ledger")}]
_PEOPLE = ("people", "displaced", "augmented", "created")
_SUMMED, _SHOWN, _OF_OCCUPATION = (*_PEOPLE, "posts"), (*_PEOPLE, "hours", "posts"), (*_PEOPLE, "exposure")
_ReportForm = form_of(operations.REPORT)
_ASKING = Asking(operations.STATE)


@page("ledger/workforce/", "workforce", ReadScope.LEDGER)
def show_all(request: HubRequest) -> HttpResponse:
    """Show the table's published shares, then effects of scenarios, sums by region, activity by sector."""
    told = do(operations.SHOW, request.acting.view, {"region": request.GET.get("region", "")[:6]})
    shown = {
        "title": text("workforce.title"),
        "crumbs": _CRUMBS,
        "told": told,
        "effects": [(one, _page_of(one.scenario), _values(one, *_SHOWN)) for one in told.effects],
        "sums": [(one, _values(one, *_SUMMED)) for one in told.sums],
        "activity": [
            (one, format_bounds(one.output, language()), format_bounds(one.people, language())) for one in told.activity
        ],
        "code": request.GET.get("code", "")[:30],
        "may_plan": request.acting.may(DeskAct.PLAN),
    }
    return render(request, "hub/workforce.html", shown)


@page("ledger/workforce/effects.csv", "workforce-csv", ReadScope.LEDGER)
def download(request: HubRequest) -> HttpResponse:
    """Give effects and sums as CSV."""
    table = workforce_table(do(operations.SHOW, request.acting.view, {}), language())
    return taken.download(format_csv(table.header, table.rows), taken.CSV, "workforce.csv")


@page("ledger/workforce/occupation/", "workforce-occupation", ReadScope.LEDGER)
def occupation(request: HubRequest) -> HttpResponse:
    """Show an occupation of the base's table: tasks with labels, exposure, occupations with similar tasks."""
    code, found, problem = request.GET.get("code", "")[:30], None, None
    try:
        found = do(operations.OCCUPATION, request.acting.view, {"code": code})
    except InputError as error:
        problem = error
    shown = {
        "title": found.title if found is not None else text("workforce.occupation"),
        "crumbs": [*_CRUMBS, _ALL],
        "code": code,
        "found": found,
        "problem": problem,
        "exposure": format_bounds(found.exposure, language()) if found is not None else "",
        "paths": [(one, format_bounds(one.exposure, language())) for one in (found.paths if found is not None else ())],
    }
    return render(request, "hub/workforce_occupation.html", shown)


@page("ledger/workforce/<slug:owner>/<slug:name>/", "workforce-effect", ReadScope.LEDGER, FORM)
def effect(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """Show what is stated of a scenario and what was reported since; its owner states and reports here."""
    return _effect(request, owner, name)


def _effect(request: HubRequest, owner: str, name: str, report: Any = None) -> HttpResponse:
    view, scenario = request.acting.view, scenario_subject(owner, name)
    stated, may = read_statement(view, scenario), may_state(view, scenario)
    editor = _editor(request, stated, None if report is not None else posted(request))
    if report is None and request.method == "POST" and _is_stated(request, editor, {"owner": owner, "name": name}):
        return redirect("workforce-effect", owner=owner, name=name)
    found = next(iter(do(operations.SHOW, view, {"scenario": scenario}).effects), None)
    shown = {
        "title": text(
            "workforce.of_scenario", title=localized(titles_of(view, [scenario]).get(scenario, name), language())
        ),
        "crumbs": [*_CRUMBS, _ALL],
        "record": address_of(scenario),
        "where": {"owner": owner, "name": name},
        "one": found,
        "values": _values(found, *_SHOWN, "expected") if found is not None else {},
        "occupations": [(one, _values(one, *_OF_OCCUPATION)) for one in found.occupations] if found is not None else [],
        "editor": editor if may else None,
        "report": (report or _ReportForm()) if may and found is not None else None,
    }
    return render(request, "hub/workforce_effect.html", shown)


form_post(
    "ledger/workforce/<slug:owner>/<slug:name>/staffing/",
    "workforce-report",
    _ReportForm,
    (_effect, "report"),
    "workforce-effect",
    owner="owner",
    name="name",
)


def _editor(request: HubRequest, stated: WorkforceStatement | None, sent: QueryDict | None) -> Editor:
    today = request.acting.view.store.clock().date().isoformat()
    before = {"stated_on": today} if stated is None else stated.to_json_value()
    spelled = dump_document(dict(operations.STATE.example or {}) if stated is None else before)
    return Editor(_ASKING, WorkforceStatement, before, spelled, sent)


def _is_stated(request: HubRequest, editor: Editor, of: dict[str, str]) -> bool:
    if not editor.is_valid():
        return False
    try:
        do(operations.STATE, request.acting.view, {**of, "sent": editor.said()})
    except AGAINST as error:
        editor.refuse(error)
        return False
    tell(request, operations.STATE)
    return True


def _values(one: Any, *names: str) -> dict[str, str]:
    """Return the figures as they are written; unknown ones say so."""
    return {
        name: (format_people if name == "people" else format_bounds)(getattr(one, name), language()) for name in names
    }


def _page_of(scenario: str) -> str:
    return reverse("workforce-effect", kwargs=dict(zip(("owner", "name"), name_of(scenario).split("/"), strict=True)))
