"""Bootstrap: memory stays bounded, clusters, 0/0."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest

from pilotbase.data.labelling.agreement import percentile_bounds, weight_bootstrap


def test_chunks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).integers(0, 1000, 100)
    bounds = []
    for size in (1, 800 * 7, 1 << 24):
        monkeypatch.setattr("pilotbase.data.labelling.agreement._CHUNK_BYTES", size)
        bounds.append(weight_bootstrap(lambda weights: (weights * values).sum(axis=1) / 100, 100, 0.05, 300))
    assert bounds[0] == bounds[1] == bounds[2]


def test_memory_does_not_grow_with_the_resamples() -> None:
    values = np.random.default_rng(2).random(20_000)
    tracemalloc.start()
    weight_bootstrap(lambda weights: weights @ values / weights.sum(axis=1), 20_000, 0.05, 1000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * 2**20  # all weights at once would take 160 MB, and as much again for the draws


def test_the_spread_is_that_of_the_mean() -> None:
    values = np.random.default_rng(3).standard_normal(400)
    bounds = weight_bootstrap(lambda weights: weights @ values / 400, 400, 0.05, 4000)
    reach = 1.96 * values.std() / 20
    assert (bounds.lower, bounds.upper) == pytest.approx((values.mean() - reach, values.mean() + reach), abs=0.012)


def test_whole_clusters_are_drawn() -> None:
    """Ten equal copies of each case are no further evidence, if they are named as one unit."""
    values, units = np.repeat(np.random.default_rng(4).random(100), 10), np.repeat(np.arange(100), 10)

    def mean(weights: np.ndarray) -> np.ndarray:
        return weights @ values / weights.sum(axis=1)

    by_unit, naive = (weight_bootstrap(mean, 1000, 0.05, 2000, units=unit) for unit in (units, None))
    assert (by_unit.upper - by_unit.lower) / (naive.upper - naive.lower) == pytest.approx(math.sqrt(10), rel=0.1)


def test_resamples_without_a_figure_count_as_the_worst() -> None:
    assert percentile_bounds(np.append(np.full(10, math.nan), np.arange(990.0)), 0.05).lower == 14


def test_bounds_are_resampled_values_counted_from_outside() -> None:
    bounds = percentile_bounds(np.arange(1000.0), 0.05)
    assert (bounds.lower, bounds.upper) == (24, 975)
