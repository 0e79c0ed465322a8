"""Recall at a rate of false alarms, at a fixed n: a cut from the order of the other class's scores, and a count.

Half the level pays for the cut, half for the count: exact, with no assumption on the scores.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pilotbase.evidence.criterion import SingleTest
from pilotbase.evidence.distributions import binomial_at_least, binomial_at_most, clopper_pearson, smallest
from pilotbase.evidence.martingale import Floats, Ints
from pilotbase.evidence.observations import Comparison, RecallCut
from pilotbase.evidence.primitive import Bounds


@dataclass(frozen=True, eq=False)
class RecallCutTest:
    """The criterion *recall of the first ``fixed`` cases* on one side of a bound; ``order``: the cases in order."""

    whole: SingleTest
    """The value over all cases, when all are scored."""
    statistic: RecallCut
    order: Ints
    fixed: int
    comparison: Comparison
    _known: dict[float, Bounds] = field(default_factory=dict, repr=False)

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
        return _recall_at(*self._first(horizon), self.statistic.rate)

    def exact_fixed(self) -> bool:
        return True

    def classes(self) -> tuple[int, int]:
        """Return how many cases of the class and how many others there are up to the fixed n."""
        positive = self._first(self.fixed)[1]
        return int(positive.sum()), int((~positive).sum())

    def needed(self, bound: Fraction, alpha: float) -> int | None:
        """Return how many cases of the class ``bound`` needs to be confirmed; None if no number suffices."""
        share = float(bound if self.comparison == ">=" else 1 - bound)
        if not 0 < share < 1:
            return None if share >= 1 else 1
        return math.ceil(math.log(alpha / 2) / math.log(share))

    def holds(self, bound: Fraction) -> bool:
        return self.whole.holds(bound)

    def confirmed_at(self, bound: Fraction, alpha: float, horizon: int) -> int | None:
        found = self.bounds(alpha) if horizon >= self.fixed else Bounds(-math.inf, math.inf)
        return self.fixed if (found.lower >= bound if self.comparison == ">=" else found.upper <= bound) else None

    def refuted_at(self, bound: Fraction, alpha: float, horizon: int) -> int | None:
        found = self.bounds(alpha) if horizon >= self.fixed else Bounds(-math.inf, math.inf)
        return self.fixed if (found.upper < bound if self.comparison == ">=" else found.lower > bound) else None

    def bounds(self, alpha: float) -> Bounds:
        """Return a lower and an upper bound at the fixed n, each at ``alpha``."""
        if alpha not in self._known:
            self._known[alpha] = _of_cut(*self._first(self.fixed), self.statistic.rate, alpha)
        return self._known[alpha]

    def _first(self, horizon: int) -> tuple[Floats, NDArray[np.bool_]]:
        chosen = self.order[:horizon]
        return self.statistic.scores[chosen], self.statistic.positive[chosen]


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
