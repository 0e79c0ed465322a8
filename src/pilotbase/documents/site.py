"""Site trial 现场中试: a trial on a machine of the data's owner, offline. The data stay; a signed report comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import pydantic

from pilotbase.documents.base import Document, Moment, Name, Part, Trimmed
from pilotbase.documents.hashes import Digest, digest_json, hex_of
from pilotbase.documents.subjects import Subject, holder_of

PersonName = Annotated[str, Trimmed(120)]
LONGEST_DAYS = 365
"""Maximum validity of a pack."""


class Software(Part):
    """The software that runs a trial, identified by name and by every byte."""

    name: str = pydantic.Field(max_length=100)
    digest: Digest
    """Digest over path and bytes of each file of the installed package; bytecode is left out."""


class Release(Part):
    """Permitted aggregates: what of a report may leave the site. Cases and per-case records never do."""

    figures: Literal["rounded", "bounds"] = "rounded"
    """``rounded``: as in the supplier's view, two digits; ``bounds``: exact, with intervals and scores of groups."""
    smallest_cell: int = pydantic.Field(default=10, ge=1, le=10**6)
    """No figure based on fewer cases leaves the site."""

    def within(self, offered: Release) -> bool:
        """Return whether no more leaves the site than under ``offered``."""
        return self.smallest_cell >= offered.smallest_cell and self.figures in ("rounded", offered.figures)


@dataclass(frozen=True)
class SiteTerms:
    """What a base has fixed for one run at a site: its own part of the scoring order, and what may leave."""

    nonce: str
    release: Release


class Witness(Part):
    """Who watched a run on site, as named there."""

    name: PersonName
    organisation: Name


class SiteStatement(Part):
    """What a certificate says about where its trial ran, if not at the base; the site has signed it."""

    site: Name
    owner: Name
    """Owner of the machine and of the data."""
    witness: Witness
    pack: Digest
    """Digest of the pack that the base sent."""
    full_report: Digest
    """Digest of the report that stays at the site: anyone who is shown that report can verify it."""
    signed_by: Digest
    """Id of the site's key."""
    signed_at: Moment
    smallest_cell: int


class AskedPack(Document):
    """The request that a site try an application. The site's owner and the supplier see it."""

    document: Literal["site-pack-order/1"] = "site-pack-order/1"
    site: Name
    owner: Name
    scenario: Name
    application: Subject
    version: Digest
    """The version of the application at the time of the request."""
    enrolment: Digest
    """The site's statement at that time, which says what it lets out."""
    days: int = pydantic.Field(ge=1, le=LONGEST_DAYS)
    asked_by: Name
    asked_at: Moment

    @property
    def identity(self) -> str:
        """Its identifier, 64 hex digits; repeating the request gives the same one."""
        return hex_of(digest_json([self.site, self.scenario, self.application, self.version, self.enrolment]))

    @property
    def supplier(self) -> str:
        return holder_of(self.application)
