"""The public portal: what anybody may see of the base, and the same for everybody."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode

from pilotbase.catalogue.figures import PUBLISHED_STEPS, published
from pilotbase.certificate.status import CertificateStatus
from pilotbase.charts.stages import way_chart
from pilotbase.documents.api.datasets import FacetCount
from pilotbase.documents.hashes import canonical_json
from pilotbase.documents.quantities import format_days
from pilotbase.documents.schema import KINDS, json_schema
from pilotbase.documents.texts import LANGUAGES, Text, text
from pilotbase.documents.vocabularies import SUBHEADS, VOCABULARIES, Action
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.base import visitor_view
from pilotbase.hub.caching import revalidated, shared
from pilotbase.hub.pages.next_steps import PEOPLE
from pilotbase.hub.presenters.addresses import facet_shown
from pilotbase.hub.presenters.drawn import drawn, legs_of
from pilotbase.hub.presenters.records import see_all, spelled_count
from pilotbase.hub.routing import EVERYBODY, page
from pilotbase.measures import Measure, ResourceMeasure, measures, resource_measures
from pilotbase.roadmap.periods import closed_periods
from pilotbase.worker import public
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import list_page
from pilotbase.workspace.records import fold

SHOWN = 6
MOST_WORDS = 200
_VOCABULARIES = ("action", "support", "sector", "grain", "verification", "outcome", "verdict", "estimand", "role")
"""Vocabularies in the order of the page; sub-heads stand under their action."""
_MOST_FOUND = 12


@dataclass(frozen=True)
class Word:
    """One value of a vocabulary."""

    vocabulary: str
    value: str
    name: Text
    below: tuple[Word, ...] = ()


@dataclass(frozen=True)
class StandardRow:
    """A word or a measure that a search came upon, and where on the page it stands."""

    name: Text
    code: str
    place: str


@page("", "portal", EVERYBODY)
@revalidated
def show(request: HubRequest) -> HttpResponse:
    """Show what the base is for: who may do what next, open scenarios, certified applications, figures."""
    certified = public.certified(visitor_view())
    in_force = [one for one in certified if one.status is CertificateStatus.VALID]
    scenarios = list_page(visitor_view(), public.open_query(), limit=SHOWN)
    figures = published(visitor_view())
    shown = {
        "title": text("hub.portal_title"),
        "open": figures.open,
        "in_force": len(in_force),
        "suppliers": len({one.certificate.application.supplier.organisation for one in in_force}),
        "days": figures.way.whole,
        "people": PEOPLE,
        "sectors": public.open_by(visitor_view(), "sector"),
        "scenarios": see_all(visitor_view(), scenarios.items),
        "certified": public.placed(visitor_view(), in_force[:SHOWN]),
    }
    return render(request, "hub/portal.html", shown)


@page("search/", "search", EVERYBODY)
@revalidated
def search(request: HubRequest) -> HttpResponse:
    """Search what is public, in both languages: open scenarios, certified applications, the base's words."""
    asked = request.GET
    words = asked.get("q", "")[:MOST_WORDS]
    sector, action = asked.get("sector", "")[:40], asked.get("action", "")[:40]
    view, query = visitor_view(), public.open_query(words, sector, action)
    page = list_page(view, query, asked.get("after") or None, public.PAGE)
    narrowed, first = bool(sector or action), not asked.get("after")
    certified = public.certified(view, words) if words and first and not narrowed else []
    shown = {
        "title": text("portal.search_title"),
        "words": words,
        "sector": sector,
        "action": action,
        "sectors": public.open_by(visitor_view(), "sector"),
        "actions": public.open_by(visitor_view(), "action"),
        "scenarios": see_all(view, page.items),
        "total": spelled_count(view, query),
        "next": urlencode({**_narrowing(words, sector, action), "after": page.after}) if page.after else "",
        "certified": public.placed(visitor_view(), certified[: public.PAGE]),
        "words_found": _find(words) if words and first and not narrowed else [],
    }
    return render(request, "hub/search.html", shown)


@page("certified/", "certified", EVERYBODY)
@revalidated
def certified(request: HubRequest) -> HttpResponse:
    """List certified applications, and whether each certificate holds."""
    words = request.GET.get("q", "")[:MOST_WORDS]
    every = public.certified(visitor_view(), words)
    counted = Counter(one.status for one in every)
    counts = [FacetCount(value=one, count=counted[one]) for one in CertificateStatus if counted[one]]
    state = request.GET.get("state", "")
    found = [one for one in every if one.status == state] if state in set(CertificateStatus) else every
    start = _number(request.GET.get("page", "1"))
    page = found[(start - 1) * public.PAGE : start * public.PAGE]
    asked = {name: value for name, value in (("q", words), ("state", state)) if value}
    shown = {
        "title": text("hub.certified_applications"),
        "words": words,
        "certified": public.placed(visitor_view(), page),
        "states": facet_shown("state", counts, asked),
        "total": len(found),
        "next": urlencode({**asked, "page": str(start + 1)}) if len(found) > start * public.PAGE else "",
    }
    return render(request, "hub/certified.html", shown)


@page("figures/", "figures", EVERYBODY)
@revalidated
def figures(request: HubRequest) -> HttpResponse:
    """Show the figures of the base that everybody may know."""
    found, certified = published(visitor_view()), public.certified(visitor_view())
    legs = legs_of(found.way, language(), PUBLISHED_STEPS)
    counts = {status: sum(one.status == status for one in certified) for status in CertificateStatus}
    shown = {
        "title": text("portal.figures_title"),
        "open": found.open,
        "certified": len(certified),
        "statuses": counts,
        "revoked": counts[CertificateStatus.REVOKED],
        "way": found.way,
        "whole": format_days(found.way.whole.value) if found.way.whole else "",
        "legs": [(leg, format_days(leg.days)) for leg in legs],
        "chart": drawn(way_chart(legs, language())) if any(leg.days is not None for leg in legs) else "",
        "sectors": public.open_by(visitor_view(), "sector"),
        "actions": public.open_by(visitor_view(), "action"),
        "periods": closed_periods(visitor_view()),
    }
    return render(request, "hub/figures.html", shown)


@page("standards/", "standards", EVERYBODY)
@revalidated
def show_standards(request: HubRequest) -> HttpResponse:
    """Show what the base measures by: its words, its measures, the schemas of its documents."""
    shown = {
        "title": text("portal.standards_title"),
        "vocabularies": _words_by_vocabulary(),
        "measures": _measures(),
        "schemas": sorted(KINDS),
    }
    return render(request, "hub/standards.html", shown)


@page("standards/<str:kind>.json", "schema", EVERYBODY)
def schema(request: HttpRequest, kind: str) -> HttpResponse:
    """Give the JSON Schema of a kind of documents."""
    if kind not in KINDS:
        raise NotFoundError("hub.not_found")
    return shared(request, canonical_json(json_schema(kind)), "application/schema+json")


@page("standards/vocabularies.json", "vocabularies", EVERYBODY)
def vocabularies(request: HttpRequest) -> HttpResponse:
    """Give the base's words in both languages, for programs."""
    return shared(request, canonical_json(_vocabularies_json()), "application/json")


def _narrowing(words: str, sector: str, action: str) -> dict[str, Any]:
    given = {"q": words, "sector": sector, "action": action}
    return {name: value for name, value in given.items() if value}


def _number(found: str) -> int:
    return int(found) if found.isascii() and found.isdigit() and 0 < int(found[:6]) < 100_000 and len(found) < 7 else 1


def _words_by_vocabulary() -> dict[str, list[Word]]:
    """Return vocabulary → its words, in the order of the page."""
    return {name: [_word(name, value) for value in VOCABULARIES[name]] for name in _VOCABULARIES}


def _vocabularies_json() -> dict[str, Any]:
    """Return vocabulary → value → name by language, with the sub-heads of each action."""
    return {
        name: {
            value.value: {language: _name_of(name, value).render(language) for language in LANGUAGES} for value in words
        }
        for name, words in VOCABULARIES.items()
    } | {"subheads": {action.value: [one.value for one in below] for action, below in SUBHEADS.items()}}


def _measures() -> list[Measure | ResourceMeasure]:
    """Return every measure that a criterion can name."""
    return [*measures().values(), *resource_measures().values()]


def _find(words: str) -> list[StandardRow]:
    """Return what of the base's words and measures holds every word asked for, in either language."""
    terms = fold(words).split()
    if not terms:
        return []
    return [found for spoken, found in _everything() if all(term in spoken for term in terms)][:_MOST_FOUND]


@cache
def _everything() -> tuple[tuple[str, StandardRow], ...]:
    lines = [(word, f"vocabulary-{word.vocabulary}") for words in _words_by_vocabulary().values() for word in words]
    lines += [(below, "vocabulary-action") for word, _ in lines for below in word.below]
    found = [(_spoken(word.name, word.value), StandardRow(word.name, word.value, place)) for word, place in lines]
    found += [(_spoken(one.title, one.name), StandardRow(one.title, one.name, "measures")) for one in _measures()]
    return tuple(found)


def _spoken(name: Text, code: str) -> str:
    return fold("\n".join([code, *(name.render(language) for language in LANGUAGES)]))


def _word(vocabulary: str, value: Any) -> Word:
    below = tuple(_word("subhead", one) for one in SUBHEADS[value]) if isinstance(value, Action) else ()
    return Word(vocabulary, value.value, _name_of(vocabulary, value), below)


def _name_of(vocabulary: str, value: Any) -> Text:
    return Text(code=f"{vocabulary}.{value.value}")
