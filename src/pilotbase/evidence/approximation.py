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

from pilotbase.evidence.bootstrap import percentile_bounds, resampled
from pilotbase.evidence.criterion import SingleTest
from pilotbase.evidence.martingale import Floats, Ints
from pilotbase.evidence.observations import CellStatistic, Comparison, ScoredClasses
from pilotbase.evidence.primitive import Bounds
from pilotbase.evidence.roc_area import area_of, delong, ranks_cases

_FEW_CELLS = 64
_RESAMPLES, _RESAMPLES_OF_MANY_CELLS = 10_000, 2_000
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
        return self._plain(self.order[:horizon])

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
            found = self._bounds(self.order[: self.fixed], alpha)
            self._known[alpha] = min(max(found.lower, low), high), max(min(found.upper, high), low)
        return self._known[alpha]

    def _plain(self, chosen: Ints) -> float | None:
        if isinstance(self.statistic, CellStatistic):
            value = float(self.statistic.value(_counts(self.statistic, chosen)))
            return None if math.isnan(value) else value
        return area_of(self.statistic.scores[chosen], self.statistic.positive[chosen])

    def _bounds(self, chosen: Ints, alpha: float) -> Bounds:
        if isinstance(self.statistic, CellStatistic):
            estimate = self.estimate(self.fixed)
            return _of_cells(self.statistic, chosen, alpha, math.nan if estimate is None else estimate)
        scores, positive = self.statistic.scores[chosen], self.statistic.positive[chosen]
        if not ranks_cases(scores, positive) or alpha >= 0.5:
            return Bounds(-math.inf, math.inf)
        return delong(scores, positive, 2 * alpha, None if self.units is None else self.units[chosen]).bounds


def _counts(statistic: CellStatistic, chosen: Ints) -> Floats:
    codes = statistic.codes[chosen]
    return np.bincount(codes[codes >= 0], minlength=statistic.cells).astype(np.float64)


def _of_cells(statistic: CellStatistic, chosen: Ints, alpha: float, estimate: float) -> Bounds:
    """Return percentile bounds; resamples in which the function is 0/0 count as the worst on either side.

    One case spread over all cells is added to the shares, so that cells without a case are not taken for impossible:
    no error among ten cases is no proof that there are none.
    """
    counts = _counts(statistic, chosen)
    total = int(counts.sum())
    times = _RESAMPLES if statistic.cells <= _FEW_CELLS else _RESAMPLES_OF_MANY_CELLS
    shares = (counts + 1 / statistic.cells) / (total + 1)
    values = resampled(statistic.value, total, shares / shares.sum(), times, _SEED)
    # Where cells are bins of scores the value of the bins differs a little from the value itself.
    return percentile_bounds(values + (estimate - float(statistic.value(counts))), 2 * alpha)
