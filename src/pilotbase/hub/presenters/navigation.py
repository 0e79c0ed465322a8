"""What stands around every page: the navigation in the order of the flow, languages, who is there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from pilotbase.documents.permissions import ReadScope
from pilotbase.documents.plugins import mirrored
from pilotbase.documents.texts import Text, text
from pilotbase.hub.acting import RequestActor, language
from pilotbase.hub.base import base


@dataclass(frozen=True)
class NavigationItem:
    """One line of the navigation."""

    label: Text
    name: str
    section: str = ""
    members_only: bool = False
    reading: ReadScope | None = None
    """Only for those who may read this; None: for all members."""
    also: str = ""
    """Begin of other addresses that belong to it."""


FLOW = (
    NavigationItem(text("hub.nav_my_work"), "my-work", members_only=True),
    NavigationItem(text("overview.title"), "overview", members_only=True, reading=ReadScope.OVERVIEW),
    NavigationItem(text("roadmap.ledger"), "ledger", members_only=True, reading=ReadScope.LEDGER),
    NavigationItem(text("hub.nav_scenarios"), "records", "scenarios"),
    NavigationItem(text("hub.nav_applications"), "records", "applications", members_only=True),
    NavigationItem(text("hub.nav_datasets"), "datasets"),
    NavigationItem(text("labelling.hub.title"), "labelling", members_only=True),
    NavigationItem(text("hub.nav_agreements"), "records", "agreements", members_only=True),
    NavigationItem(text("match.nav"), "matching", members_only=True),
    NavigationItem(text("hub.nav_trials"), "records", "trials", members_only=True),
    NavigationItem(text("site.hub.title"), "sites", members_only=True),
    NavigationItem(text("thread.exchange"), "exchange", members_only=True),
    NavigationItem(text("hub.certified_applications"), "certified"),
    NavigationItem(text("hub.nav_certificates"), "certificate-check"),
    NavigationItem(text("service.nav"), "services", members_only=True),
    NavigationItem(text("watching.warnings"), "warnings", members_only=True),
    NavigationItem(text("incident.desk"), "duty-desk", members_only=True, reading=ReadScope.DESK),
    NavigationItem(text("hub.nav_organisations"), "records", "organisations", members_only=True),
    NavigationItem(text("live.queue_title"), "queue", members_only=True),
)
"""In the order in which a document goes; what plug-ins add to `FLOW` in a module of this name comes next."""
PUBLIC = (
    NavigationItem(text("portal.nav_figures"), "figures"),
    NavigationItem(text("portal.nav_standards"), "standards"),
    NavigationItem(text("portal.nav_next"), "next"),
)


def surroundings(request: HttpRequest) -> dict[str, Any]:
    """Template context of every page."""
    acting = getattr(request, "acting", None)
    return {
        "navigation": [_line(entry, request.path) for entry in entries() if _is_for(entry, acting)],
        "acting": acting,
        "reader": language(),
        "base_name": base().trust.issuer,
        "full_path": request.get_full_path() if request.method == "GET" else "/",
    }


@cache
def entries() -> tuple[NavigationItem, ...]:
    """Return every line of the navigation, in order."""
    added = (entry for module in mirrored("hub.presenters.navigation") for entry in module.FLOW)
    return (*FLOW, *added, *PUBLIC)


def _is_for(entry: NavigationItem, acting: RequestActor | None) -> bool:
    if acting is None or not acting.organisation:
        return not entry.members_only
    return entry.reading is None or acting.reads(entry.reading)


def _line(entry: NavigationItem, here: str) -> dict[str, Any]:
    url = reverse(entry.name, kwargs={"section": entry.section} if entry.section else {})
    return {"label": entry.label, "url": url, "here": here.startswith((url, entry.also) if entry.also else url)}
