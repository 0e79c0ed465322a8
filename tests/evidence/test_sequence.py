"""Confidence sequences: published figures, speed, coverage."""

from __future__ import annotations

import time

import numpy as np
import pytest

from pilotbase.evidence.sequence import confidence_sequence, predictable_sequence

GOLDEN = {
    1_000: (0.888762, 0.948518),
    10_000: (0.918297, 0.940572),
    100_000: (0.925881, 0.934448),
    1_000_000: (0.928348, 0.931596),
}


@pytest.mark.parametrize("n", GOLDEN)
def test_hedged_golden_vectors(n: int) -> None:
    values = (np.random.default_rng(0).random(n) < 0.93).astype(np.float64)
    bounds = predictable_sequence(values, 0.05)
    assert (bounds.lower, bounds.upper) == pytest.approx(GOLDEN[n], abs=2e-6)


@pytest.mark.parametrize("n", [1_000, 10_000, 100_000])
def test_the_mixture_is_no_wider_than_the_hedged_bets(n: int) -> None:
    values = np.random.default_rng(0).random(n) < 0.93
    ours = confidence_sequence(values.astype(np.int64), (0, 1), 0.05)
    hedged = predictable_sequence(values.astype(np.float64), 0.05)
    assert ours.upper - ours.lower < hedged.upper - hedged.lower


def test_a_million_values_take_at_most_three_seconds_of_cpu() -> None:
    values = (np.random.default_rng(0).random(10**6) < 0.93).astype(np.int64)
    start = time.process_time()
    bounds = confidence_sequence(values, (0, 1), 0.05)
    assert time.process_time() - start <= 3
    assert 0.928 < bounds.lower < 0.9299 < bounds.upper < 0.932


def test_a_whole_set_leaves_no_width() -> None:
    values = np.array([1, 0, 1, 1])
    bounds = confidence_sequence(values, (0, 1), 0.05, size=4)
    assert (bounds.lower, bounds.upper) == (0.75, 0.75)


def test_without_replacement_is_narrower() -> None:
    values = (np.random.default_rng(4).random(1500) < 0.9).astype(np.int64)
    finite, infinite = (confidence_sequence(values, (0, 1), 0.05, size) for size in (2000, None))
    assert finite.lower > infinite.lower
    assert finite.upper < infinite.upper


@pytest.mark.parametrize("size", [None, 400])
def test_covers_at_every_time_at_once(size: int | None) -> None:
    """Fraction of runs whose running intersection ever loses the truth, α = .05."""
    rng, lost = np.random.default_rng(5), 0
    pool = np.array([1] * 320 + [0] * 80)
    for _ in range(300):
        values = rng.permutation(pool)[:350] if size else (rng.random(350) < 0.8).astype(np.int64)
        bounds = confidence_sequence(values, (0, 1), 0.05, size)
        lost += not bounds.lower <= 0.8 <= bounds.upper
    assert lost / 300 <= 0.05


def test_real_values_in_any_range() -> None:
    values = np.random.default_rng(6).integers(-50, 151, 5000)
    bounds = confidence_sequence(values, (-50, 150), 0.05)
    assert bounds.lower < 50 < bounds.upper
    assert bounds.upper - bounds.lower < 12
