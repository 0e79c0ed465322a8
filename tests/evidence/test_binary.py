"""Exact bounds for counts against independent computations."""

from __future__ import annotations

import pytest
from scipy import stats

from pilotbase.evidence.distributions import (
    clopper_pearson,
    hypergeometric,
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
