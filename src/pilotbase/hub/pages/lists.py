"""Lists of records: scenarios, applications, trials, organisations, cut to who asks by the store."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from pilotbase.documents.lifecycles import states
from pilotbase.documents.permissions import Act
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Sector
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.guards import member_only
from pilotbase.hub.presenters.addresses import KINDS
from pilotbase.hub.presenters.records import lines_of, spelled_count
from pilotbase.workspace.listings import Query, list_page

PAGE = 50
_WORDS = 200


@require_safe
def public_list(request: HubRequest, section: str) -> HttpResponse:
    """List what visitors may see too: open scenarios, and what the actor's organisation has to do with."""
    return _list(request, section)


@require_safe
@member_only
def member_list(request: HubRequest, section: str) -> HttpResponse:
    """List what only people of organisations see."""
    return _list(request, section)


def _list(request: HubRequest, section: str) -> HttpResponse:
    kind = KINDS[section]
    query = _query(request, kind)
    page = list_page(request.acting.view, query, request.GET.get("after") or None, PAGE)
    shown: dict[str, Any] = {
        "title": text(f"hub.nav_{section}"),
        "lead": text(f"hub.lead_{section}"),
        "section": section,
        "kind": kind,
        "rows": lines_of(request.acting.view, page.items),
        "asked": bool(query.words or query.states or query.sector),
        "total": spelled_count(request.acting.view, query),
        "query": query,
        "states": _choices(f"state.{kind}", states(kind), query.states),  # type: ignore[arg-type]
        "sectors": _choices("sector", [sector.value for sector in Sector], [query.sector]),
        "next": urlencode({**request.GET.dict(), "after": page.after}) if page.after else "",
        "dated": bool(request.acting.organisation) and kind != "organisation",
        "can_register": request.acting.may(REGISTERING[kind]),
    }
    return render(request, "hub/records.html", shown)


REGISTERING = {
    "scenario": Act.SCENARIO_REGISTER,
    "application": Act.APPLICATION_REGISTER,
    "commission": Act.COMMISSION_PROPOSE,
    "organisation": Act.ORGANISATION_REGISTER,
    "agreement": Act.AGREEMENT_TAKE,
}
"""Kind → the act that registers a new one."""


def _query(request: HubRequest, kind: str) -> Query:
    asked = request.GET
    state = asked.get("state", "")
    return Query(
        kind=kind,
        words=asked.get("q", "")[:_WORDS],
        states=(state,) if state else (),
        sector=asked.get("sector", ""),
    )


def _choices(vocabulary: str, values: Any, chosen: Any) -> list[dict[str, Any]]:
    return [
        {"value": value, "label": Text(code=f"{vocabulary}.{value}").render(language()), "chosen": value in chosen}
        for value in values
    ]
