"""A fixed number of independent entries: counts or moments give the martingale's last capital, never more."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotbase.evidence import CriterionPlan, Design, Levels, decide
from pilotbase.evidence.counted import counted
from pilotbase.evidence.lattice import Stream, claim_at_least, claim_at_most
from pilotbase.measures.observation import MeasurePart, Observation

LEVELS = Levels(Fraction(1, 20), Fraction(1, 20))
OVERLAP = ((2, 2), (0, 1), (0, 1))
STEPS = 10**9


def overlap(hits: int, misses: int, seed: int = 0) -> Stream:
    kinds = np.random.default_rng(seed).permutation([0] * hits + [1] * misses)
    gain, weight = 2 * (kinds == 0), 1 + (kinds == 0)
    return Stream(gain, weight, np.arange(1, len(kinds) + 1), OVERLAP, 0)


def reals(values: Any) -> Stream:
    gain = np.rint(np.asarray(values) * STEPS).astype(np.int64)
    outcomes = ((0, STEPS), (1, STEPS), (STEPS, STEPS))
    return Stream(gain, np.full(len(gain), STEPS), np.arange(1, len(gain) + 1), outcomes, 0)


def least_level(reaches: Any) -> float:
    """Return the log capital, to nine digits, from the largest level that is reached."""
    low, high = -1e3, 1e5
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if reaches(middle) else (low, middle)
    return low


@pytest.mark.parametrize("comparison", [">=", "<="])
@settings(max_examples=25, deadline=None, derandomize=True)
@given(hits=st.integers(0, 60), misses=st.integers(0, 60), bound=st.fractions(0, 1, max_denominator=50))
def test_counts_give_the_capital_of_the_martingale(comparison: Any, hits: int, misses: int, bound: Fraction) -> None:
    stream = overlap(hits, misses)
    entries = counted(stream, len(stream))
    claim = (claim_at_least if comparison == ">=" else claim_at_most)(stream, bound)
    for martingale, values, reaches in (
        (claim.confirming(False), claim.values, entries.confirms),
        (claim.refuting(False), -claim.values, entries.refutes),
    ):
        martingale.update(values)
        found = least_level(lambda level, reaches=reaches: reaches(bound, comparison, level))
        assert found == pytest.approx(min(martingale.log_capital, 1e5), abs=1e-6)


@pytest.mark.parametrize("comparison", [">=", "<="])
@pytest.mark.parametrize("away", [-0.01, -0.003, 0.003, 0.01])
def test_moments_never_give_more_and_hardly_less_than_all_values(comparison: Any, away: float) -> None:
    values = np.random.default_rng(1).beta(1, 9, 40_000)
    stream, bound = reals(values), Fraction(float(values.mean()) + away)
    by_moments = counted(stream, len(stream))
    assert by_moments.moments is not None
    claim = (claim_at_least if comparison == ">=" else claim_at_most)(stream, bound)
    for martingale, each, reaches in (
        (claim.confirming(False), claim.values, by_moments.confirms),
        (claim.refuting(False), -claim.values, by_moments.refutes),
    ):
        martingale.update(each)
        found = least_level(lambda level, reaches=reaches: reaches(bound, comparison, level))
        assert found <= martingale.log_capital + 1e-6
        if 1 < martingale.log_capital < 50:  # far beyond every level the bound may be looser
            assert found == pytest.approx(martingale.log_capital, rel=0.01)


def test_a_ratio_of_a_population_at_a_fixed_n_is_exact_for_that_n() -> None:
    stream = overlap(9000, 1000)
    part = MeasurePart(stream.gain, stream.weight, OVERLAP)
    plan = CriterionPlan("f1", Observation("single", (part,)), ">=", Fraction("0.9"), "population")
    found = decide([plan], np.arange(10_000), LEVELS, Design("full")).criteria[0]
    assert (found.verdict, found.guarantee, found.decided_at) == ("pass", "exact_fixed", 10_000)
    assert found.lower is not None and found.upper is not None and found.estimate is not None
    assert found.lower < found.estimate < found.upper
    assert found.upper - found.lower < 0.02


@pytest.mark.parametrize("size", [200, 25_000])
def test_a_mean_at_the_bound_is_rarely_confirmed_or_refuted(size: int) -> None:
    rng, level, wrong = np.random.default_rng(3), math.log(10), np.zeros(2)
    bound, runs = Fraction(1, 4), 200
    for _ in range(runs):
        entries = counted(reals(rng.beta(1, 3, size)), size)
        wrong += [entries.confirms(bound, ">=", level), entries.refutes(bound, ">=", level)]
    assert wrong.max() / runs <= 0.1 + 3 * math.sqrt(0.09 / runs)


def test_a_value_that_contradicts_the_null_outright_is_endless_evidence() -> None:
    entries = counted(overlap(1, 0), 1)
    assert entries.confirms(Fraction(0), ">=", 1e9)
    assert not entries.confirms(Fraction(1), ">=", 0.1)
