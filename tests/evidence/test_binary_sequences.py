"""Sequences from two counts: the same as testing each time by itself, coverage, the whole set, speed."""

from __future__ import annotations

import time

import numpy as np
import pytest

from pilotbase.evidence.binary import beta_binomial, prior_posterior
from pilotbase.evidence.confidence_sequence import BetaBinomial, ConfidenceSequence, PriorPosterior


def test_beta_binomial_is_the_intersection_over_all_times() -> None:
    values = (np.random.default_rng(0).random(80) < 0.8).astype(np.int64)
    successes = np.cumsum(values)
    each = [beta_binomial(int(successes[t - 1]), t, 0.05) for t in range(1, 81)]
    bounds = BetaBinomial(0.05).update(values)
    assert bounds.lower == pytest.approx(max(b.lower for b in each), abs=2**-19)
    assert bounds.upper == pytest.approx(min(b.upper for b in each), abs=2**-19)


def test_prior_posterior_is_the_intersection_over_all_times() -> None:
    values = (np.random.default_rng(1).random(80) < 0.8).astype(np.int64)
    successes = np.cumsum(values)
    each = [prior_posterior(int(successes[t - 1]), t, 150, 0.05) for t in range(1, 81)]
    bounds = PriorPosterior(0.05, 150).update(values)
    assert bounds.lower == pytest.approx(max(b.lower for b in each), abs=1e-12)
    assert bounds.upper == pytest.approx(min(b.upper for b in each), abs=1e-12)


@pytest.mark.parametrize("right", [0, 7, 199, 200])
def test_after_the_whole_set_the_bounds_are_the_share(right: int) -> None:
    pool = np.random.default_rng(2).permutation(np.array([1] * right + [0] * (200 - right)))
    bounds = PriorPosterior(0.05, 200).update(pool)
    assert (bounds.lower, bounds.upper) == (right / 200, right / 200)


@pytest.mark.parametrize("finite", [True, False])
@pytest.mark.parametrize("share", [0.5, 0.95])
def test_the_truth_is_lost_at_any_time_no_more_often_than_said(finite: bool, share: float) -> None:
    rng, lost = np.random.default_rng(3), 0
    pool = np.arange(400) < 400 * share
    for _ in range(400):
        if finite:
            bounds = PriorPosterior(0.05, 400).update(rng.permutation(pool)[:350])
        else:
            bounds = BetaBinomial(0.05).update(rng.random(400) < share)
        lost += not bounds.lower <= share <= bounds.upper
    assert lost / 400 <= 0.05


def test_counts_alone_are_little_wider_than_bets() -> None:
    values = (np.random.default_rng(0).random(10_000) < 0.93).astype(np.int64)
    counted, bet = BetaBinomial(0.05).update(values), ConfidenceSequence(0.05, (0, 1)).update(values)
    assert (counted.upper - counted.lower) / (bet.upper - bet.lower) <= 1.2


def test_a_million_trials_in_one_batch_or_many() -> None:
    values = np.random.default_rng(4).random(10**6) < 0.93
    start = time.process_time()
    for sequence in (BetaBinomial(0.05), PriorPosterior(0.05, 2 * 10**6)):
        bounds = sequence.update(values)
        assert 0.928 < bounds.lower < 0.93 < bounds.upper < 0.932
    assert time.process_time() - start <= 6


@pytest.mark.prove
@pytest.mark.parametrize("share", [0.9, 0.5])
def test_coverage_in_many_runs(share: float) -> None:
    rng, lost = np.random.default_rng(5), np.zeros(2)
    pool = np.arange(2000) < 2000 * share
    for _ in range(2000):
        free = BetaBinomial(0.05).update(rng.random(3000) < share)
        finite = PriorPosterior(0.05, 2000).update(rng.permutation(pool)[:1900])
        lost += [not b.lower <= share <= b.upper for b in (free, finite)]
    assert (lost / 2000 <= 0.05).all()
