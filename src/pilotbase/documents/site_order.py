"""Order of a pack: that a site is to try an application, as owner of the site, supplier and base see it."""

from __future__ import annotations

from typing import Literal

import pydantic

from pilotbase.documents.base import Document, Moment, Name
from pilotbase.documents.hashes import Digest, digest_json, hex_of
from pilotbase.documents.subjects import Subject, holder_of

LONGEST_DAYS = 365
"""For so long a pack stands at most."""


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
