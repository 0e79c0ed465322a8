"""Measures that are a function of all cases together: bounds at a fixed n only.

Recall at a fixed false-alarm rate has exact bounds: a cut from the order of the other class's scores, and a count. The
bounds of functions of cell counts (a confusion matrix) are approximate, by resampling the counts as the cases would be;
so are those of the area under the ROC curve, by DeLong's variance or that of clusters. Approximate bounds fail up to
twice as often as they state when cases are few: so they are taken at half the level, and never below the sizes of
`docs/decisions/0049`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pilotbase.evidence.bootstrap import percentile_bounds, resampled
from pilotbase.evidence.criterion import SingleTest
from pilotbase.evidence.distributions import binomial_at_least, binomial_at_most, clopper_pearson, smallest
from pilotbase.evidence.martingale import Floats, Ints
from pilotbase.evidence.observations import Comparison, CountStatistic, RecallCut, Statistic
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
    statistic: Statistic
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

    def exact_fixed(self) -> bool:
        return isinstance(self.statistic, RecallCut)

    def scarcest(self) -> int:
        """Return how many cases there are, up to the fixed n, of the class (or clusters with it) that has fewest."""
        chosen = self.order[: self.fixed]
        if isinstance(self.statistic, CountStatistic):
            kinds = self.statistic.kinds
            occurring = int(kinds.max(initial=0)) + 1
            return int(np.bincount(kinds[chosen][kinds[chosen] >= 0], minlength=occurring).min())
        positive = self.statistic.positive[chosen]
        if self.units is None:
            return min(int(positive.sum()), int((~positive).sum()))
        return min(len(np.unique(self.units[chosen][mine])) for mine in (positive, ~positive))

    def needed(self, bound: Fraction, alpha: float) -> int | None:
        """Return how many cases the scarcest class needs for ``bound`` to be confirmed; None if no number suffices."""
        if isinstance(self.statistic, CountStatistic):
            return self.statistic.least
        share = float(bound if self.comparison == ">=" else 1 - bound)
        if not 0 < share < 1:
            return None if share >= 1 else 1
        # Otherwise a share of them below all others would go unseen more often than α/2.
        return math.ceil(math.log(alpha / 2) / math.log(share))

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
        if isinstance(self.statistic, CountStatistic):
            value = float(self.statistic.value(_counts(self.statistic, chosen)))
            return None if math.isnan(value) else value
        scores, positive = self.statistic.scores[chosen], self.statistic.positive[chosen]
        if isinstance(self.statistic, RecallCut):
            return _recall_at(scores, positive, self.statistic.rate)
        return area_of(scores, positive)

    def _bounds(self, chosen: Ints, alpha: float) -> Bounds:
        if isinstance(self.statistic, CountStatistic):
            estimate = self.estimate(self.fixed)
            if self.scarcest() < self.statistic.least:
                return Bounds(-math.inf, math.inf)
            return _of_cells(self.statistic, chosen, alpha, math.nan if estimate is None else estimate)
        scores, positive = self.statistic.scores[chosen], self.statistic.positive[chosen]
        if isinstance(self.statistic, RecallCut):
            return _of_cut(scores, positive, self.statistic.rate, alpha)
        if not ranks_cases(scores, positive) or alpha >= 0.5:
            return Bounds(-math.inf, math.inf)
        found = delong(scores, positive, alpha, None if self.units is None else self.units[chosen]).bounds
        surest = (alpha / 2) ** (1 / self.scarcest())
        return Bounds(min(found.lower, surest), max(found.upper, 1 - surest))


def negatives_needed(rate: Fraction, alpha: float) -> int:
    """Return how many others there must be for any of them to lie above the cut at ``rate`` with error α/2."""
    return math.ceil(math.log(alpha / 2) / math.log1p(-float(rate)))


def _recall_at(scores: Floats, positive: NDArray[np.bool_], rate: Fraction) -> float | None:
    """Return the share of positives above the lowest cut with at most ``rate`` of the others above it."""
    others = np.sort(scores[~positive])[::-1]
    if not len(others) or len(others) == len(scores):
        return None
    allowed = int(rate * len(others))
    return float((scores[positive] > others[allowed]).mean()) if allowed < len(others) else 1.0


def _of_cut(scores: Floats, positive: NDArray[np.bool_], rate: Fraction, alpha: float) -> Bounds:
    """Return exact bounds of recall at ``rate``: half of ``alpha`` for the cut, half for the count above it.

    The k-th highest score of the others is at or above the cut that the rate allows, and the l-th at or below it, each
    with error at most α/2 (order statistics); positives strictly above them are then a binomial count
    (Clopper-Pearson).
    """
    ours, others = scores[positive], np.sort(scores[~positive])[::-1]
    size, share, each = len(others), float(rate), alpha / 2
    if not len(ours) or not size:
        return Bounds(0.0, 1.0)
    above = smallest(0, size, lambda k: binomial_at_most(k, size, share) > each)
    below = smallest(1, size + 1, lambda k: binomial_at_least(k, size, share) <= each)
    lower, upper = 0.0, 1.0
    if above:
        lower = clopper_pearson(int((ours > others[above - 1]).sum()), len(ours), each, each).lower
    if below <= size:
        upper = clopper_pearson(int((ours > others[below - 1]).sum()), len(ours), each, each).upper
    return Bounds(lower, upper)


def _counts(statistic: CountStatistic, chosen: Ints) -> Floats:
    codes = statistic.codes[chosen]
    return np.bincount(codes[codes >= 0], minlength=statistic.cells).astype(np.float64)


def _of_cells(statistic: CountStatistic, chosen: Ints, alpha: float, estimate: float) -> Bounds:
    """Return percentile bounds; resamples in which the function is 0/0 count as the worst on either side.

    One case spread over all cells is added to the shares, so that empty cells aren't treated as impossible: no error
    among ten cases doesn't prove that there are none.
    """
    counts = _counts(statistic, chosen)
    total = int(counts.sum())
    times = _RESAMPLES if statistic.cells <= _FEW_CELLS else _RESAMPLES_OF_MANY_CELLS
    shares = (counts + 1 / statistic.cells) / (total + 1)
    values = resampled(statistic.value, total, shares / shares.sum(), times, _SEED)
    # Where cells are bins of scores the value of the bins differs a little from the value itself.
    return percentile_bounds(values + (estimate - float(statistic.value(counts))), alpha)
