"""The catalogue of datasets: searched in both languages, narrowed by facets, counted in what the reader sees."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_safe

from pilotbase.catalogue.datasets import Sought, seek
from pilotbase.documents.api.datasets import DatasetPage, Facet
from pilotbase.documents.permissions import Act
from pilotbase.documents.terms import Purpose
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.base import base
from pilotbase.hub.guards import member_only
from pilotbase.hub.presenters.addresses import address_of, subject_of
from pilotbase.hub.presenters.records import see
from pilotbase.worker.datasets.contributions import contributions
from pilotbase.worker.datasets.keeping import preview_of

_PAGE = 24


@require_safe
def show(request: HubRequest) -> HttpResponse:
    """Show the datasets that the reader sees, with how many there are of each value of a facet."""
    sought = Sought.of(request.GET.dict())
    page = seek(request.acting.view, sought, address_of, request.GET.get("after") or None, _PAGE)
    asked = _asked(sought)
    shown = {
        "title": text("hub.nav_datasets"),
        "lead": text("hub.lead_datasets"),
        "words": sought.words,
        "chosen": sought.values,
        "facets": [_facet(facet, page, sought) for facet in Facet],
        "page": page,
        "asked": bool(asked),
        "next": urlencode({**asked, "after": page.next}) if page.next else "",
        "can_register": request.acting.may(Act.DATASET_REGISTER),
    }
    return render(request, "hub/datasets.html", shown)


@require_safe
def show_contributions(request: HubRequest) -> HttpResponse:
    """Show who gave which data, and what came of them, as far as it may be told to the reader."""
    shown = {
        "title": text("contribution.title"),
        "found": contributions(request.acting.view, request.GET.get("owner", "")[:120]),
        "crumbs": [{"url": reverse("datasets"), "label": text("hub.nav_datasets")}],
    }
    return render(request, "hub/contributions.html", shown)


@require_GET
@member_only
def preview(request: HubRequest, name: str) -> HttpResponse:
    """Show the first rows of a dataset to who may see them."""
    subject = subject_of("datasets", name)
    found = preview_of(base(), request.acting.view, subject, request.GET.get("purpose") or Purpose.VERIFICATION)
    shown = {
        "title": text("preview.title"),
        "found": found,
        "shown": len(found.cells),
        "crumbs": [{"url": reverse("datasets"), "label": text("hub.nav_datasets")}, _crumb(request, subject)],
    }
    return render(request, "hub/preview.html", shown)


def _crumb(request: HubRequest, subject: str) -> dict[str, Any]:
    return {"url": address_of(subject), "label": see(request.acting.view, subject).title}


def _facet(facet: Facet, page: DatasetPage, sought: Sought) -> dict[str, Any]:
    """Return a facet with its values, each with the address that chooses it; that of one that is chosen ends that."""
    chosen = sought.values.get(facet, "")
    others = {name: value for name, value in _asked(sought).items() if name != facet}
    values = [
        {
            "value": one.value,
            "count": one.count,
            "chosen": one.value == chosen,
            "query": urlencode(others if one.value == chosen else {**others, facet.value: one.value}),
        }
        for one in page.facets[facet]
    ]
    return {"name": facet.value, "values": values}


def _asked(sought: Sought) -> dict[str, str]:
    values = {facet.value: value for facet, value in sought.values.items()}
    return {"q": sought.words, **values} if sought.words else values
