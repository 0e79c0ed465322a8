"""Where things stand on the hub: the address of a record, and the record of an address."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse

from pilotbase.documents.api.records import SECTIONS
from pilotbase.documents.hashes import hex_of

__all__ = ["KINDS", "SECTIONS", "address_of", "certificate_address", "subject_of"]

KINDS: dict[str, str] = {section: kind for kind, section in SECTIONS.items()}
"""Section of the hub → kind of record."""


def address_of(subject: str) -> str:
    """Return the path of a subject's page; of ``scenario:plant/milling`` it is ``/scenarios/plant/milling/``."""
    kind, _, name = subject.partition(":")
    if kind == "service":
        return reverse("service", kwargs={"name": name})
    return reverse("record", kwargs={"section": SECTIONS[kind], "name": name})


def subject_of(section: str, name: str) -> str:
    """Return the subject that a page is about."""
    return f"{KINDS[section]}:{name}"


def certificate_address(serial: str) -> str:
    """Return the address at which anybody checks a certificate, as its QR code holds it."""
    return f"{settings.CONFIGURATION.url}/certificates/{hex_of(serial)}/"
