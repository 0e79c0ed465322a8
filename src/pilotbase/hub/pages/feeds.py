"""Feeds (Atom, RFC 4287): open scenarios, certified applications, what holds no more; in a language of the address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree import ElementTree

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from pilotbase.documents.base import localized
from pilotbase.documents.certificate import spoken_reason
from pilotbase.documents.moments import format_for_machines
from pilotbase.documents.texts import Language, Text, make_visible, text
from pilotbase.hub.base import base, visitor_view
from pilotbase.hub.caching import shared
from pilotbase.hub.presenters.addresses import address_of, certificate_address
from pilotbase.hub.presenters.records import see_all
from pilotbase.hub.routing import EVERYBODY, page
from pilotbase.worker import public
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import list_page

ATOM = "http://www.w3.org/2005/Atom"
FEEDS = ("scenarios", "certificates", "revocations")
_MOST = 50
_BEGINNING = datetime(2025, 1, 1, tzinfo=UTC)
_TAGS = {"en": "en", "zh": "zh-Hans"}


@dataclass(frozen=True)
class FeedEntry:
    """One entry of a feed."""

    url: str
    title: str
    summary: str
    updated: datetime
    author: str


@page("feeds/<language:language>/<str:name>.atom", "feed", EVERYBODY)
def feed(request: HttpRequest, language: Language, name: str) -> HttpResponse:
    """Give a feed; it is as new as its newest entry."""
    if name not in FEEDS:
        raise NotFoundError("hub.not_found")
    read = {"scenarios": _scenarios, "certificates": _certificates, "revocations": _revocations}[name]
    entries = list(read(language))
    updated = max((entry.updated for entry in entries), default=_BEGINNING)
    body = _atom(request.path, name, language, updated, entries)
    return shared(request, body, "application/atom+xml; charset=utf-8", updated)


def _scenarios(language: Language) -> Iterable[FeedEntry]:
    listings = list_page(visitor_view(), public.open_query(), limit=_MOST).items
    for seen in see_all(visitor_view(), listings):
        yield FeedEntry(
            settings.CONFIGURATION.url + address_of(seen.subject),
            localized(seen.title, language),
            localized(getattr(seen.document, "problem", ""), language),
            seen.listing.moved_at or _BEGINNING,
            seen.listing.owner,
        )


def _certificates(language: Language) -> Iterable[FeedEntry]:
    for one in public.placed(visitor_view(), public.certified(visitor_view())[:_MOST]):
        certificate = one.certificate
        yield FeedEntry(
            certificate_address(certificate.serial),
            _certified_title(one, language),
            certificate.claim.render(language),
            certificate.issued_at,
            certificate.application.supplier.organisation,
        )


def _revocations(language: Language) -> Iterable[FeedEntry]:
    found = [one for one in public.certified(visitor_view()) if one.revoked is not None]
    newest = sorted(found, key=lambda one: one.revoked.at if one.revoked else _BEGINNING, reverse=True)
    for one in public.placed(visitor_view(), newest[:_MOST]):
        assert one.revoked is not None
        title = text(f"portal.feed_{one.status}", title=_certified_title(one, language)).render(language)
        url = f"{certificate_address(one.certificate.serial)}#{one.status}"
        yield FeedEntry(url, title, _why(one.revoked.reason, language), one.revoked.at, base().trust.issuer)


def _why(reason: str, language: Language) -> str:
    spoken = spoken_reason(reason)
    return spoken.render(language) if isinstance(spoken, Text) else spoken


def _certified_title(one: public.Certified, language: Language) -> str:
    application = one.certificate.application
    scenario = localized(one.scenario_title, language)
    return f"{application.name} {application.version} · {scenario}"


def _atom(path: str, name: str, language: Language, updated: datetime, entries: Iterable[FeedEntry]) -> bytes:
    url = settings.CONFIGURATION.url
    root = ElementTree.Element("feed", {"xmlns": ATOM, "xml:lang": _TAGS[language]})
    issuer = base().trust.issuer
    _add(root, "title", f"{issuer} · {text(f'portal.feed.{name}').render(language)}")
    _add(root, "id", f"{url}{path}")
    _add(root, "updated", format_for_machines(updated))
    ElementTree.SubElement(root, "link", {"rel": "self", "type": "application/atom+xml", "href": f"{url}{path}"})
    ElementTree.SubElement(root, "link", {"rel": "alternate", "type": "text/html", "href": f"{url}/"})
    _add(ElementTree.SubElement(root, "author"), "name", issuer)
    for entry in entries:
        element = ElementTree.SubElement(root, "entry")
        _add(element, "id", entry.url)
        _add(element, "title", entry.title)
        _add(element, "updated", format_for_machines(entry.updated))
        ElementTree.SubElement(element, "link", {"rel": "alternate", "type": "text/html", "href": entry.url})
        _add(ElementTree.SubElement(element, "author"), "name", entry.author)
        _add(element, "summary", entry.summary)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(root, encoding="unicode")}'.encode()


def _add(parent: ElementTree.Element, name: str, content: str) -> None:
    ElementTree.SubElement(parent, name).text = make_visible(content)
