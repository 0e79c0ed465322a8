"""Sequences from two counts: the same as testing each time by itself, coverage, speed."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from scipy import special

from pilotbase.evidence.confidence_sequence import BetaBinomial, ConfidenceSequence


def log_e(s: int, t: int, mean: float) -> float:
    """Return the log of the beta mixture e-value against success probability = ``mean``."""
    null = special.xlogy(s, mean) + special.xlog1py(t - s, -mean)
    return float(special.betaln(0.5 + s, 0.5 + t - s) - special.betaln(0.5, 0.5) - null)


def test_beta_binomial_is_the_intersection_over_all_times() -> None:
    values = (np.random.default_rng(0).random(80) < 0.8).astype(np.int64)
    bounds = BetaBinomial(0.05).update(values)
    each = list(enumerate(np.cumsum(values).tolist(), 1))

    def ruled_out(mean: float) -> bool:
        return max(log_e(s, t, mean) for t, s in each) >= math.log(20)

    for bound, outwards in ((bounds.lower, -1), (bounds.upper, 1)):
        assert ruled_out(bound + outwards * 2**-19) and not ruled_out(bound - outwards * 2**-19)


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_the_truth_is_lost_at_any_time_no_more_often_than_said(share: float) -> None:
    rng, lost = np.random.default_rng(3), 0
    for _ in range(400):
        bounds = BetaBinomial(0.05).update(rng.random(400) < share)
        lost += not bounds.lower <= share <= bounds.upper
    assert lost / 400 <= 0.05


def test_counts_alone_are_little_wider_than_bets() -> None:
    values = (np.random.default_rng(0).random(10_000) < 0.93).astype(np.int64)
    counted, bet = BetaBinomial(0.05).update(values), ConfidenceSequence(0.05, (0, 1)).update(values)
    assert (counted.upper - counted.lower) / (bet.upper - bet.lower) <= 1.2


def test_a_million_trials_in_one_batch() -> None:
    values = np.random.default_rng(4).random(10**6) < 0.93
    start = time.process_time()
    bounds = BetaBinomial(0.05).update(values)
    assert 0.928 < bounds.lower < 0.93 < bounds.upper < 0.932
    assert time.process_time() - start <= 3


@pytest.mark.prove
@pytest.mark.parametrize("share", [0.9, 0.5])
def test_coverage_in_many_runs(share: float) -> None:
    rng, lost = np.random.default_rng(5), 0
    for _ in range(2000):
        bounds = BetaBinomial(0.05).update(rng.random(3000) < share)
        lost += not bounds.lower <= share <= bounds.upper
    assert lost / 2000 <= 0.05
