"""Capabilities 能力: what organisations say of their work, experts, data, models and computing power; profiles.

A capability is a claim that the base does not check. A profile 画像 is computed for its reader: claims beside what
records show, such as certificates, services and published quality.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.base import Document, Localized, Moment, Name, Part
from pilotbase.documents.contract import Task
from pilotbase.documents.demand import DataKind
from pilotbase.documents.hashes import Digest
from pilotbase.documents.scenario import LanguageTag, Region
from pilotbase.documents.subjects import capability_subject
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import Sector, Verdict, Vocabulary

LONGEST_TITLE, LONGEST_SUMMARY, LONGEST_REFERENCE, MOST_REFERENCES = 200, 2000, 300, 20
STALE_AFTER = timedelta(days=365)
"""A statement that is older is shown as stale."""
Said = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_REFERENCE)]


class CapabilityKind(Vocabulary, domain="capability"):
    """Who offers it; names: text ``capability.<value>``."""

    SUPPLIER = "supplier"
    PROVIDER = "provider"
    """A service provider: integration, labelling, operation, training, testing."""
    EXPERT = "expert"
    DATASET = "dataset"
    MODEL = "model"
    COMPUTING = "computing"

    @property
    def is_proven(self) -> bool:
        """Return whether certificates of an organisation's applications show anything about it."""
        return self in (CapabilityKind.SUPPLIER, CapabilityKind.PROVIDER)


class Capability(Document, published=True):
    """What an organisation states of itself, or of a service, expert, dataset, model or computing power of its own."""

    document: Literal["capability/1"] = "capability/1"
    organisation: Name
    name: Name
    kind: CapabilityKind
    title: Localized | str
    summary: Localized | str
    sectors: tuple[Sector, ...] = ()
    tasks: tuple[Task, ...] = ()
    data: tuple[DataKind, ...] = ()
    languages: tuple[LanguageTag, ...] | None = None
    """Languages in which it works; None: not stated."""
    regions: tuple[Region, ...] | None = None
    """Where it works: ``CN`` covers ``CN-31``; None: not stated."""
    days_a_month: int | None = pydantic.Field(default=None, ge=0, le=10_000)
    """Person-days available in a month."""
    price: str = ""
    """How prices are made, such as *per person-day*."""
    references: tuple[Said, ...] = pydantic.Field(default=(), max_length=MOST_REFERENCES)
    """Earlier work, in its own words."""
    stated_at: Moment
    withdrawn: bool = False

    @property
    def subject(self) -> str:
        """Its name across all its versions."""
        return capability_subject(self.organisation, self.name)

    @property
    def state(self) -> str:
        """Its state in lists; names: text ``state.capability.<value>``."""
        return "withdrawn" if self.withdrawn else "stated"

    def is_stale(self, now: datetime) -> bool:
        """Return whether it was stated so long ago that it may no longer hold."""
        return now - self.stated_at > STALE_AFTER


class NewCapability(Part):
    """What an organisation states that it, a service of its own or one of its experts can do."""

    kind: CapabilityKind
    title: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TITLE)]
    summary: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_SUMMARY)]
    sectors: frozenset[Sector] = frozenset()
    tasks: frozenset[Task] = frozenset()
    data: frozenset[DataKind] = frozenset()
    languages: tuple[LanguageTag, ...] = ()
    regions: tuple[Region, ...] = ()
    days_a_month: int | None = pydantic.Field(default=None, ge=0, le=10_000)
    price: str = pydantic.Field(default="", max_length=200)
    references: tuple[Said, ...] = pydantic.Field(default=(), max_length=MOST_REFERENCES)


class Claim(Part):
    """One value that is claimed, and the certificates that show it."""

    what: Text
    """Sector, task, language and so on."""
    value: Text | Localized | str
    shown_by: tuple[Digest, ...] | None = None
    """Serial numbers of certificates that hold and accept; None: no certificate could show it."""


class ShownCertificate(Part):
    """A certificate of an application of theirs, with its present status."""

    serial: Digest
    scenario: str
    scenario_title: Localized | str
    application: str
    verdict: Verdict
    status: Literal["valid", "suspended", "expired", "revoked"]
    issued_at: Moment
    expires_at: Moment


class Fact(Part):
    """A figure from the records of the base."""

    what: Text
    value: Text | str


class ProfileLink(Part):
    """Another profile that belongs here."""

    subject: str
    title: Localized | str


ProfileKind = Literal["organisation", "capability", "application", "dataset", "pool"]


class Profile(Document, published=True):
    """What something can do by its own words, and what the base's records show, as far as the reader sees them."""

    document: Literal["profile/1"] = "profile/1"
    subject: str
    kind: ProfileKind
    title: Localized | str
    owner: str = ""
    """Its organisation; empty for a pool, which is the base's."""
    summary: Localized | str | None = None
    as_of: Moment
    stated_at: Moment | None = None
    """When the claims were made, if that is known."""
    stale: bool = False
    claims: tuple[Claim, ...] = ()
    certificates: tuple[ShownCertificate, ...] = ()
    """The newest ones."""
    accepted: int = pydantic.Field(default=0, ge=0)
    """Certificates in force that accept."""
    rejected: int = pydantic.Field(default=0, ge=0)
    """Certificates in force that reject."""
    withheld: int = pydantic.Field(default=0, ge=0)
    """Certificates that are suspended, revoked or expired."""
    evidence: float = pydantic.Field(default=0, ge=-1, le=1)
    """(a - r) / (1 + a + r) of those in force; claims add nothing to it."""
    facts: tuple[Fact, ...] = ()
    links: tuple[ProfileLink, ...] = ()


class ListedCapability(Part):
    """A capability in a list, with what is shown for its organisation."""

    subject: str
    kind: CapabilityKind
    title: Localized | str
    organisation: Name
    stated_at: Moment
    stale: bool
    certificates: int = pydantic.Field(ge=0)
    """Certificates in force that accept an application of the organisation; of an expert, none count."""
