"""Where things stand on the hub: the address of a record, and the record of an address."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from pilotbase.documents.api.datasets import FacetCount
from pilotbase.documents.api.records import SECTIONS
from pilotbase.documents.hashes import hex_of
from pilotbase.documents.plugins import mirrored
from pilotbase.documents.subjects import kind_of, name_of
from pilotbase.documents.texts import text

Crumb = dict[str, Any]
"""One step of the way back to the first page: ``url`` and ``label``."""

KINDS: dict[str, str] = {section: kind for kind, section in SECTIONS.items()}
"""Section of the hub → kind of record."""
_ELSEWHERE: Mapping[str, Callable[[str], str]] = {
    "service": lambda name: reverse("service", kwargs={"name": name}),
    "watch": lambda name: reverse("watch", kwargs={"name": name}),
    "incident": lambda number: reverse("incident", kwargs={"number": number}),
    "call": lambda name: reverse("call", kwargs=dict(zip(("owner", "name"), name.split("/"), strict=True))),
    "room": lambda identity: reverse("room", kwargs={"room": identity}),
    "capability": lambda name: reverse("profile", kwargs={"kind": "capability", "name": name}),
    "certificate": lambda serial: reverse("certificate", kwargs={"serial": serial}),
    **{kind: page for plugin in mirrored("hub.presenters.addresses") for kind, page in plugin.ADDRESSES.items()},
}
"""Kind of subject that is no record, also those of plug-ins → the path of its page, by name."""


def address_of(subject: str) -> str:
    """Return the path of a subject's page; of ``scenario:plant/milling`` it is ``/scenarios/plant/milling/``."""
    kind, _, name = subject.partition(":")
    if (elsewhere := _ELSEWHERE.get(kind)) is not None:
        return elsewhere(name)
    return reverse("record", kwargs={"section": SECTIONS[kind], "name": name})


def back_to(request: HttpRequest, otherwise: str) -> str:
    """Return the page of ours from which a form was posted, or ``otherwise``."""
    wanted = request.POST.get("next", "")
    return wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else otherwise


def subject_of(section: str, name: str) -> str:
    """Return the subject that a page is about."""
    return f"{KINDS[section]}:{name}"


def crumb(page: str, label: object, /, **where: object) -> Crumb:
    """Return the way back to the page called ``page``."""
    return {"url": reverse(page, kwargs=where), "label": label}


def section_crumb(section: str) -> Crumb:
    """Return the way back to the list of a section."""
    return {"url": f"/{section}/", "label": text(f"hub.nav_{section}")}


def record_crumbs(subject: str, title: object) -> list[Crumb]:
    """Return the way back to a record, over the list that it is in."""
    return [section_crumb(SECTIONS[kind_of(subject)]), {"url": address_of(subject), "label": title}]


def facet_shown(facet: str, counts: Iterable[FacetCount], asked: Mapping[str, str]) -> dict[str, Any]:
    """Return a facet with its values, each with the query that chooses it; that of a chosen one ends its choice.

    ``asked``: the query of the page without its place in the list.
    """
    others = {name: value for name, value in asked.items() if name != facet}
    values = [
        {
            "value": one.value,
            "count": one.count,
            "chosen": (chosen := asked.get(facet) == one.value),
            "query": urlencode(others if chosen else {**others, str(facet): one.value}),
        }
        for one in counts
    ]
    return {"name": str(facet), "values": values}


def kit_address(scenario: str) -> str:
    """Return the address at which anybody fetches the kit of an open scenario, by its subject."""
    return f"{settings.CONFIGURATION.url}/api/scenarios/{name_of(scenario)}/kit"


def certificate_address(serial: str) -> str:
    """Return the address at which anybody checks a certificate, as its QR code holds it."""
    return f"{settings.CONFIGURATION.url}/certificates/{hex_of(serial)}/"
