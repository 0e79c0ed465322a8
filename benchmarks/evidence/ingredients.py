"""What most simulations are made of: binary criteria, levels, and the product's verdict on them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from pilotbase.evidence import CriterionPlan, Design, Estimand, Levels, Verdict, verdict_of
from pilotbase.measures import MeasurePart, Observation

ALPHA = Fraction(1, 20)
LEVELS = Levels(ALPHA, ALPHA)
"""α = 0.05 for accepting and for rejecting."""
FIXED = Design(stop="full")
BINARY = ((0, 1), (1, 1))


def share_of(right: Any, bound: str, estimand: Estimand = "hidden_set", **how: Any) -> CriterionPlan:
    """Return the criterion *share of right answers ≥ bound*."""
    right = np.asarray(right, dtype=np.int64)
    return ratio_of(right, np.ones(len(right), dtype=np.int64), (BINARY, bound), estimand, **how)


def ratio_of(gain: Any, weight: Any, rule: tuple[Any, str], estimand: Estimand, **how: Any) -> CriterionPlan:
    """Return the criterion *Σ gain / Σ weight ≥ bound* with ``rule`` = (outcomes, bound)."""
    part = MeasurePart(np.asarray(gain, dtype=np.int64), np.asarray(weight, dtype=np.int64), rule[0])
    return CriterionPlan("share", Observation("single", (part,)), ">=", Fraction(rule[1]), estimand, **how)


def verdict(
    plans: CriterionPlan | Sequence[CriterionPlan], order: Any = None, levels: Levels = LEVELS, fixed: bool = False
) -> Verdict:
    """Return the product's verdict; without an ``order`` the cases come as they are (independent draws)."""
    plans = [plans] if isinstance(plans, CriterionPlan) else plans
    order = np.arange(len(plans[0].observation.parts[0].gain)) if order is None else order
    return verdict_of(plans, np.asarray(order, dtype=np.int64), levels, FIXED if fixed else None)[0]


def accepted(
    plans: CriterionPlan | Sequence[CriterionPlan], order: Any = None, levels: Levels = LEVELS, fixed: bool = False
) -> bool:
    """Return whether the product accepts."""
    return verdict(plans, order, levels, fixed) == "accept"


def rejected(
    plans: CriterionPlan | Sequence[CriterionPlan], order: Any = None, levels: Levels = LEVELS, fixed: bool = False
) -> bool:
    """Return whether the product rejects."""
    return verdict(plans, order, levels, fixed) == "reject"
