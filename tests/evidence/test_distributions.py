import math
import subprocess
import sys

import pytest
from scipy import stats

from pilotbase.evidence.distributions import (
    beta_quantile,
    beta_upper_quantile,
    binomial_at_least,
    binomial_at_most,
    normal_upper_quantile,
    smallest,
    student_upper_quantile,
)

COUNTS = [(1, 1), (5, 20), (99, 100), (300, 1000), (999_990, 1_000_000)]
SHARES = (1e-12, 1e-4, 0.025, 0.5, 0.9)


def close(ours: float, theirs: float) -> bool:
    return math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-300)


@pytest.mark.parametrize(("s", "t"), COUNTS)
def test_tails_are_scipys_to_the_last_digits_that_count(s: int, t: int) -> None:
    for p in (0.0, 1e-9, 0.3, s / t, 0.999, 1.0):
        for k in (0, s - 1, s, t - 1, t):
            assert close(binomial_at_least(k, t, p), stats.binom.sf(k - 1, t, p))
            assert close(binomial_at_most(k, t, p), stats.binom.cdf(k, t, p))
    assert (binomial_at_most(-1, t, 0.5), binomial_at_least(t + 1, t, 0.5)) == (0, 0)


@pytest.mark.parametrize("share", SHARES)
def test_quantiles_are_scipys(share: float) -> None:
    for s, t in COUNTS:
        assert close(beta_quantile(share, s, t - s + 1), stats.beta.ppf(share, s, t - s + 1))
        assert close(beta_upper_quantile(share, s + 1, t - s + 1), stats.beta.isf(share, s + 1, t - s + 1))
    assert normal_upper_quantile(share) == pytest.approx(stats.norm.isf(share), rel=1e-12, abs=1e-12)
    for freedom in (1, 5, 1000):
        assert student_upper_quantile(share, freedom) == pytest.approx(stats.t.isf(share, freedom), rel=1e-9, abs=1e-9)


def test_the_smallest_is_found_at_either_end() -> None:
    assert [smallest(2, 9, lambda k, edge=edge: k >= edge) for edge in (0, 2, 5, 9, 12)] == [2, 2, 5, 9, 9]


def test_a_scorer_loads_nothing_heavy_that_most_trials_do_not_need() -> None:
    """Each trial starts one: `scipy.stats` alone takes longer than all the rest."""
    heavy = "{'scipy.stats', 'scipy.ndimage', 'alembic', 'sklearn', 'pandas', 'django'} & set(sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", f"import sys, pilotbase.trial.scorer; print({heavy} or 'nothing')"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.strip() == "nothing"
