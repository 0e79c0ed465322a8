"""Confidence sequences: published figures, speed, coverage."""

from __future__ import annotations

import math
import time
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from benchmarks.evidence.predictable import predictable_sequence
from pilotbase.documents.errors import InputError
from pilotbase.evidence.confidence_sequence import (
    STEPS,
    ConfidenceSequence,
    compiled_crosses,
    crosses,
)
from pilotbase.evidence.martingale import FRACTIONS, MeanMartingale

GOLDEN = {
    1_000: (0.888762, 0.948518),
    10_000: (0.918297, 0.940572),
    100_000: (0.925881, 0.934448),
    1_000_000: (0.928348, 0.931596),
}


@pytest.mark.one_in(2)
@pytest.mark.parametrize("n", GOLDEN)
def test_hedged_golden_vectors(n: int) -> None:
    values = (np.random.default_rng(0).random(n) < 0.93).astype(np.float64)
    bounds = predictable_sequence(values, 0.05)
    assert (bounds.lower, bounds.upper) == pytest.approx(GOLDEN[n], abs=2e-6)


@pytest.mark.parametrize("n", [1_000, 10_000, 100_000])
def test_the_mixture_is_no_wider_than_the_hedged_bets(n: int) -> None:
    values = np.random.default_rng(0).random(n) < 0.93
    ours = ConfidenceSequence(0.05, (0, 1)).update(values.astype(np.int64))
    hedged = predictable_sequence(values.astype(np.float64), 0.05)
    assert ours.upper - ours.lower < hedged.upper - hedged.lower


@pytest.mark.parametrize("size", [None, pytest.param(2 * 10**6, marks=pytest.mark.prove)])
def test_a_million_values_take_at_most_three_seconds_of_cpu(size: int | None) -> None:
    values = (np.random.default_rng(0).random(10**6) < 0.93).astype(np.int64)
    start = time.process_time()
    bounds = ConfidenceSequence(0.05, (0, 1), size).update(values)
    assert time.process_time() - start <= 3
    assert 0.928 < bounds.lower < 0.9299 < bounds.upper < 0.932


@pytest.mark.parametrize(("limits", "kinds"), [((0, 1), None), ((-3, 7), (-3, 0, 7)), ((0, 1000), None)])
def test_without_a_value_nothing_is_known(limits: tuple[int, int], kinds: tuple[int, ...] | None) -> None:
    for size in (None, 50):
        bounds = ConfidenceSequence(0.05, limits, size, kinds).bounds
        assert (bounds.lower, bounds.upper) == limits


def test_a_whole_set_leaves_no_width() -> None:
    values = np.array([1, 0, 1, 1])
    bounds = ConfidenceSequence(0.05, (0, 1), 4).update(values)
    assert (bounds.lower, bounds.upper) == (0.75, 0.75)


def test_a_claim_about_the_population_keeps_its_width_at_exhaustion() -> None:
    """Pitfall 7: all of a set seen says all of the set, not of the cases it was drawn like."""
    values = (np.random.default_rng(3).random(400) < 0.9).astype(np.int64)
    of_the_set, of_the_population = (ConfidenceSequence(0.05, (0, 1), size).update(values) for size in (400, None))
    assert of_the_set.lower == of_the_set.upper == values.mean()
    assert of_the_population.upper - of_the_population.lower > 0.05


def test_without_replacement_is_narrower() -> None:
    values = (np.random.default_rng(4).random(1500) < 0.9).astype(np.int64)
    finite, infinite = (ConfidenceSequence(0.05, (0, 1), size).update(values) for size in (2000, None))
    assert finite.lower > infinite.lower
    assert finite.upper < infinite.upper


@pytest.mark.prove
@pytest.mark.parametrize("size", [None, 400])
def test_covers_at_every_time_at_once(size: int | None) -> None:
    """Fraction of runs whose running intersection ever loses the truth, α = .05."""
    rng, lost = np.random.default_rng(5), 0
    pool = np.array([1] * 320 + [0] * 80)
    for _ in range(300):
        values = rng.permutation(pool)[:350] if size else (rng.random(350) < 0.8).astype(np.int64)
        bounds = ConfidenceSequence(0.05, (0, 1), size).update(values)
        lost += not bounds.lower <= 0.8 <= bounds.upper
    assert lost / 300 <= 0.05


def test_real_values_in_any_range() -> None:
    values = np.random.default_rng(6).integers(-50, 151, 5000)
    bounds = ConfidenceSequence(0.05, (-50, 150)).update(values)
    assert bounds.lower < 50 < bounds.upper
    assert bounds.upper - bounds.lower < 12


@pytest.mark.parametrize(("size", "kinds"), [(None, None), (None, (0, 7, 100)), (150, None)])
def test_equals_testing_every_value_of_the_lattice_at_every_time(
    size: int | None, kinds: tuple[int, ...] | None
) -> None:
    """The definition, slowly: the largest lattice value that some prefix rules out, and none beyond it."""
    rng = np.random.default_rng(7)
    values = rng.choice(kinds or (0, 50, 100), 120, p=[0.1, 0.2, 0.7])
    bounds = ConfidenceSequence(0.05, (0, 100), size, kinds).update(values)
    unit = 100 / STEPS if size is None else 1 / size

    def ruled_out(mean: float) -> bool:
        exact = Fraction(mean)
        against = (
            MeanMartingale.with_replacement(exact, 0)
            if size is None
            else MeanMartingale.without_replacement(math.ceil(exact * size - Fraction(1, 10**6)) - 1, size, 0)
        )
        return bool((against.update(values) >= math.log(40)).any())

    assert ruled_out(bounds.lower)
    assert not ruled_out(bounds.lower + unit)


def test_bounds_never_widen() -> None:
    values = (np.random.default_rng(8).random(600) < 0.7).astype(np.int64)
    for size in (None, 800):
        sequence = ConfidenceSequence(0.05, (0, 1), size)
        path = [sequence.update(values[i : i + 20]) for i in range(0, 600, 20)]
        assert all(a.lower <= b.lower and a.upper >= b.upper for a, b in pairwise(path))
        assert path[0].upper - path[0].lower > 2 * (path[-1].upper - path[-1].lower)


def test_drift_leaves_nothing_between_the_bounds_and_says_so() -> None:
    sequence = ConfidenceSequence(0.05, (0, 1))
    assert not sequence.update(np.ones(500, dtype=np.int64)).empty
    assert sequence.update(np.zeros(2000, dtype=np.int64)).empty


def test_the_plain_loop_answers_as_the_martingale_does() -> None:
    """The loop that numba compiles, run as it stands: the same yes and no at the same level."""
    rng = np.random.default_rng(9)
    for trial in range(40):
        values = rng.integers(0, 101, 300)
        level = float(rng.uniform(0.5, 5))
        mean = Fraction(int(rng.integers(40, 56)))
        free = MeanMartingale.with_replacement(mean, 0).crossing(values, level) is not None
        assert crosses(values, float(mean), 0, level, FRACTIONS) is free, trial
        total = int(mean) * 320
        bound = MeanMartingale.without_replacement(total, 320, 0).crossing(values, level) is not None
        assert crosses(values, float(total), 320, level, FRACTIONS) is bound, trial


@pytest.mark.parametrize("size", [None, 60_000])
def test_the_same_bounds_with_and_without_numba(size: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if compiled_crosses() is None:
        pytest.skip("numba is not installed")
    values = np.random.default_rng(10).integers(0, 101, 50_000)
    with_numba = ConfidenceSequence(0.05, (0, 100), size).update(values)
    monkeypatch.setattr("pilotbase.evidence.confidence_sequence.compiled_crosses", lambda: None)
    without = ConfidenceSequence(0.05, (0, 100), size).update(values)
    assert (with_numba.lower, with_numba.upper) == pytest.approx((without.lower, without.upper), abs=1e-9)


def test_limits_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(InputError, match="limits"):
        ConfidenceSequence(0.05, (1, 0))


@pytest.mark.prove
@pytest.mark.parametrize("size", [None, 1000])
def test_coverage_in_many_runs(size: int | None) -> None:
    rng, lost = np.random.default_rng(11), 0
    pool = np.array([1] * 900 + [0] * 100)
    for _ in range(2000):
        values = rng.permutation(pool)[:900] if size else (rng.random(3000) < 0.9).astype(np.int64)
        bounds = ConfidenceSequence(0.05, (0, 1), size).update(values)
        lost += not bounds.lower <= 0.9 <= bounds.upper
    assert lost / 2000 <= 0.05


@pytest.mark.parametrize("size", [None, 8000])
def test_large_batches_of_remembered_values_are_as_one(size: int | None) -> None:
    values = np.random.default_rng(12).integers(0, 101, 6000)
    whole = ConfidenceSequence(0.05, (0, 100), size)
    whole.update(values)
    pieces = ConfidenceSequence(0.05, (0, 100), size)
    for start in range(0, 6000, 750):
        pieces.update(values[start : start + 750])
    assert pieces.state == whole.state
