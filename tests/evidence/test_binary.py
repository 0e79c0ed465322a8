"""Exact bounds for counts against independent computations."""

from __future__ import annotations

import pytest
from scipy import stats

from pilotbase.evidence.distributions import (
    clopper_pearson,
)


@pytest.mark.parametrize(("s", "t"), [(0, 20), (93, 100), (20, 20), (1, 3)])
def test_clopper_pearson_is_scipys(s: int, t: int) -> None:
    ours, theirs = clopper_pearson(s, t, 0.025, 0.025), stats.binomtest(s, t).proportion_ci(0.95)
    assert (ours.lower, ours.upper) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
