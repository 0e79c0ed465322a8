"""Few labels: a judge scores every case of a pool; true labels are bought in random order until there is a verdict.

The claim covers only the pool, and the labelled cases must have been chosen from it at random. The weight of the judge
is fixed before any label is seen, so the error levels hold however good the judge is (statistics.md §2.9).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.scenario import Criterion
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Estimand, Verdict
from pilotbase.evidence import Comparison, Levels
from pilotbase.evidence.prediction_powered import JudgedPool, PredictionPowered, PredictionPoweredSequence
from pilotbase.measures import Cases, measures, observe
from pilotbase.measures.cases import Ints
from pilotbase.measures.observation import missing_texts
from pilotbase.trial.recorded_cases import RecordedCases

_UNIT = 10_000
"""Labels and scores are whole multiples of one ten-thousandth."""


@dataclass(frozen=True)
class JudgedCriterion:
    """The result of one criterion: labels until it was confirmed or refuted, its bounds, labels that would decide."""

    verdict: str
    decided_at: int | None
    estimate: float
    lower: float | None
    upper: float | None
    cases_needed: int | None


@dataclass(frozen=True)
class JudgedDecision:
    """The verdict on a pool, and how many labels it took."""

    verdict: Verdict
    labels: int
    criteria: tuple[JudgedCriterion, ...]


@dataclass(frozen=True)
class JudgeScores:
    """A judge's scores, shape (cases,), 1 for a right answer, and how much it is trusted: λ in [0, 1], fixed before."""

    scores: NDArray[np.float64]
    weight: Fraction
    bounded: bool = True
    """Bounds and planning are wanted too; without them a decision is ten times as quick."""


def decide_few_labels(
    criteria: Sequence[Criterion],
    recorded: RecordedCases,
    judge: JudgeScores,
    order: Ints,
    levels: Levels,
    limit: int | None,
) -> JudgedDecision:
    """Return the verdict with labels bought in ``order``, skipping cases without a label; at most ``limit``."""
    labelled = np.ones(len(order), dtype=np.bool_) if recorded.labelled is None else recorded.labelled
    bought = order[labelled[order]][:limit]
    trials = [_Pool.of(criterion, recorded.cases, judge, bought) for criterion in criteria]
    shares = (float(levels.accept), float(levels.reject / len(criteria)))
    times = [trial.crossings(shares) for trial in trials]
    confirmed = [first for first, _ in times]
    last = max(first or len(bought) for first in confirmed) if None not in confirmed else len(bought)
    refuted = [second for _, second in times if second is not None and second <= last]
    used = min([last, *refuted])
    found = tuple(trial.conclude(pair, used, shares) for trial, pair in zip(trials, times, strict=True))
    verdicts = {item.verdict for item in found}
    verdict = Verdict.REJECT if "fail" in verdicts else Verdict.ACCEPT if verdicts == {"pass"} else Verdict.INCONCLUSIVE
    return JudgedDecision(verdict, used, found)


def few_label_problems(criteria: Sequence[Criterion], cases: Cases) -> Iterator[tuple[int, Text]]:
    """Yield (index, problem) for criteria that few labels can't decide."""
    for index, criterion in enumerate(criteria):
        if criterion.estimand is Estimand.POPULATION:
            yield index, text("trial.judge_claims_pool", rule=criterion.rule)
        elif not _counts_every_case(criterion, cases):
            yield index, text("trial.judge_needs_every_case", rule=criterion.rule)


def _counts_every_case(criterion: Criterion, cases: Cases) -> bool:
    """Return whether every case is right or wrong, whatever the unknown labels are."""
    order = np.arange(len(cases), dtype=np.int64)
    fillings: list[str | int]
    if cases.kind == "text":
        unknown, fillings = missing_texts(cases.truth), [""]
    elif cases.classes:
        unknown, fillings = cases.truth < 0, list(range(min(2, len(cases.classes))))
    else:
        unknown, fillings = np.isnan(cases.truth), [0]
    for filling in fillings:
        truth = np.where(unknown, filling, cases.truth)
        seen = observe(criterion.parsed(), replace(cases, truth=truth), order)
        binary = len(seen.parts) == 1 and set(seen.parts[0].outcomes) <= {(0, 1), (1, 1)}
        if seen.form != "single" or not binary or not bool((seen.parts[0].weight == 1).all()):
            return False
    return True


def require_few_label_criteria(criteria: Sequence[Criterion], cases: Cases) -> None:
    """Raise `InputError` naming every criterion that few labels cannot decide."""
    issues = [
        Issue(file="plan", path=f"criteria[{index}].rule", problem=problem)
        for index, problem in few_label_problems(criteria, cases)
    ]
    if issues:
        raise InputError.from_issues("criteria", issues)


@dataclass(frozen=True)
class _Pool:
    """One criterion on a pool: label and score of each case in the order bought; turned round where less is better."""

    pool: JudgedPool
    values: Ints
    threshold: Fraction
    weight: Fraction
    comparison: Comparison
    bounded: bool

    @classmethod
    def of(cls, criterion: Criterion, cases: Cases, judge: JudgeScores, bought: Ints) -> _Pool:
        rule = criterion.parsed()
        gain = observe(rule, cases, np.arange(len(cases), dtype=np.int64)).parts[0].gain.astype(np.int64)
        right = np.rint(_UNIT * judge.scores).astype(np.int64)
        lower = measures()[rule.measure].better == "lower"
        labels, scores = _UNIT * gain, _UNIT - right if lower else right
        threshold = Fraction(rule.threshold)
        if rule.comparison == "<=":
            labels, scores, threshold = _UNIT - labels, _UNIT - scores, 1 - threshold
        values = np.column_stack((labels[bought], scores[bought]))
        return cls(
            JudgedPool.of(scores, (0, _UNIT)), values, threshold * _UNIT, judge.weight, rule.comparison, judge.bounded
        )

    def crossings(self, shares: tuple[float, float]) -> tuple[int | None, int | None]:
        """Return after how many labels the criterion was confirmed and refuted."""
        rising, falling = PredictionPowered(self.pool, self.threshold, self.weight).update(self.values)
        return _first(rising, shares[0]), _first(falling, shares[1])

    def conclude(self, times: tuple[int | None, int | None], used: int, shares: tuple[float, float]) -> JudgedCriterion:
        confirmed, refuted = times
        seen = self.values[:used]
        if refuted is not None and refuted <= used:
            verdict, at = "fail", refuted
        elif confirmed is not None and confirmed <= used:
            verdict, at = "pass", confirmed
        else:
            verdict, at = "inconclusive", None
        estimate = self._estimate(seen)
        estimate = 1 - estimate if self.comparison == "<=" else estimate
        if not self.bounded:
            return JudgedCriterion(verdict, at, estimate, None, None, None)
        low, high = (self._bounds(seen, share) for share in shares)
        lower, upper = low[0] / _UNIT, high[1] / _UNIT
        if self.comparison == "<=":
            lower, upper = 1 - upper, 1 - lower
        needed = self._needed(seen, shares) if verdict == "inconclusive" else None
        return JudgedCriterion(verdict, at, estimate, lower, upper, needed)

    def _bounds(self, seen: Ints, share: float) -> tuple[float, float]:
        """Return bounds; each side holds at ``share``."""
        found = PredictionPoweredSequence(self.pool, min(2 * share, 0.999), self.weight).update(seen)
        return found.lower, found.upper

    def _estimate(self, seen: Ints) -> float:
        """Return the mean score of the pool, corrected by what the labels show about the judge."""
        if len(seen) == 0:
            return self.pool.score_total / self.pool.size / _UNIT
        weight = float(self.weight)
        residual = float(seen[:, 0].mean() - weight * seen[:, 1].mean())
        return (residual + weight * self.pool.score_total / self.pool.size) / _UNIT

    def _needed(self, seen: Ints, shares: tuple[float, float]) -> int:
        """Return about how many labels would decide, if the evidence grew on as it did: a planning estimate."""
        if len(seen) == 0:
            return self.pool.size
        paths = PredictionPowered(self.pool, self.threshold, self.weight).update(seen)
        growth = [
            float(path[-1]) / math.log(1 / share) for path, share in zip(paths, shares, strict=True) if path[-1] > 0
        ]
        return min(self.pool.size, math.ceil(len(seen) / max(growth))) if growth else self.pool.size


def _first(path: NDArray[np.float64], share: float) -> int | None:
    crossed = np.flatnonzero(path >= math.log(1 / share))
    return int(crossed[0]) + 1 if len(crossed) else None
