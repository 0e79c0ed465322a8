"""Site trial 现场中试: a trial on a machine of the data's owner, offline. The data stay; a signed report comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import pydantic

from pilotbase.documents.base import Moment, Name, Part, Trimmed
from pilotbase.documents.hashes import Digest

PersonName = Annotated[str, Trimmed(120)]


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
