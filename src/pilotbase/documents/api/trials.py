"""Trials over the API: how far work is, the queue, sample bundles, and checked certificates."""

from __future__ import annotations

from datetime import datetime

from pilotbase.documents.api.seats import SeatTold
from pilotbase.documents.api.shapes import ResponseModel
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.hashes import Digest


class TrialProgress(ResponseModel):
    """Coarse progress of the newest work on a trial; nothing where there was none."""

    state: str | None
    position: int
    """Place in the queue, from 1; 0 while it does not wait."""
    stage: str | None
    reason: str | None
    seat: SeatTold | None = None
    """The seat in a shared pool that it waits for."""


class QueuedWork(ResponseModel):
    """Work that runs or waits, in the order in which it is taken."""

    subject: str
    work: str
    """What is done: ``rehearse``, ``board``, ``freeze``, ``trial``, ``certificate``, ``revocation``."""
    state: str
    position: int
    """Place in the queue, from 1; 0 while it runs."""
    stage: str | None
    percent: int | None
    """How far the stage is, in steps of five."""
    reason: str | None
    organisation: str
    """Who ordered it."""
    since: datetime


class SpanTold(ResponseModel):
    """Between what a figure lies, and what it is about; null: that is not told."""

    low: float
    expected: float | None
    high: float


class EstimateTold(ResponseModel):
    """What a trial takes and costs in all, told from its first batches."""

    held: bool
    """Whether it waits for consent."""
    payer: str | None
    """Whose consent it waits for: ``supplier``, ``demand_owner`` or ``base``."""
    limit: str
    """Above what consent is asked, as ``4 h, 50.00 CNY``."""
    confidence: float
    """In which share of runs the figures hold."""
    coarse: bool
    """Whether only steps of 1, 2 and 5 are told: to those from whom its cases are hidden."""
    seconds: SpanTold
    core_seconds: SpanTold | None
    mib_seconds: SpanTold | None
    money: SpanTold | None
    """In hundredths of ``currency``; null: there is no price."""
    currency: str


class OrderedBundle(ResponseModel):
    """A sample bundle that is being packed for the caller."""

    report: Digest
    """Of which round."""
    state: str
    position: int
    """Place in the queue, from 1; 0 while it is packed."""


class CheckedCertificate(ResponseModel):
    """Whether a certificate holds, and what it says."""

    holds: bool
    revocation: str | None
    reason: str | None
    """Why it does not hold."""
    notes: list[str]
    certificate: Certificate | None
