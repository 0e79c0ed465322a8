"""Sites over the API: their identity, packs for them, reports from them."""

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
    """A requested pack and its progress."""

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
    """``asked``, or the progress of packing."""
    reason: str | None
    file: str | None
    """Name of the pack once it exists; shown only to those who may download it."""
    ends: datetime | None
    """The site must begin by then."""


class ReportTold(ResponseModel):
    """A report that a site has sent and that passed examination."""

    pack: Digest
    scenario: str
    application: str
    verdict: str
    approximate: bool | None = None
    """True if the verdict depends on an approximate bound."""
    attempt: int
    unreported: list[int]
    """Earlier attempts without a returned report."""
    witness: str
    witness_organisation: str
    signed_at: datetime
    certificate: str | None
    """Its serial number."""


class SentTold(ResponseModel):
    """A report that was sent in, and the progress of its examination."""

    identity: str
    state: str
    reason: str | None


class SiteTold(ResponseModel):
    """A site as registered at the base."""

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
    """A site with the packs requested for it and the reports it returned."""

    packs: list[PackTold]
    sent: list[SentTold]
    reports: list[ReportTold]
