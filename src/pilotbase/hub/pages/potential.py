"""Scenarios as others see them: their potential, scored by reviewers under seal, and how open they are, by facts."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from pilotbase.documents.base import localized
from pilotbase.documents.subjects import name_of, scenario_subject
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.base import visitor_view
from pilotbase.hub.caching import revalidated
from pilotbase.hub.forms.declared import do, form_of, form_post
from pilotbase.hub.presenters.addresses import address_of, crumb
from pilotbase.hub.presenters.records import titles_of
from pilotbase.hub.routing import EVERYBODY, MEMBERS, page
from pilotbase.operations import ledger as operations
from pilotbase.worker.potential import may_score

_ScoreForm = form_of(operations.SCORE_POTENTIAL)
_PLACE = "ledger/potential/<slug:owner>/<slug:name>/"


@page(_PLACE, "potential", MEMBERS)
def show(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """Show opened scores, or how many are in; reviewers score here."""
    return _potential(request, owner, name)


def _potential(request: HubRequest, owner: str, name: str, form: Any = None) -> HttpResponse:
    view, scenario, where = request.acting.view, scenario_subject(owner, name), {"owner": owner, "name": name}
    told = do(operations.POTENTIAL, view, where)
    title = localized(titles_of(view, [scenario]).get(scenario, name), language())
    shown = {
        "title": text("roadmap.potential_of", title=title),
        "told": told,
        "where": where,
        "record": address_of(scenario),
        "form": (form or _ScoreForm()) if may_score(view, told) else None,
    }
    return render(request, "hub/potential.html", shown)


form_post(
    f"{_PLACE}score/", "potential-score", _ScoreForm, (_potential, "form"), "potential", owner="owner", name="name"
)


@page("openness/", "openness", EVERYBODY)
@revalidated
def show_openness(request: HubRequest) -> HttpResponse:
    """List open scenarios and their owners by how open they are."""
    found = do(operations.OPENNESS, visitor_view(), {})
    scenarios = [(one, name_of(one.scenario)) for one in found.scenarios]
    shown = {"title": text("openness.title"), "found": found, "scenarios": scenarios}
    return render(request, "hub/openness.html", shown)


@page("openness/<slug:owner>/<slug:name>/", "openness-of", EVERYBODY)
def openness_of(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """Show how open a scenario is, fact by fact."""
    found = do(operations.OPENNESS_OF, request.acting.view, {"owner": owner, "name": name})
    crumbs = [crumb("openness", text("openness.title"))]
    return render(request, "hub/openness_of.html", {"title": found.title, "found": found, "crumbs": crumbs})
