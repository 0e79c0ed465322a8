"""The potential of a scenario, scored by reviewers under seal."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from pilotbase.documents.base import localized
from pilotbase.documents.subjects import scenario_subject
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.forms.declared import do, form_of, form_post
from pilotbase.hub.presenters.addresses import address_of
from pilotbase.hub.presenters.records import titles_of
from pilotbase.hub.routing import MEMBERS, page
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
