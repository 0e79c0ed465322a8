"""The access record on a page: who has read a dataset, or the hidden cases of a scenario."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from pilotbase.documents.api.datasets import ReaderFacet, Readers
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.guards import member_only
from pilotbase.hub.presenters.addresses import address_of, subject_of
from pilotbase.hub.presenters.records import see
from pilotbase.vault.readers import readers_of

_LONGEST, _NUMBER = 120, re.compile(r"[0-9]{1,18}")


@require_safe
@member_only
def show(request: HubRequest, section: str, name: str) -> HttpResponse:
    """Show who has read it to its owner, the operator and the regulator; for everybody else there is no such page."""
    subject, view = subject_of(section, name), request.acting.view
    asked = {facet: request.GET.get(facet, "")[:_LONGEST] for facet in ReaderFacet}
    before = request.GET.get("before", "")
    found = readers_of(view, subject, asked, int(before) if _NUMBER.fullmatch(before) else None)
    chosen = {facet.value: value for facet, value in asked.items() if value}
    shown = {
        "title": text("reader.title"),
        "found": found,
        "facets": [_facet(facet, found, chosen) for facet in ReaderFacet],
        "next": urlencode({**chosen, "before": str(found.next)}) if found.next is not None else "",
        "newest": urlencode(chosen) if before else "",
        "asked": bool(chosen),
        "crumbs": [
            {"url": f"/{section}/", "label": text(f"hub.nav_{section}")},
            {"url": address_of(subject), "label": see(view, subject).title},
        ],
    }
    return render(request, "hub/readers.html", shown)


def _facet(facet: ReaderFacet, found: Readers, chosen: dict[str, str]) -> dict[str, Any]:
    """Return a facet with its values, each with the address that chooses it; that of one that is chosen ends that."""
    others = {name: value for name, value in chosen.items() if name != facet}
    values = [
        {
            "value": one.value,
            "count": one.count,
            "chosen": one.value == chosen.get(facet),
            "query": urlencode(others if one.value == chosen.get(facet) else {**others, facet.value: one.value}),
        }
        for one in found.facets[facet]
    ]
    return {"name": facet.value, "values": values}
