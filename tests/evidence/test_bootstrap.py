"""Bootstrap: counts are the same as cases, memory stays bounded, clusters, 0/0, speed."""

from __future__ import annotations

import math
import time
import tracemalloc

import numpy as np
import pytest

from pilotbase.evidence.bootstrap import MultinomialBootstrap, percentile_bounds, weight_bootstrap


def f1(counts: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return 2 * counts[:, 3] / (2 * counts[:, 3] + counts[:, 1] + counts[:, 2])


def confusion(n: int) -> np.ndarray:
    """Return the cell of each case, 2 · truth + prediction: the cases whose F1 interval is published."""
    rng = np.random.default_rng(0)
    truth = rng.random(n) < 0.2
    return (2 * truth + (rng.standard_normal(n) + 1.5 * truth > 1)).astype(np.int64)


def test_the_published_interval_in_milliseconds() -> None:
    codes = confusion(10**5)
    bootstrap = MultinomialBootstrap(4, f1, 0.05)
    start = time.process_time()
    bounds = bootstrap.update(codes)
    assert time.process_time() - start <= 0.05  # .002 s measured
    assert bounds is not None
    # scipy's bootstrap of the cases gave (.5906, .6009).
    assert (bounds.lower, bounds.upper) == pytest.approx((0.5906, 0.6009), abs=4e-4)


def test_counts_are_the_same_as_cases() -> None:
    codes = confusion(2000)
    by_counts = MultinomialBootstrap(4, f1, 0.05).update(codes)
    cells = np.eye(4)[codes]
    by_cases = weight_bootstrap(lambda weights: f1(weights @ cells), 2000, 0.05, 4000)
    assert by_counts is not None
    assert (by_cases.lower, by_cases.upper) == pytest.approx((by_counts.lower, by_counts.upper), abs=0.005)


def test_chunks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).integers(0, 1000, 100)
    bounds = []
    for size in (1, 800 * 7, 1 << 24):
        monkeypatch.setattr("pilotbase.evidence.bootstrap._CHUNK_BYTES", size)
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
    """One positive among twenty: a third of the resamples have none, so neither bound can be told."""
    bounds = MultinomialBootstrap(4, f1, 0.05).update(np.array([3] + [0] * 19))
    assert bounds is not None
    assert (bounds.lower, bounds.upper) == (-math.inf, math.inf)
    assert percentile_bounds(np.append(np.full(10, math.nan), np.arange(990.0)), 0.05).lower == 14


def test_bounds_are_resampled_values_counted_from_outside() -> None:
    bounds = percentile_bounds(np.arange(1000.0), 0.05)
    assert (bounds.lower, bounds.upper) == (24, 975)


@pytest.mark.prove
def test_coverage_of_f1() -> None:
    rng, inside = np.random.default_rng(5), 0
    large = f1(np.bincount(confusion(10**7), minlength=4)[None].astype(float))[0]
    cells = np.bincount(confusion(10**7), minlength=4) / 10**7
    for _ in range(2000):
        bounds = MultinomialBootstrap(4, f1, 0.05, 2000).update(rng.choice(4, 1000, p=cells))
        assert bounds is not None
        inside += bounds.lower <= large <= bounds.upper
    assert inside / 2000 == pytest.approx(0.95, abs=0.015)
