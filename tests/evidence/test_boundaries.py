"""Closed-form boundaries: published and reference figures, and how often a path leaves them."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.evidence.boundaries import iterated_logarithm, normal_mixture, stitched
from pilotbase.documents.errors import InputError
from pilotbase.evidence.quantiles import empirical_process

TIMES = np.array([100.0, 1e4, 1e6])


def test_reference_values() -> None:
    assert normal_mixture(np.array([100.0]), 0.05, 100)[0] == pytest.approx(30.35209, abs=5e-6)
    assert stitched(TIMES, 0.025) / TIMES == pytest.approx([0.39755, 0.041963, 0.004326], abs=6e-7, rel=2e-5)
    assert iterated_logarithm(TIMES, 0.05) == pytest.approx([0.39906, 0.042110, 0.004340], abs=6e-7, rel=2e-5)
    assert empirical_process(TIMES[:2], 0.05) == pytest.approx([0.269176, 0.027711], abs=1e-6)


def test_the_published_bound_is_the_stitched_one_with_constants_rounded_up() -> None:
    ratio = iterated_logarithm(TIMES, 0.05) / (stitched(TIMES, 0.025) / TIMES)
    assert (ratio > 1).all() and (ratio < 1.005).all()


def crossing_rates(runs: int, horizon: int) -> tuple[float, float, float]:
    """Return how often a fair random walk ever leaves: the published bound, the mixture, the pointwise 1.96 band."""
    times = np.arange(1.0, horizon + 1)
    lil, mixture = times * iterated_logarithm(times, 0.05), normal_mixture(times, 0.05, 1000)
    out = np.zeros(3)
    rng = np.random.default_rng(0)
    for _ in range(runs):
        walk = np.abs(np.cumsum(rng.choice(np.array([-1.0, 1.0]), horizon)))
        out += [(walk > lil).any(), (walk > mixture).any(), (walk[9:] > 1.96 * np.sqrt(times[9:])).any()]
    return float(out[0] / runs), float(out[1] / runs), float(out[2] / runs)


def test_a_fair_walk_stays_within_at_all_times_but_not_in_a_pointwise_band() -> None:
    lil, mixture, pointwise = crossing_rates(300, 5000)
    assert lil <= 0.02
    assert mixture <= 0.05
    assert pointwise > 0.4


@pytest.mark.prove
def test_crossing_rates_of_the_table() -> None:
    lil, mixture, pointwise = crossing_rates(4000, 20_000)
    assert lil <= 0.012
    assert 0.02 <= mixture <= 0.05
    assert pointwise > 0.55


def test_levels_outside_are_refused() -> None:
    with pytest.raises(InputError, match="alpha"):
        stitched(TIMES, 1.5)
