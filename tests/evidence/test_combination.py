"""Means and sums of absolute values of several ratios: each part at its share of α, interval and verdict agree."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from pilotbase.evidence import CriterionPlan, Design, Levels, decide, draw_order, feasibility_of, outcome_of
from pilotbase.evidence.plans import build_test
from pilotbase.measures.observation import MeasurePart, Observation

LEVELS = Levels(Fraction(1, 20), Fraction(1, 20))
N = 3000
ORDER = draw_order(N, b"mean")
SIGNED = ((-1, 1), (0, 1), (1, 1))


def shares(*probabilities: float, seed: int = 0) -> Observation:
    """Return parts of binary entries; every case is eligible for one of them."""
    rng = np.random.default_rng(seed)
    which = np.arange(N) % len(probabilities)
    right = rng.random(N) < np.array(probabilities)[which]
    parts = [
        MeasurePart((right & (which == c)).astype(np.int64), (which == c).astype(np.int64), ((0, 1), (1, 1)))
        for c in range(len(probabilities))
    ]
    return Observation("mean", tuple(parts))


def gaps(*means: float, seed: int = 0) -> Observation:
    """Return parts of signed entries, zero outside their share of the cases."""
    rng = np.random.default_rng(seed)
    which = np.arange(N) % len(means)
    signed = np.where(rng.random(N) < np.abs(means)[which], np.sign(means)[which], 0).astype(np.int64)
    ones = np.ones(N, dtype=np.int64)
    return Observation(
        "absolute_sum", tuple(MeasurePart(signed * (which == b), ones, SIGNED) for b in range(len(means)))
    )


def plan(observation: Observation, bound: str, comparison: Any = ">=", **how: Any) -> CriterionPlan:
    return CriterionPlan("combined", observation, comparison, Fraction(bound), **how)


@pytest.mark.one_in(2)
@pytest.mark.parametrize("estimand", ["hidden_set", "population"])
def test_the_bound_of_a_mean_is_the_mean_of_bounds_at_a_share_of_alpha(estimand: Any) -> None:
    observation = shares(0.9, 0.7, 0.8)
    whole = build_test(plan(observation, "0.7", estimand=estimand), ORDER, "anytime")
    parts = [
        build_test(plan(Observation("single", (part,)), "0.7", estimand=estimand), ORDER, "anytime")
        for part in observation.parts
    ]
    at_a_third, at_all = (float(np.mean([largest(part, alpha) for part in parts])) for alpha in (0.05 / 3, 0.05))
    assert largest(whole, 0.05) == pytest.approx(at_a_third, abs=0.002)
    assert largest(whole, 0.05) < at_all - 0.002


def largest(test: Any, alpha: float) -> float:
    """Return the largest bound, in thousandths, that is confirmed by 1500 cases."""
    confirmed = [test.confirmed_at(Fraction(bound, 1000), alpha, 1500) is not None for bound in range(500, 1000)]
    assert confirmed == sorted(confirmed, reverse=True)
    return 0.5 + sum(confirmed) / 1000


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    "make",
    [
        lambda seed: (shares(0.93, 0.9, 0.85, seed=seed), "0.85", ">="),
        lambda seed: (gaps(0.05, -0.04, 0.0, seed=seed), "0.12", "<="),
    ],
)
@pytest.mark.parametrize("estimand", ["hidden_set", "population"])
@pytest.mark.parametrize("design", [Design(), Design("full"), Design("fixed", 900)])
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.prove) for seed in (1, 2))])
def test_interval_and_verdict_agree(make: Any, estimand: Any, design: Design, seed: int) -> None:
    observation, bound, comparison = make(seed)
    criterion = plan(observation, bound, comparison, estimand=estimand)
    found = decide([criterion], ORDER, LEVELS, design).criteria[0]
    assert found.lower is not None and found.upper is not None
    assert found.lower <= found.upper
    if found.verdict == "pass":
        assert found.lower >= float(bound) - 1e-9 if comparison == ">=" else found.upper <= float(bound) + 1e-9
    if found.verdict == "inconclusive":
        assert found.lower < float(bound) <= found.upper or found.lower <= float(bound) < found.upper
    assert outcome_of([criterion], ORDER, LEVELS, design).criteria[0].verdict == found.verdict
    widths = [point.upper - point.lower for point in found.path]
    assert widths == sorted(widths, reverse=True)


def test_one_part_without_an_eligible_case_is_not_measured() -> None:
    observation = shares(0.9, 0.9)
    empty = replace(observation.parts[0], gain=np.zeros(N, dtype=np.int64), weight=np.zeros(N, dtype=np.int64))
    found = decide([plan(Observation("mean", (*observation.parts, empty)), "0.1")], ORDER, LEVELS).criteria[0]
    assert (found.verdict, found.lower, found.upper) == ("not_measured", None, None)


@pytest.mark.prove
def test_a_whole_hidden_set_is_exact() -> None:
    observation = gaps(0.05, -0.04, 0.0)
    value = sum((abs(part.ratio() or 0) for part in observation.parts), Fraction(0))
    for shift, verdict in ((0, "pass"), (-1, "fail")):
        criterion = replace(plan(observation, "0", "<="), threshold=value + shift * Fraction(1, 10**9))
        found = decide([criterion], ORDER, LEVELS, Design("full")).criteria[0]
        assert (found.verdict, found.guarantee, found.estimate) == (verdict, "exact_census", float(value))


def test_opposite_gaps_do_not_cancel() -> None:
    observation = gaps(0.3, -0.3)
    found = decide([plan(observation, "0.1", "<=", estimand="population")], ORDER, LEVELS).criteria[0]
    assert found.verdict == "fail"
    assert found.lower is not None and found.lower > 0.1


def test_too_few_cases_for_the_share_of_alpha_are_found_before_the_freeze() -> None:
    right = shares(1.0, 1.0, 1.0)
    few = Design("fixed", 90)
    found = feasibility_of(plan(right, "0.9", estimand="population"), ORDER, LEVELS, few)
    assert not found.feasible and found.needed is not None
    assert found.needed > found.available > 20
    assert feasibility_of(plan(right, "0.9", estimand="population"), ORDER, LEVELS).feasible


@pytest.mark.parametrize("seed", range(5))
def test_bounds_of_a_sum_of_gaps_hold_its_value_and_no_less(seed: int) -> None:
    """The sum in the population: each gap counts in half, or a third, of the cases."""
    for means in ((0.3, -0.3), (0.2, 0.0, -0.1)):
        truth = sum(map(abs, means)) / len(means)
        found = decide(
            [plan(gaps(*means, seed=seed), "0.5", "<=", estimand="population")], ORDER, LEVELS, Design("full")
        )
        lower, upper = found.criteria[0].lower, found.criteria[0].upper
        assert lower is not None and upper is not None
        assert lower <= truth <= upper
        assert lower > 0 and upper < truth + 0.15
