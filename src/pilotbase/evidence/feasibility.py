"""Whether so few cases can confirm a criterion at all: asked before the freeze, with the number that could."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

import numpy as np

from pilotbase.evidence.alpha_spending import Levels
from pilotbase.evidence.approximation import FunctionTest, negatives_needed
from pilotbase.evidence.binary import hypergeometric_tail
from pilotbase.evidence.combination import CombinedTest
from pilotbase.evidence.criterion import CriterionTest, SingleTest, WorstTest
from pilotbase.evidence.gap import GapTest
from pilotbase.evidence.latency import QuantileTest
from pilotbase.evidence.lattice import MeanClaim
from pilotbase.evidence.martingale import Ints
from pilotbase.evidence.observations import RecallCut
from pilotbase.evidence.planning import cases_to_confirm_at_best
from pilotbase.evidence.plans import CriterionPlan, Design, alphas_of, build_test, method_of

_MOST = 1 << 20


@dataclass(frozen=True)
class Feasibility:
    """Eligible entries needed to confirm when all goes well, and those there are; of the scarcest group.

    ``needed`` is None when no number of cases suffices (a threshold at the end of the range, for a population).
    ``of``: what is counted, where it is not every eligible case: the class that has fewest, or the other classes.
    """

    needed: int | None
    available: int
    group: str | None = None
    of: Literal["cases", "scarcest", "others"] = "cases"

    @property
    def feasible(self) -> bool:
        return self.available > 0 and self.needed is not None and self.needed <= self.available


def feasibility_of(plan: CriterionPlan, order: Ints, levels: Levels, design: Design | None = None) -> Feasibility:
    """Return whether the cases in ``order`` could ever confirm ``plan``; a whole hidden set always decides."""
    design = design or Design()
    alpha, _ = alphas_of(plan, levels, 1)
    test = build_test(plan, order, method_of(plan, design))
    limit = min(design.cases, len(order)) if design.stop == "fixed" and design.cases is not None else len(order)
    if isinstance(test, FunctionTest):
        return _of_function(replace(test, fixed=limit), plan.threshold, alpha)
    share = alpha / len(test.parts) if isinstance(test, CombinedTest) else alpha
    found = [
        _of_single(single, bound, (share, limit), part.name)
        for (single, bound), part in zip(_parts(test, plan.threshold), plan.observation.parts, strict=True)
    ]
    return min(found, key=_spare)


def _parts(test: CriterionTest, threshold: Fraction) -> list[tuple[SingleTest, Fraction]]:
    """Return each part with the bound that it has to reach."""
    if isinstance(test, SingleTest):
        return [(test, threshold)]
    if isinstance(test, WorstTest):
        return [(group, threshold) for group in test.groups]
    if isinstance(test, CombinedTest) and test.form == "mean":
        return [(part, threshold) for part in test.parts]
    if isinstance(test, CombinedTest):
        # Sums near nothing: each part has to be shown above its share of the threshold below zero.
        return [(part, -threshold / len(test.parts)) for part in test.parts]
    if isinstance(test, QuantileTest):
        return [(test.shares_within(threshold), test.quantile)]
    if not isinstance(test, GapTest):
        raise TypeError(type(test).__name__)
    # Two groups that are both always right differ by ≤ d once one of them is known to reach the top less d.
    return [(replace(group, comparison=">="), group.range[1] - threshold) for group in test.groups]


def _of_function(test: FunctionTest, threshold: Fraction, alpha: float) -> Feasibility:
    """Return the fewest cases like these, doubled as often as needed, whose bound meets the threshold.

    Before that, whether the class that has fewest, and the others above a cut, are enough for a bound at all.
    """
    scarcest, least = test.scarcest(), test.needed(threshold, alpha)
    if least is None or least > scarcest:
        return Feasibility(least, scarcest, of="scarcest")
    if isinstance(test.statistic, RecallCut):
        others = int((~test.statistic.positive[test.order[: test.fixed]]).sum())
        enough = negatives_needed(test.statistic.rate, alpha) if test.comparison == ">=" else 1
        if enough > others:
            return Feasibility(enough, others, of="others")
    available = test.fixed
    confirms = test.confirmed_at(threshold, alpha, available) is not None
    order, needed = test.order[:available], available
    while not confirms and 0 < needed < _MOST:
        order, needed = np.concatenate((order, order)), 2 * needed
        larger = replace(test, order=order, fixed=needed, _known={})
        confirms = larger.confirmed_at(threshold, alpha, needed) is not None
    return Feasibility(needed if confirms else None, available)


def _of_single(test: SingleTest, bound: Fraction, how: tuple[float, int], name: str | None) -> Feasibility:
    alpha, limit = how
    available, total = test.counts(limit)
    claim = test.claim(bound, 0)
    if total == 0 or claim.high == claim.low:
        return Feasibility(total or None, available, name)
    if not test.finite:
        share = (claim.mean - claim.low) / (claim.high - claim.low)
        return Feasibility(cases_to_confirm_at_best(share, alpha, test.method), available, name)
    best = replace(claim, values=np.full(total, claim.high, dtype=np.int64), entries=None)
    needed = _fixed(best, alpha) if test.exact_fixed(bound) else _anytime(best, alpha)
    return Feasibility(needed, available, name)


def _anytime(best: MeanClaim, alpha: float) -> int:
    """Return how many entries confirm when all are best; all of them where no fewer do."""
    index = best.confirming(True).crossing(best.values, math.log(1 / alpha))
    return len(best.values) if index is None else index + 1


def _fixed(best: MeanClaim, alpha: float) -> int:
    size = len(best.values)
    failing = best.total - 1 - best.low * size
    low, high = 1, size
    while low < high:
        middle = (low + high) // 2
        enough = hypergeometric_tail(middle, middle, size, failing) <= alpha
        low, high = (low, middle) if enough else (middle + 1, high)
    return low


def _spare(item: Feasibility) -> float:
    return float("-inf") if item.needed is None else item.available - item.needed
