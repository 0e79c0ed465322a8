"""Where things stand on the hub: the address of a record, and the record of an address."""

from __future__ import annotations

from django.urls import reverse

from pilotbase.documents.api.records import SECTIONS

__all__ = ["KINDS", "SECTIONS", "address_of", "subject_of"]

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
