"""Trials over the API: progress of work, the queue, checked certificates, and candidates side by side.

Of candidates only a tender is evidence: each report was scored on cases of its own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import pydantic

from pilotbase.documents.api.shapes import RequestModel, ResponseModel, SeatTold
from pilotbase.documents.base import Localized, Moment, Part
from pilotbase.documents.board import TenderResult
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.hashes import Digest
from pilotbase.documents.moments import format_minute
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Outcome, Verdict

ComponentKind = Literal["library", "model", "data"]


class ComponentUse(ResponseModel):
    """A library, a model or the data of a scenario, and who builds on it."""

    kind: ComponentKind
    name: str
    version: str
    """Of a model: the SHA-256 of its file; of data: empty."""
    licence: str = ""
    """As its publisher states it; empty: not known here."""
    maintainers: str = ""
    """As the library names them; empty: it names none, or was never installed here."""
    applications: int
    suppliers: int
    in_service: int
    """Application versions behind services."""
    credited_cases: float = 0
    """Cases answered in service in the last 365 days: those of each version, in equal parts to its libraries."""
    advisories: list[str] = pydantic.Field(default_factory=list)
    """Kept advisories that meet it."""


class ReuseLink(ResponseModel, frozen=True):
    """An application that is built of a component, and a service that it answers for."""

    kind: ComponentKind
    component: str
    application: str
    service: str
    """Empty: the application is in no service."""


class MetVersion(ResponseModel):
    """An application version with an affected component."""

    application: str
    component: str
    version: str


class MetCertificate(ResponseModel):
    """A certificate of such a version."""

    serial: str
    application: str
    status: str


class MetService(ResponseModel):
    """A service that answers, or falls back, with such a version."""

    service: str
    owner: str


class MetScenario(ResponseModel):
    """A scenario for which such a version has a certificate that is neither revoked nor expired."""

    scenario: str
    owner: str


class AdvisoryConcern(Part):
    """An organisation that an advisory concerns."""

    organisation: str
    about: str
    """What of its own is nearest to use: a service, a scenario or an application."""
    components: str


class AdvisoryKept(ResponseModel):
    """An advisory that was kept, whom it was told, and what it meets now."""

    advisory: str
    at: Moment
    told: list[str]
    versions: int
    """Application versions that have an affected component now."""


class AdvisoryMet(ResponseModel):
    """What an advisory meets on this base."""

    advisory: str
    versions: list[MetVersion]
    certificates: list[MetCertificate]
    services: list[MetService]
    scenarios: list[MetScenario]
    concerns: list[AdvisoryConcern]
    """The organisations to notify, or already notified."""
    told_at: Moment | None
    """When it was kept and told; null: it was not."""
    unknown: list[str]
    """Libraries that the advisory names and no application here uses."""
    unread: int
    """Application versions whose components are not known."""
    openvex: dict[str, Any]
    """The statement for others, as OpenVEX."""


class TrialProgress(ResponseModel):
    """Coarse progress of the newest work on a trial; empty if there was none."""

    state: str | None
    position: int
    """Place in the queue, from 1; 0 while it does not wait."""
    stage: str | None
    reason: str | None
    seat: SeatTold | None = None
    """The seat in a shared pool it waits for."""


class QueuedWork(ResponseModel):
    """Work that runs or waits, in the order in which it is taken."""

    subject: str
    work: str
    """Kind of work: ``rehearse``, ``board``, ``freeze``, ``trial``, ``certificate``, ``revocation``."""
    state: str
    position: int
    """Place in the queue, from 1; 0 while it runs."""
    stage: str | None
    percent: int | None
    """Progress of the stage, in steps of five."""
    reason: str | None
    organisation: str
    """Who ordered it."""
    since: datetime


class SpanTold(ResponseModel):
    """Bounds of a figure, and its expected value; null: not disclosed."""

    low: float
    expected: float | None
    high: float


class EstimateTold(ResponseModel):
    """Estimated time and cost of the whole trial, from its first batches."""

    held: bool
    """Whether it waits for consent."""
    payer: str | None
    """Whose consent it waits for: ``supplier``, ``demand_owner`` or ``base``."""
    limit: str
    """Limit above which consent is required, such as ``4 h, 50.00 CNY``."""
    confidence: float
    """Share of runs in which the figures hold."""
    coarse: bool
    """Whether only steps of 1, 2 and 5 are shown, as to those from whom its cases are hidden."""
    seconds: SpanTold
    core_seconds: SpanTold | None
    mib_seconds: SpanTold | None
    money: SpanTold | None
    """In hundredths of ``currency``; null: no price."""
    currency: str


class OrderedBundle(ResponseModel):
    """A sample bundle that is being packed for the caller."""

    report: Digest
    """The trial's round."""
    state: str
    position: int
    """Place in the queue, from 1; 0 while it is packed."""


class CheckedCertificate(ResponseModel):
    """Whether a certificate is valid, and what it says."""

    holds: bool
    revocation: str | None
    reason: str | None
    """Why it isn't valid."""
    notes: list[str]
    certificate: Certificate | None


class SignedBadge(ResponseModel):
    """An Open Badge 3.0 for one person."""

    credential: str
    """The credential as a compact JWT."""
    recipient: str
    """The e-mail address that it is for."""


class SealedVersion(Part):
    """One version of a scenario's hidden data, and what is left of it."""

    number: int
    """From 1, in the order of sealing."""
    hidden_set: Digest
    sealed_at: Moment
    shown: int
    """Cases in its public sample."""
    cases: int
    scored: int
    fresh: int
    attempts: int
    """Attempts that it allows."""
    used: int
    spent: float
    """Error probability that all attempts on it so far have spent together."""
    alpha: float
    certificates: tuple[Digest, ...] = ()
    """Serials of the certificates based on it, including rejections."""

    def line(self) -> Text:
        """Return the version in a sentence."""
        counts = {name: getattr(self, name) for name in ("number", "shown", "cases", "fresh", "used", "attempts")}
        sealed_at, spent = format_minute(self.sealed_at), f"{self.spent:.2g}"
        rests = len(self.certificates)
        return text("live.version_line", sealed_at=sealed_at, spent=spent, certificates=rests, **counts)


class Budget(Part):
    """What is left of a scenario version's hidden set: attempts by all suppliers, and cases not yet scored."""

    attempts: int
    """Attempts that one set allows."""
    used: int
    left: int
    next_number: int
    next_level: float
    """Error level at which the next attempt is judged."""
    spent: float
    """Error probability that all attempts so far have spent together."""
    alpha: float
    """Error probability allowed for all attempts ever together."""
    cases: int
    fresh: int
    reserved: int
    scored: int
    cases_per_attempt: int | None = None
    """None: an attempt takes all remaining cases."""
    unit: str | None = None
    """The column whose values the criteria count; None: cases."""
    units: int | None = None
    """Of these, units of which no attempt has had a case: attempts draw whole ones."""
    due: tuple[Text, ...] = ()
    """Why fresh cases are needed before the next attempt; empty: it can still decide everything."""
    versions: tuple[SealedVersion, ...] = ()
    """Versions of the scenario's hidden data, newest first, if the question is about a scenario."""


class SizeTerms(RequestModel):
    """What a trial is to show, of a scenario or of a rule alone, and what cases and labels cost."""

    scenario: Annotated[str, pydantic.Field(max_length=300)] = ""
    rule: Annotated[str, pydantic.Field(max_length=400)] = ""
    truth: Annotated[tuple[float, ...], pydantic.Field(max_length=100)] = ()
    """The supposed true value of each criterion; half-way from its threshold to the best value where none is given."""
    power: float = pydantic.Field(default=0.9, ge=0.5, le=0.999)
    attempt: int | None = pydantic.Field(default=None, ge=1, le=1000)
    """None: the next one of the hidden set; of a rule alone, or before the data are sealed, the first."""
    hidden: int | None = pydantic.Field(default=None, ge=1, le=10**9)
    stop: Literal["own", "early", "fixed"] = "own"
    """``own``: as the scenario says; a rule alone may stop early."""
    alpha: float = pydantic.Field(default=0.05, ge=0.001, le=0.2)
    """Of a rule alone, over all attempts."""
    discordance: float | None = pydantic.Field(default=None, gt=0, le=1)
    """Of a comparison with a certified version: the share of cases that only one of both is expected to get right. The
    rule is then ``lift(accuracy) >= -0.02``, or the scenario's criteria have margins; true value 0 if none is given."""
    prevalence: float = pydantic.Field(default=0.5, ge=0.001, le=0.999)
    """Of a rule alone: the share of the class asked about."""
    groups: int = pydantic.Field(default=4, ge=1, le=20)
    cluster: int = pydantic.Field(default=1, ge=1, le=1000)
    """Of a rule alone: cases of one unit."""
    correlation: float = pydantic.Field(default=0.0, ge=0, le=0.99)
    judge_error: float | None = pydantic.Field(default=None, ge=0, le=0.5)
    """How often a judge model errs that reads nine further answers for each one that people label."""
    double: float = pydantic.Field(default=0.0, ge=0, le=1)
    """Share of labels that a second person gives, too."""
    case_cost: float = pydantic.Field(default=0.0, ge=0, le=1e12)
    label_cost: float = pydantic.Field(default=0.0, ge=0, le=1e12)
    case_days: float = pydantic.Field(default=0.0, ge=0, le=1e6)
    label_days: float = pydantic.Field(default=0.0, ge=0, le=1e6)


class PowerPoint(ResponseModel):
    """The probability that a trial of so many cases meets a criterion."""

    cases: int
    power: float


class PlannedCriterion(ResponseModel):
    """The cases that one criterion needs; ``fewest``: below, no answers can meet it as a claim about a population."""

    rule: str
    truth: float
    fewest: int
    cases: int
    labels: int
    power: float
    median: int | None = None
    """By when half of the trials that may stop at any time have met it."""
    curve: list[PowerPoint]
    of_hidden_set: bool = False
    """The criterion is about the hidden set: the figures are those of a population, and fewer cases can decide it."""
    never_refuted: bool = False
    """Its measure is bounded from below only: whoever misses it uses all cases and leaves the verdict open."""


class SizePlan(ResponseModel):
    """The cases of one attempt, what they cost, and how many attempts a hidden set holds."""

    attempt: int
    level: float
    """Error level of that attempt."""
    stop: str
    power: float
    criteria: list[PlannedCriterion]
    left_out: tuple[str, ...] = ()
    """Rules that are not planned: of a run, a gap, a change."""
    cases: int
    labels: int
    cost: float
    days: float
    attempts: int | None = None
    missing: int | None = None
    """Cases that the hidden set lacks for one attempt."""
    units: int | None = None
    """The cases of one attempt as whole units of the scenario, if its criteria count units."""
    budget: Budget | None = None
    """What is left of the hidden set; None for a rule alone, or before the data are sealed."""


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
    """True if the verdict depends on an approximate bound."""
    attempt: int
    ended_at: Moment
    criteria: tuple[ComparedCriterion, ...]
    saves: float | None = None
    """Per 1,000 cases, against the baseline, in the scenario's currency: what misses and false alarms cost less.

    From the scores on the scored cases; no interval. None: the criteria don't allow an estimate.
    """
    latency: float | None = None
    """p95 latency of a batch, in seconds."""
    batch_rows: int | None = None
    computing: float | None = None
    """CPU seconds per 1,000 cases."""
    place: int | None = None
    """In the tender: 1, or one more than the lowest place of those that are better. None: not this version."""


class Comparison(Part):
    """The candidates for a scenario by their place in its newest tender, then in the order in which trials ended.

    Without a tender the order is no evidence.
    """

    scenario: str
    title: Localized | str
    baseline: Literal["column", "rule", "constant", "application", "reference", "none"]
    currency: str = ""
    rules: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    tender: TenderResult | None = None
