"""Few labels: a judge scores every case of a pool; true labels are bought in random order until there is a verdict.

The labelled cases must have been chosen at random. A claim about the pool has the judge's weight fixed before any label
is seen; one about the population gives each labelled case a group of its own from the end of the
order, and learns the weight. The error levels hold however good the judge is.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.scenario import Criterion
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Estimand, Verdict
from pilotbase.evidence import Levels
from pilotbase.evidence.prediction_powered import (
    GroupedLabels,
    JudgedPool,
    PredictionPowered,
    PredictionPoweredSequence,
)
from pilotbase.measures import Cases, measures, observe
from pilotbase.measures.cases import Ints
from pilotbase.measures.observation import missing_texts
from pilotbase.trial.recorded_cases import RecordedCases

GROUP = 9
"""Unlabelled cases for each labelled one: of more than nine each saves little."""
Path = NDArray[np.float64]
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
    group: int
    """Unlabelled cases for each labelled one, for a claim about the population."""
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
    if any(criterion.estimand is Estimand.POPULATION for criterion in criteria):
        bought = bought[: len(order) // (judge.group + 1)]
    trials = [
        _Population(criterion, recorded.cases, judge, order, bought, limit)
        if criterion.estimand is Estimand.POPULATION
        else _Pool.of(criterion, recorded.cases, judge, bought)
        for criterion in criteria
    ]
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
        if not _counts_every_case(criterion, cases):
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


class _Judged(ABC):
    """One criterion decided by few labels; ``turned``: it asks for ``<=``, so values are those of the opposite."""

    turned: bool
    bounded: bool

    @abstractmethod
    def paths(self, shares: tuple[float, float], used: int | None = None) -> tuple[Path, Path]:
        """Return the log capitals for and against the criterion, at these levels, after each of ``used`` labels."""

    @abstractmethod
    def bounds(self, used: int, shares: tuple[float, float]) -> tuple[float, float]:
        """Return bounds after ``used`` labels; each side holds at its share."""

    @abstractmethod
    def estimate(self, used: int) -> float:
        """Return the mean score, corrected by what the labels show about the judge."""

    def crossings(self, shares: tuple[float, float]) -> tuple[int | None, int | None]:
        """Return after how many labels the criterion was confirmed and refuted."""
        rising, falling = self.paths(shares)
        return _first(rising, shares[0]), _first(falling, shares[1])

    def conclude(self, times: tuple[int | None, int | None], used: int, shares: tuple[float, float]) -> JudgedCriterion:
        confirmed, refuted = times
        if refuted is not None and refuted <= used:
            verdict, at = "fail", refuted
        elif confirmed is not None and confirmed <= used:
            verdict, at = "pass", confirmed
        else:
            verdict, at = "inconclusive", None
        estimate = self.estimate(used)
        estimate = 1 - estimate if self.turned else estimate
        if not self.bounded:
            return JudgedCriterion(verdict, at, estimate, None, None, None)
        lower, upper = self.bounds(used, shares)
        if self.turned:
            lower, upper = 1 - upper, 1 - lower
        needed = self._needed(used, shares) if verdict == "inconclusive" else None
        return JudgedCriterion(verdict, at, estimate, lower, upper, needed)

    def _needed(self, used: int, shares: tuple[float, float]) -> int | None:
        """Return about how many labels would decide, if the evidence grew on as it did: a planning estimate."""
        paths = self.paths(shares, used) if used else ()
        growth = [
            float(path[-1]) / math.log(1 / share) for path, share in zip(paths, shares, strict=False) if path[-1] > 0
        ]
        return math.ceil(used / max(growth)) if growth else None


def _values(criterion: Criterion, cases: Cases, judge: JudgeScores) -> tuple[Ints, Ints, Fraction, bool]:
    """Return label and score of each case in units, the threshold, and whether all three were turned round."""
    rule = criterion.parsed()
    gain = observe(rule, cases, np.arange(len(cases), dtype=np.int64)).parts[0].gain.astype(np.int64)
    right = np.rint(_UNIT * judge.scores).astype(np.int64)
    labels, scores = _UNIT * gain, _UNIT - right if measures()[rule.measure].better == "lower" else right
    threshold, turned = Fraction(rule.threshold), rule.comparison == "<="
    return (_UNIT - labels, _UNIT - scores, 1 - threshold, turned) if turned else (labels, scores, threshold, turned)


class _Population(_Judged):
    """One criterion on the population, from independent entries: a labelled case with its group."""

    def __init__(
        self, criterion: Criterion, cases: Cases, judge: JudgeScores, order: Ints, bought: Ints, limit: int | None
    ) -> None:
        labels, scores, threshold, self.turned = _values(criterion, cases, judge)
        self.bounded, self._threshold = judge.bounded, float(threshold)
        # A group is cut from the end of the order by the number of its label, so no label can choose it.
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        number = np.arange(len(bought))
        starts = len(order) - (number + 1) * judge.group
        fits = np.logical_and.accumulate(place[bought] < starts) if len(bought) else number > 0
        members = order[starts[fits][:, None] + np.arange(judge.group)]
        columns = (labels[bought[fits]], scores[bought[fits]], scores[members].mean(axis=1))
        self._found = np.column_stack(columns) / _UNIT
        self._judge, self._horizon = judge, None if limit is None else min(limit, len(order) // (judge.group + 1))

    def _labelled(self, used: int | None) -> GroupedLabels:
        return GroupedLabels(self._found[:used], self._judge.group, self._judge.weight, self._horizon)

    def paths(self, shares: tuple[float, float], used: int | None = None) -> tuple[Path, Path]:
        found = self._labelled(used)
        return found.above(self._threshold, shares[0]), found.below(self._threshold, shares[1])

    def bounds(self, used: int, shares: tuple[float, float]) -> tuple[float, float]:
        found = self._labelled(used)
        return found.bounds(shares[0]).lower, found.bounds(shares[1]).upper

    def estimate(self, used: int) -> float:
        return float(self._labelled(used).entries.mean()) if used and len(self._found) else 0.0


@dataclass(frozen=True)
class _Pool(_Judged):
    """One criterion on a pool: label and score of each case in the order bought."""

    pool: JudgedPool
    values: Ints
    threshold: Fraction
    weight: Fraction
    turned: bool
    bounded: bool

    @classmethod
    def of(cls, criterion: Criterion, cases: Cases, judge: JudgeScores, bought: Ints) -> _Pool:
        labels, scores, threshold, turned = _values(criterion, cases, judge)
        values = np.column_stack((labels[bought], scores[bought]))
        return cls(JudgedPool.of(scores, (0, _UNIT)), values, threshold * _UNIT, judge.weight, turned, judge.bounded)

    def paths(self, shares: tuple[float, float], used: int | None = None) -> tuple[Path, Path]:
        rising, falling = PredictionPowered(self.pool, self.threshold, self.weight).update(self.values[:used])
        return rising, falling

    def bounds(self, used: int, shares: tuple[float, float]) -> tuple[float, float]:
        low, high = (
            PredictionPoweredSequence(self.pool, min(2 * share, 0.999), self.weight).update(self.values[:used])
            for share in shares
        )
        return low.lower / _UNIT, high.upper / _UNIT

    def estimate(self, used: int) -> float:
        seen, weight = self.values[:used], float(self.weight)
        if not used:
            return self.pool.score_total / self.pool.size / _UNIT
        residual = float(seen[:, 0].mean() - weight * seen[:, 1].mean())
        return (residual + weight * self.pool.score_total / self.pool.size) / _UNIT

    def _needed(self, used: int, shares: tuple[float, float]) -> int:
        return min(self.pool.size, super()._needed(used, shares) or self.pool.size)


def _first(path: NDArray[np.float64], share: float) -> int | None:
    crossed = np.flatnonzero(path >= math.log(1 / share))
    return int(crossed[0]) + 1 if len(crossed) else None
