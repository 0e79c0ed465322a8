"""Measures that are a function of all cases together: bounds that hold approximately, and at a fixed n only.

A function of cell counts (a confusion matrix) is resampled: drawing the counts from a multinomial distribution is the
bootstrap of the cases. The area under the ROC curve has DeLong's variance, or that of clusters. Neither is looked at
before the n that was fixed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from scipy import stats

from pilotbase.evidence.criterion import SingleTest
from pilotbase.evidence.martingale import Floats, Ints
from pilotbase.evidence.observations import CellStatistic, Comparison, ScoredClasses
from pilotbase.evidence.roc_area import delong

_FEW_CELLS = 64
_RESAMPLES, _RESAMPLES_OF_MANY_CELLS = 10_000, 2_000
_TAIL = 20
"""With fewer resamples beyond a bound than this, it is taken from a normal tail where that is wider."""
_SEED = 20_260


@dataclass(frozen=True, eq=False)
class FunctionTest:
    """The criterion *function of the first ``fixed`` cases* on one side of a bound; ``order``: the cases in order."""

    whole: SingleTest
    """The value over all cases, when all are scored."""
    statistic: CellStatistic | ScoredClasses
    order: Ints
    fixed: int
    comparison: Comparison
    units: Ints | None = None
    """A cluster code per case, for the area under the curve only."""
    _known: dict[float, tuple[float, float]] = field(default_factory=dict, repr=False)

    @property
    def range(self) -> tuple[Fraction, Fraction]:
        return self.whole.range

    def measured(self) -> bool:
        return self.whole.measured() and self.estimate(self.fixed) is not None

    def counts(self, horizon: int) -> tuple[int, int]:
        return self.whole.counts(horizon)

    def estimate(self, horizon: int) -> float | None:
        if horizon >= len(self.order):
            return self.whole.estimate(horizon)
        value = self._plain(self.order[:horizon])
        return None if math.isnan(value) else value

    def exact_fixed(self, bound: Fraction) -> bool:
        return False

    def holds(self, bound: Fraction) -> bool:
        return self.whole.holds(bound)

    def confirmed_at(self, bound: Fraction, alpha: float, horizon: int) -> int | None:
        if horizon < self.fixed:
            return None
        lower, upper = self.bounds(alpha)
        return self.fixed if (lower >= bound if self.comparison == ">=" else upper <= bound) else None

    def refuted_at(self, bound: Fraction, alpha: float, horizon: int) -> int | None:
        if horizon < self.fixed:
            return None
        lower, upper = self.bounds(alpha)
        return self.fixed if (upper < bound if self.comparison == ">=" else lower > bound) else None

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return a lower and an upper bound at the fixed n, each at ``alpha``."""
        if alpha not in self._known:
            low, high = (float(end) for end in self.range)
            lower, upper = self._bounds(self.order[: self.fixed], alpha)
            self._known[alpha] = min(max(lower, low), high), max(min(upper, high), low)
        return self._known[alpha]

    def _plain(self, chosen: Ints) -> float:
        if isinstance(self.statistic, CellStatistic):
            return float(self.statistic.value(_counts(self.statistic, chosen)))
        scores, positive = self.statistic.scores[chosen], self.statistic.positive[chosen]
        if positive.all() or not positive.any():
            return math.nan
        return 0.5 if scores.min() == scores.max() else delong(scores, positive, 0.5).area

    def _bounds(self, chosen: Ints, alpha: float) -> tuple[float, float]:
        if isinstance(self.statistic, ScoredClasses):
            units = None if self.units is None else self.units[chosen]
            return _delong(self.statistic.scores[chosen], self.statistic.positive[chosen], alpha, units)
        estimate = self.estimate(self.fixed)
        return _resampled(self.statistic, chosen, alpha, math.nan if estimate is None else estimate)


def _counts(statistic: CellStatistic, chosen: Ints) -> Floats:
    codes = statistic.codes[chosen]
    return np.bincount(codes[codes >= 0], minlength=statistic.cells).astype(np.float64)


def _resampled(statistic: CellStatistic, chosen: Ints, alpha: float, estimate: float) -> tuple[float, float]:
    """Return percentile bounds; resamples in which the function is 0/0 count as the worst on either side.

    One case spread over all cells is added to the shares, so that cells without a case are not taken for impossible:
    no error among ten cases is no proof that there are none.
    """
    counts = _counts(statistic, chosen)
    total = int(counts.sum())
    times = _RESAMPLES if statistic.cells <= _FEW_CELLS else _RESAMPLES_OF_MANY_CELLS
    shares = (counts + 1 / statistic.cells) / (total + 1)
    drawn = np.random.default_rng(_SEED).multinomial(total, shares / shares.sum(), size=times)
    values = statistic.value(drawn.astype(np.float64))
    # Where cells are bins of scores the value of the bins differs a little from the value itself.
    values = values + (estimate - float(statistic.value(counts)))
    lower = _tail(np.sort(np.where(np.isnan(values), -np.inf, values)), alpha)
    upper = -_tail(np.sort(np.where(np.isnan(values), -np.inf, -values)), alpha)
    return lower, upper


def _tail(rising: Floats, alpha: float) -> float:
    beyond = int(alpha * len(rising))
    found = float(rising[max(beyond - 1, 0)])
    finite = rising[np.isfinite(rising)]
    if beyond >= _TAIL or not len(finite):
        return found
    normal = float(np.median(finite) - stats.norm.isf(alpha) * finite.std())
    return min(found, normal)


def _delong(
    scores: Floats, positive: np.ndarray[tuple[int], np.dtype[np.bool_]], alpha: float, units: Ints | None
) -> tuple[float, float]:
    """Return bounds of the area at ``alpha`` each; none where a class is missing or no score differs from another."""
    if positive.all() or not positive.any() or scores.min() == scores.max() or alpha >= 0.5:
        return -math.inf, math.inf
    bounds = delong(scores, positive, 2 * alpha, units).bounds
    return bounds.lower, bounds.upper
