"""What a plan freezes about its criteria, and the test that each becomes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from pilotbase.documents.errors import InputError
from pilotbase.evidence.alpha_spending import Levels
from pilotbase.evidence.approximation import FunctionTest
from pilotbase.evidence.claims import Estimand
from pilotbase.evidence.combination import CombinedTest
from pilotbase.evidence.criterion import CriterionTest, Method, SingleTest, WorstTest
from pilotbase.evidence.gap import GapTest
from pilotbase.evidence.latency import QuantileTest
from pilotbase.evidence.lattice import stream_of
from pilotbase.evidence.martingale import Ints
from pilotbase.evidence.observations import Comparison, CountStatistic, MeasuredCases, RatioPart


@dataclass(frozen=True)
class Design:
    """When the run stops: ``early`` as soon as the verdict stands, ``fixed`` after ``cases``, ``full`` after all."""

    stop: Literal["early", "fixed", "full"] = "early"
    cases: int | None = None


@dataclass(frozen=True)
class CriterionPlan:
    """One criterion as the plan freezes it, with what was observed of it.

    ``units``: a cluster code per case when the unit is not the case; ``unit`` is its name for the reader.
    ``levels``: this criterion's own, where they differ from the decision's.
    ``run``: judged on a measured run of its own (latency, memory), always at its full load; ``observation`` then
    covers the run's requests or blocks, in the order in which they came.
    """

    rule: str
    observation: MeasuredCases
    comparison: Comparison
    threshold: Fraction
    estimand: Estimand = "hidden_set"
    unit: str = "case"
    units: Ints | None = None
    run: bool = False
    levels: Levels | None = None


def levels_among(levels: Levels, candidates: int) -> Levels:
    """Return the levels at which each of several candidates is judged when the best is taken: α / k.

    Then any of them is judged wrongly with probability at most α, however the best is chosen.
    """
    if candidates < 1:
        raise InputError("evidence.candidates_out_of_range", candidates=candidates)
    return Levels(levels.accept / candidates, levels.reject / candidates)


def build_test(plan: CriterionPlan, order: Ints, method: Method, fixed: int | None = None) -> CriterionTest:
    """Return the test of ``plan`` on the cases in ``order``; ``fixed``: the n at which approximate bounds are taken.

    Raises:
        InputError: the unit is a cluster, and the measure's entries, or its approximation, are of cases.
    """
    if plan.units is not None and plan.observation.joined:
        raise InputError("evidence.joined_units", rule=plan.rule, unit=plan.unit)
    if plan.units is not None and isinstance(plan.observation.statistic, CountStatistic):
        raise InputError("evidence.function_units", rule=plan.rule, unit=plan.unit)
    form, statistic = plan.observation.form, plan.observation.statistic
    if form in ("mean", "absolute_sum"):
        ratios = [replace(_single(part, plan, order, method), comparison=">=") for part in plan.observation.parts]
        return CombinedTest(ratios, "mean" if form == "mean" else "absolute_sum", plan.comparison)
    tests = [_single(part, plan, order, method) for part in plan.observation.parts]
    if form == "function" and statistic is not None:
        at = len(order) if fixed is None else fixed
        return FunctionTest(tests[0], statistic, order, at, plan.comparison, plan.units)
    if plan.observation.quantile is not None:
        return QuantileTest(tests[0], plan.observation.quantile)
    if plan.observation.form == "gap":
        return GapTest(tests, plan.threshold)
    return WorstTest(tests) if plan.observation.form == "worst" else tests[0]


def method_of(plan: CriterionPlan, design: Design) -> Method:
    """Return ``fixed`` where the number of cases was fixed beforehand; a whole hidden set needs a path only."""
    fixed = plan.run or design.stop == "fixed" or (design.stop == "full" and plan.estimand == "population")
    return "fixed" if fixed else "anytime"


def alphas_of(plan: CriterionPlan, levels: Levels, k: int) -> tuple[float, float]:
    """Return the levels of confirming (not divided: all criteria must hold) and of refuting (one of k suffices)."""
    own = plan.levels or levels
    return float(own.accept), float(own.reject / k)


def _single(part: RatioPart, plan: CriterionPlan, order: Ints, method: Method) -> SingleTest:
    census = stream_of(part, order, None)
    by_case = plan.units is None or plan.observation.form == "function"
    stream = census if by_case or plan.units is None else stream_of(part, order, plan.units)
    return SingleTest(stream, census, plan.comparison, part.root, part.unit, plan.estimand != "population", method)
