"""Report: what a trial measured, under which guarantee, and its verdict; in a full and a supplier's view."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import pydantic

from pilotbase.documents.base import Document, Localized, Moment, Part
from pilotbase.documents.contract import Contract
from pilotbase.documents.criteria import TrialDesign
from pilotbase.documents.door import DoorUse
from pilotbase.documents.endpoint import EndpointUse
from pilotbase.documents.exchanges import ExchangeFigures, coarse_kept
from pilotbase.documents.figures import ErrorCounts, Figure
from pilotbase.documents.hashes import Digest
from pilotbase.documents.limits import EndReason, IsolationLevel, Limits
from pilotbase.documents.plan import ApplicationReference, ScenarioReference
from pilotbase.documents.probes import CellRun, LoadFigures
from pilotbase.documents.quantities import NEVER, Beside, decimals_of, round_beside
from pilotbase.documents.scenario import Costs
from pilotbase.documents.standards import ConformityRow, coarse_rows
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Estimand, Outcome, Verdict, Verification, is_approximate, verdict_in_words

_COARSE_FIGURES = {"trial.finding.throughput": ("cases", "p95"), "trial.finding.stopped": ("seconds",)}
"""Sentence → those of its figures that an application can influence."""


class BlindScore(Part):
    """The best score of any blind baseline for one criterion, and what that baseline answers."""

    rule: str
    score: float
    program: Text


class BlindMeets(Part):
    """A program that meets all criteria together, with its score for each: (rule, score)."""

    program: Text
    scores: tuple[tuple[str, float | None], ...]

    def told(self, digits: int) -> str:
        """Return each criterion with its score in this many digits; a criterion on the run has none."""
        known = [(rule, score) for rule, score in self.scores if score is not None]
        return "; ".join(f"{rule} ({score:.{digits}g})" for rule, score in known) or "–"


class BlindFindings(Part):
    """Results of blind baselines on ``cases`` hidden cases."""

    cases: int
    best: tuple[BlindScore, ...]
    """The best for each criterion on answers; no single program needs to reach all of these."""
    meets: BlindMeets | None = None
    """Why these criteria can't certify anything on these cases; None: no such program meets them all."""
    easy: BlindMeets | None = None
    """A program that copies the most similar public case meets them all, and not through duplicates: only a notice."""


class PathPoint(Part):
    """Bounds after ``cases`` scored cases; a missing bound is not yet known."""

    cases: int
    lower: float | None = None
    upper: float | None = None


class PairedScores(Part):
    """The two scores behind a difference, on the scored cases; abstentions count as in the difference itself."""

    under: str | None = None
    """For a drop: its perturbation."""
    clean: float | None = None
    perturbed: float | None = None
    ours: float | None = None
    """For a lift."""
    baseline: float | None = None
    """For a lift; not shown in the supplier's view."""
    people: float | None = None
    """People's score on the measure itself; not shown in the supplier's view."""


class CriterionResult(Part):
    """One criterion: decision, interval, and what the interval refers to."""

    rule: str
    outcome: Outcome
    threshold: float
    estimate: float | None = None
    """Score on the scored cases: all of the attempt, but in older reports those of the verdict; no bound."""
    lower: float | None = None
    """Lower bound at the confidence needed to accept."""
    upper: float | None = None
    """Upper bound at the confidence needed to reject."""
    scored: int | None = None
    """Cases included (only eligible ones: for a recall, those of its class); not shown in the supplier's view."""
    available: int = 0
    """Cases that could have been included; 0 in the supplier's view: for a recall it would count hidden labels."""
    estimand: Estimand
    unit: str
    confidence: float
    guarantee: Literal["exact_anytime", "exact_fixed", "exact_census", "asymptotic", "descriptive", "measured_run"]
    claim: Text
    needed: int | None = None
    """Planning estimate: cases that would decide, if the outcome is inconclusive."""
    detectable: float | None = None
    """Planning estimate: the smallest distance from the threshold that all available cases would decide."""
    baseline: float | None = None
    """The baseline's score on the same cases."""
    people: float | None = None
    """People's score on the same cases, if the scenario has a column of their decisions."""
    paired: PairedScores | None = None
    """The two scores whose difference is the drop or lift."""
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


ASKED_AGAIN = "asked_again"
"""The check whether answers depend on other cases, which alone among findings rejects."""


class Finding(Part):
    """One check of a section."""

    check: str
    outcome: Outcome
    sentence: Text
    confidential: bool = False
    """The sentence reveals something about hidden cases: the supplier's view shows only the outcome."""


class Section(Part):
    """One of the five verifications."""

    verification: Verification
    outcome: Outcome
    findings: tuple[Finding, ...] = ()


class RestsOn(Part):
    """On how many cases a verdict rests: those scored by the time the evidence sufficed."""

    cases: int
    unit: str = "case"
    units: int | None = None
    """How many units these cases are, where criteria count units."""
    label: str | None = None
    """The scarcest class that criteria are about, if any."""
    of_label: int | None = None
    """How many of the cases, or units, are of that class."""


class Attempt(Part):
    """What this attempt used, and what is left of the hidden set."""

    number: int = pydantic.Field(ge=1)
    """Counted over the hidden-set version, across all suppliers."""
    alpha: float
    """Error probability that this attempt may spend: α/(j(j+1)), unless α is split or the scenario is stricter."""
    alpha_of_all: float
    """Error probability over all attempts on this hidden-set version together."""
    reserved: int
    answered: int
    scored: int | None = None
    """Cases that the figures are of; not shown in the supplier's view: where scoring stopped reveals something about
    cases."""
    rests: RestsOn | None = None
    """On which of these the verdict rests; not shown in the supplier's view. None in older reports: on all scored."""
    fresh_left: int | None = None
    """Cases that no box has seen, left after this attempt; like the next three, not shown in the supplier's view."""
    used_before: int | None = None
    """Cases used before this attempt: given to another, shown in a public sample, or set aside for a board."""
    attempts_left: int | None = None
    refresh: tuple[Text, ...] | None = None
    """Why the owner must provide fresh cases before the next attempt."""
    alpha_before: float | None = None
    """Error probability spent by all earlier attempts together, on this set and on those that share cases with it."""
    alpha_left: float | None = None
    """Error probability left for all later attempts."""


class Isolation(Part):
    """The box as configured in the run."""

    level: IsolationLevel
    start: str
    memory_watch: str
    limits: Limits
    end: EndReason
    detail: str = ""
    log_bytes: int = 0
    """Standard output and error that the application wrote; not shown, because logs can carry hidden data out."""


class Performance(Part):
    """Resources over the full load; latencies in seconds per batch of at most ``batch_rows`` cases.

    If a criterion judges the run, all batches but one are full; otherwise their sizes vary from half of that.
    """

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


class ArmRecords(Part):
    """Commitment to the answers of one perturbed arm: the end of its chain."""

    under: str
    answers: Digest


class Records(Part):
    """Commitment to the per-case records: one salted leaf per batch under a Merkle root (RFC 6962 hashing)."""

    root: Digest
    leaves: int
    answers: Digest
    """Digest of the committed answers of all arms, fixed before the order was revealed."""
    blob: Digest
    """Encrypted raw records in the vault."""
    arms: tuple[ArmRecords, ...] | None = None
    """The perturbed arms, if criteria need any."""


class Order(Part):
    """The committed order: anyone with the secret can recompute the permutation."""

    commitment: Digest
    nonce: str
    secret: str | None = None
    """Hex; revealed after the answers were committed; full view only."""


class Report(Document, published=True):
    """The full view; `supplier_view` returns what a supplier may read."""

    document: Literal["report/1"] = "report/1"
    view: Literal["full", "supplier", "site"] = "full"
    """``site``: the permitted aggregates of a trial that ran at the owner's site; the full report stayed there."""
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
    """The reasons, in sentences; the first is the headline."""
    attempt: Attempt | None = None
    sections: tuple[Section, ...]
    criteria: tuple[CriterionResult, ...]
    blind: tuple[BlindScore, ...] | None = None
    """The best scores of programs that read no feature, on at most 10,000 hidden cases, for each criterion on answers.
    Full view only. None: the hidden set was sealed before blind baselines existed."""
    groups: tuple[GroupScore, ...] = ()
    standards: tuple[ConformityRow, ...] | None = None
    """The conformity matrix, if the scenario names standards."""
    counts: dict[str, int] = pydantic.Field(default_factory=dict)
    """Counts by reason: answered, abstained, scored, not answered."""
    isolation: Isolation
    endpoint: EndpointUse | None = None
    """The endpoint that answered, if the supplier hosts it: no digest of it was seen."""
    door: DoorUse | None = None
    """The model that the application could use in its episodes, and how much of it was used."""
    performance: Performance | None = None
    load_test: LoadFigures | None = None
    """Result of the load test with cases of the public sample, if the plan has one."""
    cells: tuple[CellRun, ...] | None = None
    """Results of the cells of the plan's matrix, if it has one."""
    exchanges: tuple[ExchangeFigures, ...] | None = None
    """Outcomes of the messages of recorded exchanges, if the plan has any."""
    probes: dict[str, dict[str, Any]] | None = None
    """Figures of further probes that the plan requests, by probe name; full view only."""
    figures: tuple[Figure, ...] | None = None
    """The data of pictures of all cases of the attempt; full view only. None: an older report, or no cases."""
    errors: ErrorCounts | None = None
    """Misses and false alarms, where answers are classes and one is the positive one; full view only."""
    costs: Costs | None = None
    """What an error costs the owner, from the scenario."""
    records: Records | None = None
    order: Order | None = None
    design: TrialDesign | None = None
    """The rule for the end of scoring, from the plan; None in a rehearsal."""
    decision: Digest | None = None
    """Digest of verdict and criteria (`pilotbase.trial.verdict_rules`); a replay produces the same. Full view only."""
    full_report: Digest | None = None
    """In a supplier's or a site's view: the digest of the full report, so that both can be compared."""
    started_at: Moment
    ended_at: Moment
    software: str

    @property
    def asked_again(self) -> Finding | None:
        """Return whether answers were found to depend on other cases; None: they were not asked again."""
        found = [one for section in self.sections for one in section.findings if one.check == ASKED_AGAIN]
        return next((one for one in found if one.outcome is not Outcome.NOT_MEASURED), None)

    @property
    def approximate(self) -> bool:
        """Return whether the verdict depends on an approximate bound."""
        return is_approximate(result.guarantee for result in self.criteria)

    @property
    def verdict_in_words(self) -> Text:
        """Return the verdict's name, including its rider."""
        return verdict_in_words(self.verdict, self.approximate)

    def supplier_view(self) -> Report:
        """Return verdict, rounded scores and counts by reason: any curve over cases would reveal cases.

        An application sees hidden cases and chooses how long it takes, how much memory it uses, when it abstains and
        when it breaks off: each of these figures could carry cases out, so each is coarse. A rehearsal shows them all.
        """
        cases = self.counts.get("cases", 0)
        finished = self.counts.get("answered", 0) >= cases
        return self.model_copy(
            update={
                **dict.fromkeys(("blind", "order", "records", "decision", "figures", "errors", "probes")),
                "view": "supplier",
                "reasons": tuple(
                    _coarse_reason(_coarse_sentence(reason, cases), self.criteria) for reason in self.reasons
                ),
                "criteria": tuple(_coarse(result) for result in self.criteria),
                "sections": tuple(_coarse_section(section, cases) for section in self.sections),
                "groups": (),
                "standards": coarse_rows(self.standards),
                "attempt": self.attempt and _coarse_attempt(self.attempt, cases),
                "counts": _coarse_counts(self.counts),
                "isolation": self.isolation.model_copy(
                    update={"detail": "", "log_bytes": int(_rounded(self.isolation.log_bytes, 1))}
                ),
                "endpoint": self.endpoint and self.endpoint.coarse(),
                "door": self.door and self.door.coarse(),
                "exchanges": self.exchanges and tuple(one.coarse() for one in self.exchanges),
                "performance": self.performance and _coarse_performance(self.performance, finished),
                "full_report": self.digest(),
                "started_at": self.started_at.replace(second=0, microsecond=0),
                "ended_at": self.ended_at.replace(second=0, microsecond=0),
            }
        )


def _rounded(number: float, digits: int) -> float:
    """Return ``number`` in this many significant digits."""
    return float(f"{number:.{digits}g}")


def _coarse(result: CriterionResult) -> CriterionResult:
    kept_back = dict.fromkeys(("lower", "upper", "baseline", "people", "scored", "needed", "detectable"))
    hidden = {**kept_back, "available": 0, "path": (), "claim": text("input.for_the_owner_only")}
    estimate = None if result.estimate is None else _coarse_score(result.estimate, result.threshold)
    paired = result.paired and _coarse_pair(result.paired)
    return result.model_copy(update={**hidden, "estimate": estimate, "paired": paired})


def _coarse_score(score: float, threshold: float) -> float:
    """Return a score in two digits, rounded away from the threshold where it would read as it or as beyond it."""
    if not math.isfinite(score):
        return score
    decimals = decimals_of(score, 2)
    return float(round_beside(score, decimals, Beside(threshold), most=decimals))


def _coarse_reason(reason: Text, criteria: Sequence[CriterionResult]) -> Text:
    """Return a reason that states a score with that score as coarse as the criterion's."""
    for result in criteria:
        if reason.params.get("rule") == result.rule and result.estimate is not None:
            known, coarse = str(reason.params.get("estimate")), _coarse_score(result.estimate, result.threshold)
            if known not in ("None", NEVER):
                return reason.model_copy(update={"params": {**reason.params, "estimate": f"{coarse:g}"}})
    return reason


def _coarse_pair(paired: PairedScores) -> PairedScores:
    shown = {"clean": paired.clean, "perturbed": paired.perturbed, "ours": paired.ours}
    rounded = {name: None if score is None else _rounded(score, 2) for name, score in shown.items()}
    return paired.model_copy(update={**rounded, "baseline": None, "people": None})


def _coarse_section(section: Section, cases: int) -> Section:
    return section.model_copy(update={"findings": tuple(_coarse_finding(found, cases) for found in section.findings)})


def _coarse_finding(finding: Finding, cases: int) -> Finding:
    if finding.confidential:
        return finding.model_copy(update={"sentence": text("input.for_the_owner_only")})
    return finding.model_copy(update={"sentence": _coarse_sentence(finding.sentence, cases)})


def _coarse_sentence(sentence: Text, cases: int) -> Text:
    """Return a sentence with its counts of answers and load figures as coarse as elsewhere in the view."""
    params = dict(sentence.params)
    said, kept, sent = (params.get(name) for name in ("said", "kept", "sent"))
    if sentence.code == "trial.finding.because" and isinstance(said, Text):
        return _coarse_sentence(said, cases)
    if isinstance(kept, int) and isinstance(sent, int):
        params["kept"] = coarse_kept(kept, sent)
    for name, value in params.items():
        if name in _COARSE_FIGURES.get(sentence.code, ()) and isinstance(value, str):
            params[name] = _coarse_figure(value)
        elif name == "answers" and isinstance(value, int):
            params[name] = min(value, 1)
        elif name == "answered" and isinstance(value, int):
            params[name] = _coarse_answered(value, cases)
        elif name in ("abstained", "attempts", "unanswered") and isinstance(value, int):
            params[name] = int(_rounded(value, 2))
    return sentence.model_copy(update={"params": params})


def _coarse_figure(figure: str) -> str:
    number = _rounded(float(figure.replace(",", "")), 1)
    return f"{number:,.0f}" if number >= 1 else f"{number:g}"


def _coarse_answered(answered: int, cases: int) -> int:
    """Return the count if it is all of them, else rounded down to two digits: fewer are never shown as all."""
    unit = 10 ** max(0, len(str(answered)) - 2)
    return answered if answered >= cases else answered // unit * unit


def _coarse_attempt(attempt: Attempt, cases: int) -> Attempt:
    answered = _coarse_answered(attempt.answered, cases)
    hidden = dict.fromkeys(("scored", "rests", "fresh_left", "used_before", "attempts_left", "refresh"))
    return attempt.model_copy(update={**hidden, "answered": answered})


def _coarse_counts(counts: dict[str, int]) -> dict[str, int]:
    cases = counts.get("cases", 0)
    coarse = {"answered": _coarse_answered(counts.get("answered", 0), cases)}
    return {
        reason: cases if reason == "cases" else coarse.get(reason, int(_rounded(count, 2)))
        for reason, count in counts.items()
        if reason != "scored"
    }


def _coarse_performance(performance: Performance, finished: bool) -> Performance:
    """Return one digit of each: together these figures could carry a hundred bits, all chosen by the application."""
    cpu, memory = performance.cpu_seconds, performance.memory_peak_bytes
    quantiles = {name: _rounded(value, 1) for name, value in performance.latency_quantiles.items()}
    return performance.model_copy(
        update={
            "batches": _coarse_answered(performance.batches, performance.batches if finished else 1 << 62),
            "load_seconds": _rounded(performance.load_seconds, 1),
            "wall_seconds": _rounded(performance.wall_seconds, 1),
            "cpu_seconds": None if cpu is None else _rounded(cpu, 1),
            "memory_peak_bytes": None if memory is None else int(_rounded(memory, 1)),
            "cases_per_second": _rounded(performance.cases_per_second, 1),
            "latency_quantiles": quantiles,
            "latency_histogram": (),
        }
    )
