"""Sites over the API: who they are, packs for them, reports of them."""

from __future__ import annotations

from datetime import datetime

from pilotbase.documents.api.shapes import ResponseModel
from pilotbase.documents.hashes import Digest


class OfferTold(ResponseModel):
    """A scenario that is sealed at a site."""

    scenario: str
    version: Digest
    cases: int


class PackTold(ResponseModel):
    """A pack that was asked for, and how far it is."""

    identity: str
    site: str
    scenario: str
    application: str
    supplier: str
    days: int
    asked_by: str
    asked_at: datetime
    agreed_at: datetime | None
    """When the supplier has agreed; nothing is packed before."""
    state: str
    """``asked``, or how far the packing is."""
    reason: str | None
    file: str | None
    """Name of the pack, once it is there; told to who may fetch it."""
    ends: datetime | None
    """Until then the site has to begin."""


class ReportTold(ResponseModel):
    """A report that a site has sent and that held."""

    pack: Digest
    scenario: str
    application: str
    verdict: str
    approximate: bool | None = None
    """True if the verdict depends on an approximate bound."""
    attempt: int
    unreported: list[int]
    """Earlier attempts of which no report came back."""
    witness: str
    witness_organisation: str
    signed_at: datetime
    certificate: str | None
    """Its number."""


class SentTold(ResponseModel):
    """A report that was sent in, and how far its examination is."""

    identity: str
    state: str
    reason: str | None


class SiteTold(ResponseModel):
    """A site as the base knows it."""

    site: str
    owner: str
    key: Digest
    software: str
    figures: str
    """What may leave it: ``rounded`` or ``bounds``."""
    smallest_cell: int
    revoked_at: datetime | None
    reason: str
    offers: list[OfferTold]


class SiteDetail(SiteTold):
    """A site with what was asked of it and what came back."""

    packs: list[PackTold]
    sent: list[SentTold]
    reports: list[ReportTold]
