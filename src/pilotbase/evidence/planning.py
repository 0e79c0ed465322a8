"""How many cases a criterion needs, and whether so few can confirm it at all. Estimates: the verdict alone promises."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

import numpy as np

from pilotbase.evidence.combination import CombinedTest, GapTest
from pilotbase.evidence.criterion import CriterionTest, QuantileTest, SingleTest, WorstTest, aimed
from pilotbase.evidence.distributions import hypergeometric_tail
from pilotbase.evidence.lattice import MeanClaim
from pilotbase.evidence.martingale import FRACTIONS, Floats, Ints, log_mean
from pilotbase.evidence.observations import Comparison
from pilotbase.evidence.plans import CriterionPlan, Design, Levels, alphas_of, build_test, method_of
from pilotbase.evidence.recall_cut import RecallCutTest

_MOST = 1 << 20
_NEVER = 10**12


@dataclass(frozen=True)
class Feasibility:
    """Eligible entries needed to confirm when all goes well, and those available; for the scarcest group.

    ``needed`` is None if no number of cases suffices (a threshold at the end of the range, for a population).
    ``of``: what is counted, if not every eligible case: entries of several cases, the class asked about, the others.
    """

    needed: int | None
    available: int
    group: str | None = None
    of: Literal["cases", "entries", "scarcest", "others"] = "cases"

    @property
    def feasible(self) -> bool:
        return self.available > 0 and self.needed is not None and self.needed <= self.available


def feasibility_of(plan: CriterionPlan, order: Ints, levels: Levels, design: Design | None = None) -> Feasibility:
    """Return whether the cases in ``order`` could ever confirm ``plan``; a whole hidden set always decides."""
    design = design or Design()
    alpha, _ = alphas_of(plan, levels, 1)
    test = build_test(plan, order, method_of(plan, design))
    limit = min(design.cases, len(order)) if design.stop == "fixed" and design.cases is not None else len(order)
    if isinstance(test, RecallCutTest):
        return _of_cut(replace(test, fixed=limit), plan.threshold, alpha)
    share = alpha / len(test.parts) if isinstance(test, CombinedTest) else alpha
    found = [
        _of_single(single, bound, (share, limit), part.name)
        for (single, bound), part in zip(_parts(test, plan.threshold), plan.observation.parts, strict=True)
    ]
    worst = min(found, key=_spare)
    return replace(worst, of="entries") if plan.observation.joined and plan.estimand == "population" else worst


def _parts(test: CriterionTest, threshold: Fraction) -> list[tuple[SingleTest, Fraction]]:
    """Return each part with the bound that it has to reach."""
    if isinstance(test, SingleTest):
        return [(test, threshold)]
    if isinstance(test, WorstTest):
        return [(group, threshold) for group in test.groups]
    if isinstance(test, CombinedTest) and test.form == "mean":
        return [(part, threshold) for part in test.parts]
    if isinstance(test, CombinedTest):
        # Sums near zero: each part has to be shown above its share of the threshold below zero.
        return [(part, -threshold / len(test.parts)) for part in test.parts]
    if isinstance(test, QuantileTest):
        return [(test.aiming(threshold), test.quantile)]
    if not isinstance(test, GapTest):
        raise TypeError(type(test).__name__)
    # Two groups that are both always right differ by ≤ d once one of them is known to reach the top less d.
    towards: Comparison = "<=" if any(group.from_below for group in test.groups) else ">="
    return [(replace(group, comparison=towards), group.range[1] - threshold) for group in test.groups]


def _of_cut(test: RecallCutTest, threshold: Fraction, alpha: float) -> Feasibility:
    """Return whether the class and the others, above a cut, are each enough for a bound at ``threshold``."""
    (ours, others), least = test.classes(), test.needed(threshold, alpha)
    enough = test.others_needed(threshold, alpha)
    if least is not None and least <= ours and enough > others:
        return Feasibility(enough, others, of="others")
    return Feasibility(least, ours, of="scarcest")


def _of_single(test: SingleTest, bound: Fraction, how: tuple[float, int], name: str | None) -> Feasibility:
    alpha, limit = how
    available, total = test.counts(limit)
    claim = test.claim(bound, 0)
    if test.from_below and test.comparison == "<=":
        return Feasibility(None, available, name)
    if total == 0 or claim.high == claim.low:
        return Feasibility(total or None, available, name)
    if test.method == "fixed" and not test.binary and test.target is not None:
        return Feasibility(_aimed(test, claim, alpha), available, name)
    if not test.finite:
        share = (claim.mean - claim.low) / (claim.high - claim.low)
        return Feasibility(cases_to_confirm_at_best(share, alpha, test.method), available, name)
    best = replace(claim, values=np.full(total, claim.high, dtype=np.int64), entries=None)
    needed = (
        _fixed(best, alpha, claim.high - claim.low) if test.method == "fixed" and test.binary else _anytime(best, alpha)
    )
    return Feasibility(needed, available, name)


def _aimed(test: SingleTest, claim: MeanClaim, alpha: float) -> int | None:
    """Return the fewest entries with which bets that aim at their number confirm, all of them best."""
    most = claim.size if test.finite else _MOST

    def confirms(n: int) -> bool:
        return (
            n >= most
            or aimed(replace(claim, values=np.full(n, claim.high, dtype=np.int64)), test.finite, alpha) is not None
        )

    needed = _first(confirms)
    return None if needed is None or (needed >= most and not test.finite) else min(needed, most)


def _anytime(best: MeanClaim, alpha: float) -> int:
    """Return how many entries confirm when all are best; all of them where no fewer do."""
    index = best.confirming(True).crossing(best.values, math.log(1 / alpha))
    return len(best.values) if index is None else index + 1


def _fixed(best: MeanClaim, alpha: float, step: int) -> int:
    size = len(best.values)
    failing = (best.total - 1 - best.low * size) // step
    low, high = 1, size
    while low < high:
        middle = (low + high) // 2
        enough = hypergeometric_tail(middle, middle, size, failing) <= alpha
        low, high = (low, middle) if enough else (middle + 1, high)
    return low


def _spare(item: Feasibility) -> float:
    return float("-inf") if item.needed is None else item.available - item.needed


def cases_to_confirm_at_best(threshold: Fraction, alpha: float, method: str = "anytime") -> int | None:
    """Return the fewest cases that can confirm *mean ≥ threshold* when every case is right; None when none can.

    At threshold 0.90 and α 0.05: 29 at a fixed n, 55 at any time. In a finite set the whole set always decides.
    """
    if threshold <= 0:
        return 1
    if threshold >= 1:
        return None
    if method == "fixed":
        return _first(lambda n: n * math.log(threshold) <= math.log(alpha))
    growth = np.log1p(FRACTIONS * float(1 / threshold - 1))
    return _first(lambda n: _log_capital(n * growth) >= math.log(1 / alpha))


def cases_to_decide(claim: MeanClaim, known: int, alphas: tuple[float, float]) -> int | None:
    """Return how many eligible cases like the ``known`` ones would decide ``claim``; None when they would not.

    The growth of the capital per case is taken from the cases seen, as if more of the same kind came.
    """
    seen = claim.values[:known].astype(np.float64)
    if known < 2:
        return None
    mean, edge = float(seen.mean()), float(claim.mean)
    if mean >= edge:
        gains, alpha = (seen - claim.low) / max(edge - claim.low, 1e-12) - 1, alphas[0]
    else:
        gains, alpha = (claim.high - seen) / max(claim.high - edge, 1e-12) - 1, alphas[1]
    growth = np.array([np.log1p(fraction * gains).mean() for fraction in FRACTIONS])
    if growth.max() <= 0:
        return None
    needed = _first(lambda n: _log_capital(n * growth) >= math.log(1 / alpha))
    return None if needed is None else max(needed, known + 1)


def detectable_difference(claim: MeanClaim, known: int, total: int, alpha: float) -> float | None:
    """Return the smallest distance of the mean from its threshold that ``total`` eligible cases would decide.

    In units of the claim's values; from the variance seen and the Gaussian growth rate d²/(2σ²) per case.
    """
    if known < 2 or total < 1:
        return None
    spread = float(claim.values[:known].std())
    spread = max(spread, (claim.high - claim.low) / (2 * math.sqrt(known)))
    return spread * math.sqrt(2 * math.log(len(FRACTIONS) / alpha) / total)


def _first(reached: Callable[[int], bool]) -> int | None:
    """Return the smallest n ≥ 1 for which the monotone ``reached`` is true."""
    high = 1
    while not reached(high):
        high *= 2
        if high > _NEVER:
            return None
    low = high // 2 + 1 if high > 1 else 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle + 1, high)
    return low


def _log_capital(logs: Floats) -> float:
    return float(log_mean(logs[:, None])[0])
