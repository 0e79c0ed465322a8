"""The area under the ROC curve with its variance, from ranks: DeLong's, and Obuchowski's where cases come in clusters.

Approximate, for many cases, and for an n that was fixed beforehand: it must not be looked at again and again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pilotbase.documents.errors import InputError
from pilotbase.evidence.distributions import student_upper_quantile
from pilotbase.evidence.primitive import Bounds, Floats, Ints, codes, reals, table, within

_LARGEST = float(np.finfo(np.float64).max)
_LARGEST_UNIT = 2.0**53


@dataclass(frozen=True)
class Area:
    """The area, its variance, and bounds of ``alpha``/2 a side; positives and negatives that it was computed from."""

    area: float
    variance: float
    bounds: Bounds
    positives: int
    negatives: int


@dataclass(frozen=True)
class DeLongState:
    """All scores, classes and (if clustered) units so far, in their order."""

    scores: tuple[float, ...]
    positive: tuple[int, ...]
    units: tuple[int, ...]


class DeLong:
    """Collects scored cases; the area needs all of them.

    ``clustered``: a third column names each case's unit.
    """

    def __init__(self, alpha: float, clustered: bool = False, state: DeLongState | None = None) -> None:
        within("alpha", alpha, 0, 1)
        self._alpha, self._clustered = alpha, clustered
        self._state = state or DeLongState((), (), ())

    @property
    def state(self) -> DeLongState:
        return self._state

    def update(self, values: NDArray[Any]) -> Area | None:
        """Take cases, columns (score, 1 for positive or 0[, unit]); return the area, or None while there is none."""
        rows = table(values, (3 if self._clustered else 2,))
        scores, classes = reals(rows[:, 0], -_LARGEST, _LARGEST), codes(rows[:, 1], 0, 1)
        units = codes(rows[:, 2], -_LARGEST_UNIT, _LARGEST_UNIT) if self._clustered else np.zeros(0, dtype=np.int64)
        before = self._state
        self._state = DeLongState(
            (*before.scores, *scores.tolist()), (*before.positive, *classes.tolist()), (*before.units, *units.tolist())
        )
        return self._area()

    def _area(self) -> Area | None:
        units = np.array(self._state.units, dtype=np.int64) if self._clustered else None
        scores, positive = np.array(self._state.scores), np.array(self._state.positive, dtype=np.bool_)
        return delong(scores, positive, self._alpha, units) if ranks_cases(scores, positive) else None


def ranks_cases(scores: Floats, positive: NDArray[np.bool_]) -> bool:
    """Return whether there is an area with bounds: cases of both classes, and scores that differ."""
    return bool(positive.any() and not positive.all() and scores.min() < scores.max())


def area_of(scores: Floats, positive: NDArray[np.bool_]) -> float | None:
    """Return only the area, with ties counting half; None if a class is missing."""
    if positive.all() or not positive.any():
        return None
    return float(_placements(scores, positive)[positive].mean())


def delong(scores: Floats, positive: NDArray[np.bool_], alpha: float, units: Ints | None = None) -> Area:
    """Return the area under the ROC curve; with ``units`` (a code per case), clusters are the sampling units.

    Bounds are symmetric on the scale of log(area / (1 - area)), by Student's t with one degree of freedom less than the
    scarcer class has cases (or units): on the plain scale, an area near 1 exceeds its bound three times too often. If
    no pair is out of order the variance is 0: the bound is then that of as many independent pairs all in order. With
    fewer than two of a class (or two units with it) there is no bound. Source: DeLong, DeLong & Clarke-Pearson 1988;
    ranks as in Sun & Xu 2014; clusters: Obuchowski, "Nonparametric analysis of clustered ROC curve data", Biometrics
    1997; the scale: Pepe, The Statistical Evaluation of Medical Tests, 2003, section 5.2.
    """
    within("alpha", alpha, 0, 1)
    if positive.all() or not positive.any():
        raise InputError("evidence.one_class_only", found=len(positive))
    if scores.min() == scores.max():
        raise InputError("evidence.scores_all_equal", found=float(scores[0]))
    placements = _placements(scores, positive)
    area = float(placements[positive].mean())
    counts = int(positive.sum()), int((~positive).sum())
    if units is None:
        variance, scarcer = _variance(placements[positive], placements[~positive]), min(counts)
        pairs = scarcer
    else:
        variance, scarcer = _clustered_variance(placements, positive, units, area)
        pairs = scarcer // 2  # of different clusters
    return Area(area, variance, _bounds((area, variance), scarcer, pairs, alpha), *counts)


def _placements(scores: Floats, positive: NDArray[np.bool_]) -> Floats:
    """Return for each positive the share of negatives below it, and for each negative that of positives above it.

    Ties count half. Shape (n,), in case order.
    """
    order = np.argsort(scores)
    ordered, is_positive = scores[order], positive[order]
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    lengths = np.diff(last, prepend=-1)
    found = np.empty(len(scores))
    for mine, sign in ((True, 1), (False, -1)):
        others = np.cumsum(is_positive != mine)[last]
        below = np.repeat((others + np.concatenate(([0], others[:-1]))) / 2, lengths)
        share = below / others[-1]
        where = is_positive == mine
        found[order[where]] = share[where] if sign > 0 else 1 - share[where]
    return found


def _variance(of_positives: Floats, of_negatives: Floats) -> float:
    if min(len(of_positives), len(of_negatives)) < 2:
        return math.nan
    return float(of_positives.var(ddof=1) / len(of_positives) + of_negatives.var(ddof=1) / len(of_negatives))


def _clustered_variance(placements: Floats, positive: NDArray[np.bool_], units: Ints, area: float) -> tuple[float, int]:
    """Return the variance from sums over clusters, and how many clusters hold the scarcer class."""
    _, places = np.unique(units, return_inverse=True)
    clusters = int(places.max()) + 1
    counts, residuals = [], []
    for mine in (positive, ~positive):
        counts.append(np.bincount(places[mine], minlength=clusters))
        residuals.append(np.bincount(places[mine], placements[mine] - area, minlength=clusters))
    with_class = [int((count > 0).sum()) for count in counts]
    if min(with_class) < 2:
        return math.nan, min(with_class)
    totals = [int(count.sum()) for count in counts]
    spread = sum(
        known / (known - 1) * float((residual**2).sum()) / total**2
        for known, residual, total in zip(with_class, residuals, totals, strict=True)
    )
    together = clusters / (clusters - 1) * float((residuals[0] * residuals[1]).sum())
    return max(spread + 2 * together / (totals[0] * totals[1]), 0.0), min(with_class)


def _bounds(found: tuple[float, float], scarcer: int, pairs: int, alpha: float) -> Bounds:
    area, variance = found
    if math.isnan(variance):
        return Bounds(0.0, 1.0)
    if variance < 1e-18 or not 0 < area < 1:
        certain = (alpha / 2) ** (1 / max(pairs, 1))
        return Bounds(min(certain, area), max(1 - certain, area))
    reach = student_upper_quantile(alpha / 2, scarcer - 1) * math.sqrt(variance) / (area * (1 - area))
    lower, upper = special.expit(special.logit(area) + np.array([-reach, reach]))
    return Bounds(float(lower), float(upper))
