"""Whether so few cases can confirm a criterion at all: asked before the freeze, with the number that could."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from pilotbase.evidence.attempts import Levels
from pilotbase.evidence.criterion import SingleTest, WorstTest
from pilotbase.evidence.gap import GapTest
from pilotbase.evidence.latency import QuantileTest
from pilotbase.evidence.martingale import Ints
from pilotbase.evidence.planning import cases_to_confirm_at_best
from pilotbase.evidence.plans import CriterionPlan, Design, alphas_of, build_test, method_of


@dataclass(frozen=True)
class Feasibility:
    """Eligible entries needed to confirm when all goes well, and those there are; of the scarcest group.

    ``needed`` is None when no number of cases suffices (a threshold at the end of the range, for a population).
    """

    needed: int | None
    available: int
    group: str | None = None

    @property
    def feasible(self) -> bool:
        return self.available > 0 and self.needed is not None and self.needed <= self.available


def feasibility_of(plan: CriterionPlan, order: Ints, levels: Levels, design: Design | None = None) -> Feasibility:
    """Return whether the cases in ``order`` could ever confirm ``plan``; a whole hidden set always decides."""
    design = design or Design()
    method = method_of(plan, design)
    alpha, _ = alphas_of(plan, levels, 1)
    test = build_test(plan, order, method)
    limit = design.cases if design.stop == "fixed" and design.cases is not None else len(order)
    found = [
        _of_single(single, share, (alpha, method, limit), part.name)
        for (single, share), part in zip(_shares(test, plan.threshold), plan.observation.parts, strict=True)
    ]
    return min(found, key=_spare)


def _shares(test: object, threshold: Fraction) -> list[tuple[SingleTest, Fraction]]:
    """Return each part with the share of the best outcome that the criterion asks of it."""
    if isinstance(test, SingleTest):
        return [(test, _asked(test, threshold))]
    if isinstance(test, WorstTest):
        return [(group, _asked(group, threshold)) for group in test.groups]
    if isinstance(test, QuantileTest):
        return [(test.single, test.quantile)]
    assert isinstance(test, GapTest)
    # Two groups that are both always right differ by ≤ d once one of them is known to reach 1 - d.
    low, high = test.range
    return [(group, 1 - threshold / (high - low)) for group in test.groups]


def _asked(test: SingleTest, threshold: Fraction) -> Fraction:
    claim = test.claim(threshold)
    if claim.high == claim.low:
        return Fraction(0)
    return (claim.mean - claim.low) / (claim.high - claim.low)


def _of_single(
    test: SingleTest, share: Fraction, how: tuple[float, Literal["anytime", "fixed"], int], name: str | None
) -> Feasibility:
    alpha, method, limit = how
    available, total = test.counts(limit)
    needed = cases_to_confirm_at_best(share, alpha, method)
    if test.finite and available == total > 0:
        needed = min(needed or total, total)
    return Feasibility(needed, available, name)


def _spare(item: Feasibility) -> float:
    return float("-inf") if item.needed is None else item.available - item.needed
