"""Report: what a trial measured, under which guarantee, and its verdict; in a full and a supplier's view."""

from __future__ import annotations

from typing import Literal

import pydantic

from pilotbase.documents.base import Document, Localized, Moment, Part
from pilotbase.documents.contract import Contract
from pilotbase.documents.hashes import Digest
from pilotbase.documents.limits import EndReason, IsolationLevel, Limits
from pilotbase.documents.plan import ApplicationReference, ScenarioReference
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Estimand, Outcome, Verdict, Verification


class PathPoint(Part):
    """Bounds after ``cases`` scored cases; a missing bound is not known yet."""

    cases: int
    lower: float | None = None
    upper: float | None = None


class CriterionResult(Part):
    """One criterion: decision, interval, and what the interval speaks about."""

    rule: str
    outcome: Outcome
    threshold: float
    estimate: float | None = None
    """Score on the scored cases; no bound."""
    lower: float | None = None
    """Lower bound at the confidence needed to accept."""
    upper: float | None = None
    """Upper bound at the confidence needed to reject."""
    scored: int | None = None
    """Cases that entered (eligible ones: for a recall, those of its class); not shown in the supplier's view."""
    available: int = 0
    """Cases that could have entered."""
    estimand: Estimand
    unit: str
    confidence: float
    guarantee: Literal["exact_anytime", "exact_fixed", "exact_census", "asymptotic", "descriptive", "measured_run"]
    claim: Text
    needed: int | None = None
    """Planning estimate of the cases that would decide, where the outcome is inconclusive."""
    baseline: float | None = None
    """The baseline's score on the same cases."""
    path: tuple[PathPoint, ...] = ()
    unit_label: str = ""
    """Unit of threshold and scores (s, B, MW); empty for shares."""


class GroupScore(Part):
    """A score in one group of one column (full view only; descriptive)."""

    column: str
    group: str
    measure: str
    cases: int
    score: float | None = None
    lower: float | None = None
    upper: float | None = None


class Finding(Part):
    """One check of a section."""

    check: str
    outcome: Outcome
    sentence: Text
    confidential: bool = False
    """The sentence tells about hidden cases: the supplier's view shows the outcome only."""


class Section(Part):
    """One of the five verifications."""

    verification: Verification
    outcome: Outcome
    findings: tuple[Finding, ...] = ()


class Attempt(Part):
    """What this attempt cost and what the hidden set still holds."""

    number: int = pydantic.Field(ge=1)
    """Counted over the hidden-set version, by whichever supplier."""
    alpha: float
    """Error probability that this attempt may spend, α/(j(j+1))."""
    alpha_of_all: float
    """Error probability over all attempts on this hidden-set version together."""
    reserved: int
    answered: int
    scored: int | None = None
    """Not shown in the supplier's view: where scoring stopped tells about cases."""
    fresh_left: int | None = None


class Isolation(Part):
    """The box as it was."""

    level: IsolationLevel
    start: str
    memory_watch: str
    limits: Limits
    end: EndReason
    detail: str = ""
    log_bytes: int = 0
    """Standard output and error that the application wrote; not shown, since logs can carry hidden data out."""


class Performance(Part):
    """Resources over the full load; latencies in seconds per batch of ``batch_rows`` cases."""

    batches: int
    batch_rows: int
    load_seconds: float
    wall_seconds: float
    cpu_seconds: float | None = None
    memory_peak_bytes: int | None = None
    cases_per_second: float
    latency_quantiles: dict[str, float]
    """``p50``, ``p90``, ``p95``, ``p99``, ``max``."""
    latency_histogram: tuple[tuple[float, float, int], ...] = ()
    """(from, to, batches)."""


class Records(Part):
    """Commitment to the per-case records: one salted leaf a batch under a Merkle root (RFC 6962 hashing)."""

    root: Digest
    leaves: int
    answers: Digest
    """Digest of the committed answers, fixed before the order was opened."""
    blob: Digest
    """Encrypted raw records in the vault."""


class Order(Part):
    """The committed order: anyone with the secret can recompute the permutation."""

    commitment: Digest
    nonce: str
    secret: str | None = None
    """Hex; opened after the answers were committed; full view only."""


class Report(Document):
    """The full view; `supplier_view` gives what a supplier may read."""

    document: Literal["report/1"] = "report/1"
    view: Literal["full", "supplier"] = "full"
    evidence: bool = True
    """False for a rehearsal: *not evidence*."""
    plan: Digest | None = None
    scenario: ScenarioReference | None = None
    scenario_title: Localized | str
    sector: str
    data_nature: Literal["measured", "simulated"]
    application: ApplicationReference
    application_title: Localized | str
    contract: Contract
    verdict: Verdict
    reasons: tuple[Text, ...]
    """Why, in sentences; the first is the headline."""
    attempt: Attempt | None = None
    sections: tuple[Section, ...]
    criteria: tuple[CriterionResult, ...]
    groups: tuple[GroupScore, ...] = ()
    counts: dict[str, int] = pydantic.Field(default_factory=dict)
    """Counts by reason: answered, abstained, scored, not answered."""
    isolation: Isolation
    performance: Performance | None = None
    records: Records | None = None
    order: Order | None = None
    full_report: Digest | None = None
    """In the supplier's view: the digest of the full report, so that both can be compared."""
    started_at: Moment
    ended_at: Moment
    software: str

    def supplier_view(self) -> Report:
        """Return verdict, rounded scores and counts by reason: each curve over cases would reveal cases."""
        rounded = tuple(_coarse(result) for result in self.criteria)
        return self.model_copy(
            update={
                "view": "supplier",
                "criteria": rounded,
                "sections": tuple(_without_confidences(section) for section in self.sections),
                "groups": (),
                "order": None,
                "records": None,
                "attempt": self.attempt and self.attempt.model_copy(update={"scored": None, "fresh_left": None}),
                "counts": {reason: count for reason, count in self.counts.items() if reason != "scored"},
                "performance": self.performance and self.performance.model_copy(update={"latency_histogram": ()}),
                "full_report": self.digest(),
            }
        )


def _without_confidences(section: Section) -> Section:
    shown = [
        finding.model_copy(update={"sentence": text("input.for_the_owner_only")}) if finding.confidential else finding
        for finding in section.findings
    ]
    return section.model_copy(update={"findings": tuple(shown)})


def _coarse(result: CriterionResult) -> CriterionResult:
    kept_back = dict.fromkeys(("lower", "upper", "baseline", "scored", "needed"))
    hidden = {**kept_back, "path": (), "claim": text("input.for_the_owner_only")}
    if result.guarantee == "measured_run" or result.estimate is None:
        return result.model_copy(update=hidden)
    return result.model_copy(update={**hidden, "estimate": float(f"{result.estimate:.2g}")})
