"""Trials over the API: how far work is, the queue, checked certificates, and candidates side by side.

Nothing here is evidence: it is read from reports, and each report was scored on cases of its own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pilotbase.documents.api.seats import SeatTold
from pilotbase.documents.api.shapes import ResponseModel
from pilotbase.documents.base import Localized, Moment, Part
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.hashes import Digest
from pilotbase.documents.moments import format_minute
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Outcome, Verdict


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


class SealedVersion(Part):
    """One version of a scenario's hidden data, and what it still holds."""

    number: int
    """From 1, in the order of sealing."""
    hidden_set: Digest
    sealed_at: Moment
    shown: int
    """Cases of the public sample that goes with it."""
    cases: int
    scored: int
    fresh: int
    attempts: int
    """That it allows."""
    used: int
    spent: float
    """What all attempts on it so far may have erred with together."""
    alpha: float
    certificates: tuple[Digest, ...] = ()
    """Serials of those that rest on it, rejections too."""

    def line(self) -> Text:
        """Return the version in a sentence."""
        counts = {name: getattr(self, name) for name in ("number", "shown", "cases", "fresh", "used", "attempts")}
        sealed_at, spent = format_minute(self.sealed_at), f"{self.spent:.2g}"
        rests = len(self.certificates)
        return text("live.version_line", sealed_at=sealed_at, spent=spent, certificates=rests, **counts)


class Budget(Part):
    """What the hidden set of a scenario version still holds: attempts by whomever, and cases that nobody has scored."""

    attempts: int
    """That one set allows."""
    used: int
    left: int
    next_number: int
    next_level: float
    """Error level at which the next attempt is judged."""
    spent: float
    """What all attempts so far may have erred with together."""
    alpha: float
    """What all attempts ever may err with together."""
    cases: int
    fresh: int
    reserved: int
    scored: int
    cases_per_attempt: int | None = None
    """None: an attempt takes all that are left."""
    due: tuple[Text, ...] = ()
    """Why fresh cases are due before the next attempt; empty: it can still decide everything."""
    versions: tuple[SealedVersion, ...] = ()
    """Of the scenario's hidden data, newest first, where a scenario is asked about."""


class ComparedCriterion(Part):
    """One criterion of one candidate, as its report says."""

    rule: str
    outcome: Outcome
    threshold: float
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None
    baseline: float | None = None
    """The baseline's score on the same cases; no interval."""
    better_by: float | None = None
    """How much better than the baseline on the same cases; below zero: worse. No interval."""
    unit_label: str = ""
    guarantee: str


class Candidate(Part):
    """One application version with the report of its newest trial."""

    trial: str
    """Name of the commission."""
    title: Localized | str
    name: str
    version: str
    supplier: str
    state: str
    verdict: Verdict
    approximate: bool | None = None
    """True where the verdict rests on a bound that is approximate."""
    attempt: int
    ended_at: Moment
    criteria: tuple[ComparedCriterion, ...]
    saves: float | None = None
    """Per 1,000 cases, against the baseline, in the scenario's currency: what misses and false alarms cost less.

    From the scores on the scored cases; no interval. None: the criteria do not tell.
    """
    latency: float | None = None
    """p95 of a batch, in seconds."""
    batch_rows: int | None = None
    computing: float | None = None
    """CPU seconds per 1,000 cases."""


class Comparison(Part):
    """The candidates for a scenario, in the order in which their trials ended: that is no ranking."""

    scenario: str
    title: Localized | str
    baseline: Literal["column", "rule", "constant", "application", "none"]
    currency: str = ""
    rules: tuple[str, ...]
    candidates: tuple[Candidate, ...]
