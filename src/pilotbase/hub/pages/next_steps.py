"""What next for me: a page for each kind of visitor, with the step that they can really take now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from pilotbase.certificate.status import CertificateStatus
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.acting import HubRequest, RequestActor
from pilotbase.hub.base import visitor_view
from pilotbase.hub.caching import revalidated
from pilotbase.hub.presenters.addresses import crumb
from pilotbase.hub.presenters.records import see_all
from pilotbase.hub.routing import EVERYBODY, page
from pilotbase.worker import public
from pilotbase.worker.operations.binding import there
from pilotbase.workspace.listings import list_page
from pilotbase.workspace.store import View


class Link:
    """Where a step is taken: the text ``next.link.<word>`` names it."""

    def __init__(self, word: str) -> None:
        self.label = Text(code=f"next.link.{word}")
        self._word = word

    @property
    def url(self) -> str:
        return reverse(_PAGES[self._word], kwargs={"section": "trials"} if self._word == "trials" else {})


@dataclass(frozen=True)
class VisitorKind:
    """One kind of visitor: the role that they act in once they have an account, and what they do first then."""

    name: str
    links: tuple[tuple[Link, ...], ...]
    """For each step, where it is taken or read about."""
    role: Role | None = None
    inside: Link | None = None
    icon: str = ""

    @property
    def title(self) -> Text:
        return Text(code=f"next.{self.name}.title")

    @property
    def promise(self) -> Text:
        return Text(code=f"next.{self.name}.promise")


_PAGES = {
    "scenarios": "search",
    "certified": "certified",
    "check": "certificate-check",
    "invited": "account_signup",
    "standards": "standards",
    "figures": "figures",
    "api": "api-docs",
    "roots": "trust-roots",
    "revocations": "revocations",
    "new_scenario": "scenario-new",
    "new_application": "application-new",
    "trials": "records",
}
"""Word of a link → its page."""


def _kind(name: str, icon: str, steps: str, role: Role | None = None, inside: str = "") -> VisitorKind:
    """``steps``: the words of the links of each, divided by commas."""
    links = tuple(tuple(map(Link, step.split())) for step in steps.split(","))
    return VisitorKind(name, links, role, Link(inside) if inside else None, icon)


PEOPLE = (
    _kind("demand_owner", "target", "scenarios, standards, invited, certified", Role.DEMAND_OWNER, "new_scenario"),
    _kind("supplier", "package", "scenarios, standards, invited, certified", Role.SUPPLIER, "new_application"),
    _kind("regulator", "shield-check", "check, roots revocations, figures, invited", Role.REGULATOR, "trials"),
    _kind("investor", "chart-column", "certified, check, figures"),
    _kind("researcher", "flask-conical", "scenarios, standards, invited, api"),
    _kind("consumer", "info", "certified, check, revocations"),
    _kind("public", "layers", "figures, certified, check"),
    _kind("open_source", "book-open", "scenarios, standards, api, invited"),
)
_BY_NAME = {person.name.replace("_", "-"): person for person in PEOPLE}
SHOWN = 3


@page("next/", "next", EVERYBODY)
@revalidated
def show_all(request: HubRequest) -> HttpResponse:
    """Ask who the visitor is."""
    return render(request, "hub/next.html", {"title": text("next.title"), "people": PEOPLE})


@page("next/<str:who>/", "next-step", EVERYBODY)
@revalidated
def show(request: HubRequest, who: str) -> HttpResponse:
    """Say what one kind of visitor does next, with what there is at this moment."""
    person = there(_BY_NAME.get(who))
    shown = {
        "title": person.title,
        "person": person,
        "now": _now(person, request.acting),
        "steps": _steps(person),
        "examples": _examples(person, visitor_view()),
        "certified": _certified(person),
        "others": [other for other in PEOPLE if other is not person],
        "crumbs": [crumb("next", text("next.title"))],
    }
    return render(request, "hub/next_step.html", shown)


def _now(person: VisitorKind, acting: RequestActor) -> Link:
    """Return the one thing to do now: inside for those who act in the role, else the first step of a visitor."""
    if person.inside is not None and person.role is not None and acting.has(person.role):
        return person.inside
    return person.links[0][0]


def _steps(person: VisitorKind) -> list[dict[str, Any]]:
    return [
        {
            "title": Text(code=f"next.{person.name}.step{number}"),
            "why": Text(code=f"next.{person.name}.step{number}_why"),
            "links": links,
        }
        for number, links in enumerate(person.links, 1)
    ]


def _examples(person: VisitorKind, view: View) -> list[Any]:
    """Return some open scenarios for those who would learn from them or answer them."""
    if person.name not in ("demand_owner", "supplier", "researcher", "open_source"):
        return []
    return see_all(view, list_page(visitor_view(), public.open_query(), limit=SHOWN).items)


def _certified(person: VisitorKind) -> list[public.Certified]:
    if person.name not in ("investor", "regulator", "consumer", "public"):
        return []
    valid = [one for one in public.certified(visitor_view()) if one.status is CertificateStatus.VALID]
    return public.placed(visitor_view(), valid[:SHOWN])
