"""Exact bounds for counts against independent computations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from pilotbase.evidence.binary import (
    beta_binomial,
    beta_binomial_log_e,
    clopper_pearson,
    hypergeometric,
    prior_posterior,
)


@pytest.mark.parametrize(("s", "t"), [(0, 20), (93, 100), (20, 20), (1, 3)])
def test_clopper_pearson_is_scipys(s: int, t: int) -> None:
    ours, theirs = clopper_pearson(s, t, 0.025, 0.025), stats.binomtest(s, t).proportion_ci(0.95)
    assert (ours.lower, ours.upper) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_hypergeometric_bounds_by_brute_force() -> None:
    s, t, size, alpha = 14, 17, 60, 0.05
    possible = [
        k
        for k in range(s, size - t + s + 1)
        if stats.hypergeom.sf(s - 1, size, k, t) > alpha and stats.hypergeom.cdf(s, size, k, t) > alpha
    ]
    bounds = hypergeometric(s, t, size, alpha, alpha)
    assert (round(bounds.lower * size), round(bounds.upper * size)) == (min(possible), max(possible))


def test_hypergeometric_knows_the_whole_set() -> None:
    bounds = hypergeometric(7, 10, 10, 0.05, 0.05)
    assert (bounds.lower, bounds.upper) == (0.7, 0.7)


def test_the_mixture_e_value_has_mean_one() -> None:
    t, mean = 12, 0.3
    weights = stats.binom.pmf(np.arange(t + 1), t, mean)
    e_values = [math.exp(beta_binomial_log_e(s, t, mean)) for s in range(t + 1)]
    assert float(np.dot(weights, e_values)) == pytest.approx(1)


def test_anytime_bounds_contain_the_fixed_ones() -> None:
    fixed, anytime = clopper_pearson(930, 1000, 0.025, 0.025), beta_binomial(930, 1000, 0.05)
    assert anytime.lower < fixed.lower < fixed.upper < anytime.upper
    assert anytime.upper - anytime.lower < 0.07


def test_beta_binomial_at_the_ends() -> None:
    assert beta_binomial(0, 50, 0.05).lower == 0
    assert beta_binomial(50, 50, 0.05).upper == 1


def test_prior_posterior_ends_with_the_truth_and_covers_before() -> None:
    whole = prior_posterior(93, 100, 100, 0.05)
    assert (whole.lower, whole.upper) == (0.93, 0.93)
    rng, pool, lost = np.random.default_rng(0), np.array([1] * 180 + [0] * 20), 0
    for _ in range(200):
        successes = np.cumsum(rng.permutation(pool))
        bounds = [prior_posterior(int(successes[t - 1]), t, 200, 0.05) for t in range(10, 200, 10)]
        lost += not all(b.lower <= 0.9 <= b.upper for b in bounds)
    assert lost / 200 <= 0.05
