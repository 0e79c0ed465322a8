"""Quantile bounds at any time: ranks, ties, coverage whatever the tail."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest

from pilotbase.evidence.quantiles import QuantileSequence


def test_bounds_are_values_that_occurred() -> None:
    values = np.random.default_rng(0).pareto(1.0, 3000)
    bounds = QuantileSequence(0.95, 0.05).update(values)
    assert {bounds.lower, bounds.upper} <= set(values.tolist())
    assert bounds.lower < np.quantile(values, 0.95) < bounds.upper
    lower, upper = QuantileSequence(0.95, 0.05).ranks(3000)
    assert (values <= bounds.lower).sum() == lower
    assert (values <= bounds.upper).sum() == upper


def test_too_few_values_bound_nothing() -> None:
    sequence = QuantileSequence(0.99, 0.05)
    assert sequence.bounds.lower == -math.inf
    bounds = sequence.update(np.arange(20.0))
    assert bounds.upper == math.inf


def test_all_equal_values_are_their_own_quantile() -> None:
    bounds = QuantileSequence(0.5, 0.05).update(np.full(500, 3.0))
    assert (bounds.lower, bounds.upper) == (3.0, 3.0)


def test_every_quantile_costs_more_than_one() -> None:
    values = np.random.default_rng(1).random(1000)
    one = QuantileSequence(0.5, 0.05).update(values)
    every = QuantileSequence(0.5, 0.05, every_quantile=True).update(values)
    widths = [b.upper - b.lower for b in (one, every)]
    assert widths == sorted(widths)


@cache
def ranks(q: float, every: bool, n: int) -> np.ndarray:
    sequence = QuantileSequence(q, 0.05, every_quantile=every)
    return np.array([sequence.ranks(count) for count in range(1, n + 1)])


def misses(values: np.ndarray, q: float, truth: float, every: bool = False) -> bool:
    """Whether the bounds at any time lose the truth, from counts alone (as the bounds are by ranks)."""
    lower, upper = ranks(q, every, len(values)).T
    at_most, below = np.cumsum(values <= truth), np.cumsum(values < truth)
    return bool(((at_most < lower) | (below >= upper)).any())


@pytest.mark.parametrize(("q", "ties"), [(0.5, False), (0.95, False), (0.9, True)])
def test_the_quantile_is_lost_at_any_time_no_more_often_than_said(q: float, ties: bool) -> None:
    rng, lost, runs = np.random.default_rng(2), 0, 400
    for _ in range(runs):
        values = rng.pareto(1.0, 800)
        truth = (1 - q) ** -1.0 - 1
        if ties:
            # Whole numbers: the 0.9 quantile of floor(X) is floor of it, 9 exactly here.
            values, truth = np.floor(values), math.floor(truth - 1e-9)
        lost += misses(values, q, truth)
    assert lost / runs <= 0.05
    assert ties or lost > 0


@pytest.mark.prove
def test_coverage_in_many_runs() -> None:
    rng, lost, every = np.random.default_rng(3), 0, 0
    for _ in range(2000):
        values = rng.exponential(size=3000)
        lost += misses(values, 0.95, -math.log(0.05))
        every += misses(values, 0.95, -math.log(0.05), every=True)
    assert lost / 2000 <= 0.05
    assert every / 2000 <= 0.01
