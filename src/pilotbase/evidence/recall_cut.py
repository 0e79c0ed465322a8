"""Recall at a rate of false alarms, or the area up to it, at a fixed n: a cut from the others' scores, and a test.

A share of the level pays for the cut (half, for a count above it), the rest for the test: exact, with no assumption on
the scores.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pilotbase.evidence.criterion import AIMED, SingleTest
from pilotbase.evidence.distributions import binomial_at_least, binomial_at_most, clopper_pearson, smallest
from pilotbase.evidence.lattice import stream_of
from pilotbase.evidence.martingale import Floats, Ints
from pilotbase.evidence.observations import Comparison, RecallCut, draw_order
from pilotbase.evidence.primitive import Bounds

OF_CUT = 0.3
"""Share of the level for the cut of an area."""
_MOST = 1 << 40


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
        return len(self._first(horizon)), len(self._first(len(self.order)))

    def estimate(self, horizon: int) -> float | None:
        return self.statistic.value(self._first(horizon))

    def exact_fixed(self) -> bool:
        return True

    def classes(self) -> tuple[int, int]:
        """Return how many cases of the class and how many others there are up to the fixed n."""
        positive = self.statistic.positive[self._first(self.fixed)]
        return int(positive.sum()), int((~positive).sum())

    def needed(self, bound: Fraction, alpha: float) -> int | None:
        """Return how many cases of the class ``bound`` needs to be confirmed; None if no number suffices."""
        share = float(bound if self.comparison == ">=" else 1 - bound)
        if not 0 < share < 1:
            return None if share >= 1 else 1
        return math.ceil(math.log(alpha / 2) / math.log(share))

    def others_needed(self, bound: Fraction, alpha: float) -> int:
        """Return how many others there must be for any of them to lie above the cut."""
        if self.comparison != ">=":
            return 1
        return math.ceil(math.log(alpha / 2) / math.log1p(-float(self.statistic.rate)))

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
            chosen, of = self._first(self.fixed), self.statistic
            self._known[alpha] = _of_cut(of.scores[chosen], of.positive[chosen], of.rate, alpha)
        return self._known[alpha]

    def _first(self, horizon: int) -> Ints:
        chosen = self.order[:horizon]
        return chosen[self.statistic.chosen[chosen]]


@dataclass(frozen=True, eq=False)
class AreaCutTest(RecallCutTest):
    """The criterion *normalised area under the ROC curve up to the rate*.

    Recall rises with false alarms, so the area up to a cut below the rate is at most that up to the rate. Half of the
    others give the cut, the rest are compared with the class beyond it.
    """

    _tests: dict[tuple[float, bool], SingleTest | None] = field(default_factory=dict, repr=False)

    def needed(self, bound: Fraction, alpha: float) -> int | None:
        return super().needed(bound, 2 * AIMED * (1 - OF_CUT) * alpha)

    def others_needed(self, bound: Fraction, alpha: float) -> int:
        """Return how many others leave, nearly always, as many beyond the cut as of the class are needed."""
        least = self.needed(bound, alpha) or 1

        def enough(half: int) -> bool:
            above, _ = _cuts(half, self.statistic.rate, OF_CUT * alpha)
            return above - 2 * math.sqrt(2 * above) >= least

        return 2 * smallest(1, _MOST, enough)

    def confirmed_at(self, bound: Fraction, alpha: float, horizon: int) -> int | None:
        test = self._beyond(alpha, self.comparison == ">=") if horizon >= self.fixed else None
        return None if test is None else self._once(test.confirmed_at(bound, (1 - OF_CUT) * alpha, horizon))

    def refuted_at(self, bound: Fraction, alpha: float, horizon: int) -> int | None:
        test = self._beyond(alpha, self.comparison != ">=") if horizon >= self.fixed else None
        return None if test is None else self._once(test.refuted_at(bound, (1 - OF_CUT) * alpha, horizon))

    def _once(self, found: int | None) -> int | None:
        return None if found is None else self.fixed

    def _beyond(self, alpha: float, above: bool) -> SingleTest | None:
        """Return the test of the area up to a cut that is ``above`` the rate's, or below it, with the share of alpha.

        Equal scores stand in an order that is drawn by lot: the curve is straight over them, and the cut can part them.
        """
        if (alpha, above) not in self._tests:
            self._tests[alpha, above] = self._make(alpha, above)
        return self._tests[alpha, above]

    def _make(self, alpha: float, above: bool) -> SingleTest | None:
        cases, of = self._first(self.fixed), self.statistic
        lots, ranks = draw_order(len(cases), b"equal scores"), np.zeros(len(of.scores))
        ranks[cases[np.lexsort((lots, of.scores[cases]))]] = np.arange(len(cases))
        others = cases[~of.positive[cases]]
        half = len(others) // 2
        place = _cuts(half, of.rate, OF_CUT * alpha)[0 if above else 1]
        if not 0 < place <= half or of.blocks is None:
            return None
        beyond = others[half:][ranks[others[half:]] > np.sort(ranks[others[:half]])[-place]]
        used = cases[of.positive[cases] | np.isin(cases, beyond)]
        part = of.blocks(used, ranks)
        stream = stream_of(part, used, None)
        return replace(self.whole, stream=stream, census=stream) if len(stream) else None


def _cuts(size: int, rate: Fraction, each: float) -> tuple[int, int]:
    """Return which of ``size`` falling scores is at or above the cut of the rate, and which at or below it.

    Each fails with probability ``each``; 0 and ``size`` + 1 where there is none.
    """
    share = float(rate)
    above = smallest(0, size, lambda k: binomial_at_most(k, size, share) > each)
    return above, smallest(1, size + 1, lambda k: binomial_at_least(k, size, share) <= each)


def _of_cut(scores: Floats, positive: NDArray[np.bool_], rate: Fraction, alpha: float) -> Bounds:
    """Return exact bounds of recall at ``rate``: half of ``alpha`` for the cut, half for the count above it.

    The k-th highest score of the others is at or above the cut that the rate allows, and the l-th at or below it, each
    with error at most α/2 (order statistics); positives strictly above them are then a binomial count
    (Clopper-Pearson).
    """
    ours, others = scores[positive], np.sort(scores[~positive])[::-1]
    size, each = len(others), alpha / 2
    if not len(ours) or not size:
        return Bounds(0.0, 1.0)
    above, below = _cuts(size, rate, each)
    lower, upper = 0.0, 1.0
    if above:
        lower = clopper_pearson(int((ours > others[above - 1]).sum()), len(ours), each, each).lower
    if below <= size:
        upper = clopper_pearson(int((ours > others[below - 1]).sum()), len(ours), each, each).upper
    return Bounds(lower, upper)
