"""What stands around every page: the entries of the reader's roles by section, the tabs of a place, who is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from pilotbase.documents.permissions import ReadScope
from pilotbase.documents.plugins import mirrored
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.acting import RequestActor, language
from pilotbase.hub.base import base
from pilotbase.worker.demo.examples import is_demonstration

THEME = "pilotbase-theme"
THEMES = ("light", "dark")
"""Cookie that holds the theme, and what it may hold; without it the reader's system decides."""
MOST_ENTRIES, MOST_TABS = 7, 4
"""Entries at the side of a page, and those of them at the foot of a phone."""


@dataclass(frozen=True)
class NavigationItem:
    """One page that the navigation leads to: an entry, or a tab of its place."""

    label: Text
    name: str
    section: str = ""
    members_only: bool = False
    reading: ReadScope | None = None
    """Only for those who may read this; None: for all members."""
    also: str = ""
    """Begin of other addresses that belong to it."""
    place: str = "catalogue"
    """Name in `PLACES`."""

    @property
    def url(self) -> str:
        return reverse(self.name, kwargs={"section": self.section} if self.section else {})


PLACES: Mapping[str, tuple[str, str]] = {
    "inbox": ("today", "inbox"),
    "cockpit": ("today", "gauge"),
    "scenarios": ("prove", "target"),
    "applications": ("prove", "package"),
    "trials": ("prove", "flask-conical"),
    "services": ("run", "server"),
    "risk": ("run", "siren"),
    "data": ("resources", "database"),
    "computing": ("resources", "cpu"),
    "organisations": ("base", "building-2"),
    "catalogue": ("base", "badge-check"),
}
"""Entry → section and icon, in order; names: texts ``hub.place.<entry>`` and ``hub.section.<section>``."""
_ENTRIES: Mapping[Role, str] = {
    Role.OPERATOR: "inbox cockpit scenarios trials services risk organisations",
    Role.DEMAND_OWNER: "inbox scenarios trials services risk data catalogue",
    Role.SUPPLIER: "inbox scenarios applications trials services computing catalogue",
    Role.REVIEWER: "inbox scenarios trials catalogue",
    Role.REGULATOR: "inbox cockpit scenarios trials services risk catalogue",
}
FLOW = (
    NavigationItem(text("hub.nav_my_work"), "my-work", members_only=True, place="inbox"),
    NavigationItem(text("notice.title"), "notices", members_only=True, place="inbox"),
    NavigationItem(text("thread.exchange"), "exchange", members_only=True, place="inbox"),
    NavigationItem(text("room.title"), "rooms", members_only=True, place="inbox"),
    NavigationItem(text("overview.title"), "overview", members_only=True, reading=ReadScope.OVERVIEW, place="cockpit"),
    NavigationItem(text("roadmap.ledger"), "ledger", members_only=True, reading=ReadScope.LEDGER, place="cockpit"),
    NavigationItem(text("hub.nav_scenarios"), "records", "scenarios", place="scenarios"),
    NavigationItem(text("hub.nav_demands"), "records", "demands", place="scenarios"),
    NavigationItem(text("calls.hub.title"), "calls", place="scenarios"),
    NavigationItem(text("match.nav"), "matching", members_only=True, place="scenarios"),
    NavigationItem(text("hub.nav_applications"), "records", "applications", members_only=True, place="applications"),
    NavigationItem(text("hub.nav_trials"), "records", "trials", members_only=True, place="trials"),
    NavigationItem(text("live.queue_title"), "queue", members_only=True, place="trials"),
    NavigationItem(text("service.nav"), "services", members_only=True, place="services"),
    NavigationItem(text("watching.warnings"), "warnings", members_only=True, place="risk"),
    NavigationItem(text("incident.desk"), "duty-desk", members_only=True, reading=ReadScope.DESK, place="risk"),
    NavigationItem(text("incident.incidents"), "incidents", members_only=True, reading=ReadScope.DESK, place="risk"),
    NavigationItem(text("hub.nav_datasets"), "datasets", place="data"),
    NavigationItem(text("labelling.hub.title"), "labelling", members_only=True, place="data"),
    NavigationItem(text("hub.nav_agreements"), "records", "agreements", members_only=True, place="data"),
    NavigationItem(text("site.hub.title"), "sites", members_only=True, place="computing"),
    NavigationItem(text("hub.nav_organisations"), "records", "organisations", members_only=True, place="organisations"),
    NavigationItem(text("hub.nav_people"), "people", members_only=True, place="organisations"),
    NavigationItem(text("people.audit"), "audit", members_only=True, reading=ReadScope.AUDIT, place="organisations"),
    NavigationItem(text("hub.certified_applications"), "certified"),
    NavigationItem(text("replication.title"), "replications"),
    NavigationItem(text("profile.list_title"), "profiles", members_only=True),
    NavigationItem(text("hub.nav_certificates"), "certificate-check"),
    NavigationItem(text("learning.title"), "courses"),
    NavigationItem(text("portal.nav_standards"), "standards"),
    NavigationItem(text("portal.nav_figures"), "figures"),
    NavigationItem(text("openness.title"), "openness"),
    NavigationItem(text("portal.nav_next"), "next"),
)
"""In the order of their tabs; what plug-ins add to `FLOW` in a module of this name comes next."""
HELP: Mapping[str, str] = {
    "a-trial-on-a-hub": "trials queue work",
    "call-for-teams": "calls call",
    "employment": "workforce workforce-occupation workforce-effect",
    "describe-data": "descriptions dataset-new",
    "find-a-match": "assignment capabilities rooms demands matching profiles providers record-matches",
    "label-data": "labelling labelling-open",
    "learn": "courses course",
    "measure-data-quality": "dataset-quality dataset-quality-measured dataset-quality-report",
    "open-data-on-terms": "datasets agreements readers",
    "account-for-a-period": "clauses components period periods period-records",
    "plan-scenarios": "openness ledger-plan plan-proposal plan-tasks plan-what-if plan-sheet potential",
    "private-statistics": "statistics statistics-answer statistics-terms",
    "put-into-service": "services service-put service-value service-exposure",
    "read-a-report": "certificates certified report rehearsal comparison",
    "run-a-hub": "account audit exchange figures find import ledger notices organisations overview people role-changes "
    "search",
    "replicate": "replications replication replication-kit",
    "run-a-site-trial": "sites",
    "standards": "standards",
    "use-the-api": "api tokens webhooks webhook",
    "watch-a-service": "desk incidents runbook warnings watch",
    "write-a-scenario": "scenarios plan-size",
    "write-a-world": "worlds",
    "write-an-application": "applications",
}
"""Page of the documentation → the pages that it helps with, by name or by the first part of their address."""
_PUBLIC = ("records", "calls", "certified", "certificate-check", "standards", "figures")
"""What visitors see in the bar, by the name of the page."""


@dataclass(frozen=True)
class Entry:
    """One line at the side, with its pages that the reader may see."""

    place: str
    items: tuple[NavigationItem, ...]

    @property
    def section(self) -> Text:
        return Text(code=f"hub.section.{PLACES[self.place][0]}")

    @property
    def icon(self) -> str:
        return PLACES[self.place][1]

    @property
    def label(self) -> Text:
        return Text(code=f"hub.place.{self.place}")

    @property
    def url(self) -> str:
        return self.items[0].url


def surroundings(request: HttpRequest) -> dict[str, Any]:
    """Template context of every page."""
    acting: RequestActor | None = getattr(request, "acting", None)
    theme, here = request.COOKIES.get(THEME, ""), request.path
    entries = places(acting)
    current = max((item for item in items() if _is_here(item, here)), key=lambda item: len(item.url), default=None)
    tabs = next((one.items for one in entries if current in one.items), ()) if current else ()
    member = acting is not None and bool(acting.organisation)
    return {
        "navigation": list(_chosen(acting, entries)) if acting is not None and member else [],
        "ways": []
        if member
        else [one for one in items() if (one.name in _PUBLIC or one not in FLOW) and not one.members_only],
        "tabs": tabs if current and here == current.url and len(tabs) > 1 and member else (),
        "current": current,
        "theme": theme if theme in THEMES else "",
        "acting": acting,
        "reader": language(),
        "help_url": _help_url(request),
        "base_name": base().trust.issuer,
        "demonstration": is_demonstration(base()),
        "full_path": request.get_full_path() if request.method == "GET" else "/",
    }


@cache
def items() -> tuple[NavigationItem, ...]:
    """Return every page of the navigation, in order."""
    added = (entry for module in mirrored("hub.presenters.navigation") for entry in module.FLOW)
    return (*FLOW, *added)


def places(acting: RequestActor | None) -> list[Entry]:
    """Return every entry that leads the reader anywhere, whichever are at their side."""
    seen = [item for item in items() if _is_for(item, acting)]
    entries = (Entry(name, tuple(item for item in seen if item.place == name)) for name in PLACES)
    return [entry for entry in entries if entry.items]


@cache
def helps() -> Mapping[str, str]:
    """Return name of a page, or first part of its address → the page of the documentation that helps there."""
    told = [HELP, *(getattr(module, "HELP", {}) for module in mirrored("hub.presenters.navigation"))]
    return {word: doc for one in told for doc, words in one.items() for word in words.split()}


def _help_url(request: HttpRequest) -> str:
    """Return the address of the documentation that helps on this page, or of its start."""
    match = request.resolver_match
    wanted = ((match.url_name or "") if match else "", request.path.strip("/").partition("/")[0])
    found = next((helps()[word] for word in wanted if word in helps()), None)
    return reverse("documentation", kwargs={"name": found}) if found else reverse("documentation-start")


def _chosen(acting: RequestActor, entries: list[Entry]) -> Iterator[Entry]:
    """Yield the entries of the reader's roles, so many as a side holds, in the order of the sections."""
    wanted = list(dict.fromkeys(name for role in _ENTRIES if acting.has(role) for name in _ENTRIES[role].split()))
    kept = [name for name in wanted if any(one.place == name for one in entries)][:MOST_ENTRIES]
    yield from (one for one in entries if one.place in kept)


def _is_for(item: NavigationItem, acting: RequestActor | None) -> bool:
    if acting is None or not acting.organisation:
        return not item.members_only
    return item.reading is None or acting.reads(item.reading)


def _is_here(item: NavigationItem, here: str) -> bool:
    return here.startswith((item.url, item.also) if item.also else item.url)
