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
"""For so long a pack stands at most."""


class Software(Part):
    """The software that runs a trial, by name and by every byte of it."""

    name: str = pydantic.Field(max_length=100)
    digest: Digest
    """Over path and bytes of each file of the installed package; bytecode is left out."""


class Release(Part):
    """Permitted aggregates: what of a report may leave the site. Cases and per-case records never do."""

    figures: Literal["rounded", "bounds"] = "rounded"
    """``rounded``: as a supplier sees them, two digits; ``bounds``: exact, with intervals and scores of groups."""
    smallest_cell: int = pydantic.Field(default=10, ge=1, le=10**6)
    """No figure leaves that rests on fewer cases."""

    def within(self, offered: Release) -> bool:
        """Tell whether nothing more leaves than under ``offered``."""
        return self.smallest_cell >= offered.smallest_cell and self.figures in ("rounded", offered.figures)


@dataclass(frozen=True)
class SiteTerms:
    """What a base has settled for one run at a site: its own part in the order of scoring, and what may leave."""

    nonce: str
    release: Release


class Witness(Part):
    """Who watched a run on site, as they were named there."""

    name: PersonName
    organisation: Name


class SiteStatement(Part):
    """What a certificate says of where its trial ran, when that was not at the base; the site has signed it."""

    site: Name
    owner: Name
    """Whose machine it is, and whose data."""
    witness: Witness
    pack: Digest
    """Digest of what the base had sent."""
    full_report: Digest
    """Of the report that stays at the site: whoever is shown it can tell that it is the one."""
    signed_by: Digest
    """Id of the site's key."""
    signed_at: Moment
    smallest_cell: int


class AskedPack(Document):
    """That a site is to try an application. The site's owner and the supplier see it."""

    document: Literal["site-pack-order/1"] = "site-pack-order/1"
    site: Name
    owner: Name
    scenario: Name
    application: Subject
    version: Digest
    """The version of the application, as it stood when this was asked."""
    enrolment: Digest
    """What the site had said of itself then: what it lets out stands there."""
    days: int = pydantic.Field(ge=1, le=LONGEST_DAYS)
    asked_by: Name
    asked_at: Moment

    @property
    def identity(self) -> str:
        """What tells it from others, 64 hex digits; asked again it is the same."""
        return hex_of(digest_json([self.site, self.scenario, self.application, self.version, self.enrolment]))

    @property
    def supplier(self) -> str:
        return holder_of(self.application)
