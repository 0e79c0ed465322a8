"""The search of the header: what the reader can do now, the records that they see, and every page, by words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby, islice

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from pilotbase.documents.record import CONTENTS
from pilotbase.documents.texts import Text, text
from pilotbase.hub.acting import HubRequest, RequestActor, language
from pilotbase.hub.base import base
from pilotbase.hub.presenters.addresses import address_of
from pilotbase.hub.presenters.navigation import places
from pilotbase.hub.presenters.records import title_of, title_shown
from pilotbase.hub.routing import page
from pilotbase.hub.templatetags.ui import SIGNS
from pilotbase.worker.services.acts import list_services
from pilotbase.worker.trials.acts import work_of
from pilotbase.workspace.listings import Query, list_page
from pilotbase.workspace.records import fold

MOST_WORDS, SUGGESTED = 200, 8
_MOST = {"acts": 3, "records": 5, "pages": 3}
"""Rows of each group among the suggestions; the page shows ten times as many."""


@dataclass(frozen=True)
class Hit:
    """One thing that matches the query."""

    group: str
    icon: str
    name: str
    second: str
    url: str
    state: tuple[str, str] | None = None
    """Kind and state of a record."""


@page("find/", "find")
def find(request: HubRequest) -> HttpResponse:
    """Show what matches the query; without words, every page of the hub by section."""
    words = request.GET.get("q", "")[:MOST_WORDS].strip()
    part = "part" in request.GET
    hits = list(_hits(request.acting, words, 1 if part else 10)) if words else []
    shown = {
        "title": text("find.title" if words else "find.pages"),
        "words": words,
        "part": part,
        "groups": [
            (group, list(of)) for group, of in groupby(hits[:SUGGESTED] if part else hits, lambda one: one.group)
        ],
        "places": places(request.acting) if not words else [],
    }
    return render(request, "hub/parts/hits.html" if part else "hub/find.html", shown)


def _hits(acting: RequestActor, words: str, times: int) -> Iterator[Hit]:
    for group, found in (("acts", _acts), ("records", _records), ("pages", _pages)):
        yield from (replace(one, group=group) for one in islice(found(acting, words), _MOST[group] * times))


def _acts(acting: RequestActor, words: str) -> Iterator[Hit]:
    """Yield what the reader can do now."""
    for one in work_of(base(), acting.view).tasks:
        name, about = Text(code=f"act.{one.act}").render(language()), one.title.render(language())
        if _match(words, f"{name} {about}"):
            yield Hit("", "arrow-right", name, about, address_of(one.subject))


def _records(acting: RequestActor, words: str) -> Iterator[Hit]:
    """Yield records by kind, newest first, and services."""
    for kind in CONTENTS:
        for one in list_page(acting.view, Query(kind=kind, words=words), limit=_MOST["records"]).items:
            about = f"{Text(code=f'find.kind.{kind}').render(language())} · {title_of(one.owner)}"
            yield Hit("", SIGNS[kind], title_shown(one), about, address_of(one.subject), (kind, one.state))
    for listed in list_services(acting.view):
        if _match(words, f"{listed.name} {listed.application}"):
            about = Text(code="find.kind.service").render(language())
            yield Hit("", SIGNS["service"], listed.name, about, reverse("service", kwargs={"name": listed.name}))


def _pages(acting: RequestActor, words: str) -> Iterator[Hit]:
    """Yield pages of the navigation by what they are called."""
    for entry in places(acting):
        for item in entry.items:
            name, about = item.label.render(language()), entry.label.render(language())
            if _match(words, f"{name} {about}"):
                yield Hit("", entry.icon, name, about, item.url)


def _match(words: str, name: str) -> bool:
    folded = fold(name)
    return all(word in folded for word in fold(words).split())
