"""What stands around every page: the navigation in the order of the flow, languages, who is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from pilotbase.documents.texts import Text, text
from pilotbase.hub.acting import language
from pilotbase.hub.base import base


@dataclass(frozen=True)
class Entry:
    """One line of the navigation."""

    label: Text
    name: str
    section: str = ""
    members_only: bool = False


FLOW = (
    Entry(text("hub.nav_my_work"), "my-work", members_only=True),
    Entry(text("hub.nav_scenarios"), "records", "scenarios"),
    Entry(text("hub.nav_applications"), "records", "applications"),
    Entry(text("hub.nav_trials"), "records", "trials", members_only=True),
    Entry(text("hub.nav_certificates"), "certificate-check"),
    Entry(text("hub.nav_organisations"), "records", "organisations", members_only=True),
)
"""In the order in which a document goes."""


def surroundings(request: HttpRequest) -> dict[str, Any]:
    """Template context of every page."""
    acting = getattr(request, "acting", None)
    member = bool(acting and acting.organisation)
    entries = [_line(entry, request.path) for entry in FLOW if member or not entry.members_only]
    return {
        "navigation": entries,
        "acting": acting,
        "reader": language(),
        "base_name": base().trust.issuer,
        "full_path": request.get_full_path() if request.method == "GET" else "/",
    }


def _line(entry: Entry, here: str) -> dict[str, Any]:
    url = reverse(entry.name, kwargs={"section": entry.section} if entry.section else {})
    return {"label": entry.label, "url": url, "here": here.startswith(url)}
