"""Few labels: exact at ties, few labels needed with a good judge, no harm from a bad one, the trap of a moving λ."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from pilotbase.documents.errors import InputError
from pilotbase.evidence.martingale import FRACTIONS, MeanMartingale
from pilotbase.evidence.prediction_powered import (
    GroupedLabels,
    JudgedPool,
    PredictionPowered,
    PredictionPoweredSequence,
)

LOG_40 = math.log(40)
Pool = tuple[np.ndarray, np.ndarray]


def pool_of(rng: np.random.Generator, size: int, right: int, wrong_judge: float) -> Pool:
    """Return labels in random order, ``right`` of them 1, and a judge that turns a share of them."""
    labels = rng.permutation(np.arange(size) < right).astype(np.int64)
    return labels, np.where(rng.random(size) < wrong_judge, 1 - labels, labels)


def verdict(pool: Pool, weight: Fraction, learn: bool = False) -> tuple[str, int]:
    """Return the verdict on *mean label ≥ .9* and after how many labels, 1/40 a side."""
    labels, scores = pool
    evidence = PredictionPowered(JudgedPool.of(scores, (0, 1)), Fraction(9, 10), weight, learn)
    path = evidence.update(np.stack((labels, scores), axis=1))
    times = [int(np.argmax(side)) if (side := row >= LOG_40).any() else len(labels) for row in path]
    return ("confirmed" if times[0] < times[1] else "refuted" if times[1] < times[0] else "open"), min(times) + 1


def by_hand(labels: np.ndarray, scores: np.ndarray, size: int, total: int, null: int, weights: list[float]) -> float:
    """Multiply the bets with plain numbers, from the formulae of the corrections (row 5)."""
    mean_score, least = total / size, 0.0
    highest = float(scores.max())
    capitals, seen, judged = np.ones(len(FRACTIONS)), 0, 0
    for t, (label, score) in enumerate(zip(labels, scores, strict=True)):
        rest, weight = size - t, weights[t]
        value = label - weight * (score - mean_score)
        null_mean = (null - seen) / rest - weight * ((size * mean_score - judged) / rest - mean_score)
        lowest = least - weight * (highest - mean_score)
        capitals *= 1 + FRACTIONS * (value - null_mean) / (null_mean - lowest)
        seen, judged = seen + label, judged + score
    return math.log(capitals.mean())


def test_equals_the_formula_with_a_fixed_weight() -> None:
    labels, scores = pool_of(np.random.default_rng(0), 200, 180, 0.1)
    evidence = PredictionPowered(JudgedPool.of(scores, (0, 1)), Fraction(9, 10), Fraction(3, 4))
    path = evidence.update(np.stack((labels, scores), axis=1)[:60])
    expected = by_hand(labels[:60], scores[:60], 200, int(scores.sum()), 179, [0.75] * 60)
    assert path[0, -1] == pytest.approx(expected, abs=1e-9)


def test_weight_zero_is_the_plain_martingale() -> None:
    labels, scores = pool_of(np.random.default_rng(1), 300, 280, 0.3)
    plain = MeanMartingale.without_replacement(269, 300, 0).update(labels)
    evidence = PredictionPowered(JudgedPool.of(scores, (0, 1)), Fraction(9, 10), Fraction(0))
    assert evidence.update(np.stack((labels, scores), axis=1))[0] == pytest.approx(plain, abs=1e-9)


@pytest.mark.parametrize("learn", [False, True])
@pytest.mark.parametrize("right", [90, 89, 91])
def test_the_whole_pool_is_decided_exactly_at_the_boundary(right: int, learn: bool) -> None:
    pool = pool_of(np.random.default_rng(right), 100, right, 0.1)
    labels, scores = pool
    evidence = PredictionPowered(JudgedPool.of(scores, (0, 1)), Fraction("0.90"), Fraction(4, 5), learn)
    evidence.update(np.stack((labels, scores), axis=1))
    assert (evidence.state.confirmed, evidence.state.refuted) == (right >= 90, right < 90)


def test_thresholds_are_exact_decimals() -> None:
    """0.07 · 100 is 7.000000000000001 in floats: seven of a hundred must pass."""
    labels, scores = pool_of(np.random.default_rng(9), 100, 7, 0.1)
    evidence = PredictionPowered(JudgedPool.of(scores, (0, 1)), Fraction("0.07"), Fraction(1, 2))
    evidence.update(np.stack((labels, scores), axis=1))
    assert evidence.state.confirmed


def test_scores_with_decimals_on_a_lattice() -> None:
    """Thousandths: labels 0 or 1000, scores anything between; 0.07 of 1000 cases is 70 of them, exactly."""
    rng = np.random.default_rng(2)
    labels = 1000 * rng.permutation(np.arange(1000) < 70)
    scores = np.clip(labels * 0.8 + 100 + 50 * rng.standard_normal(1000), 0, 1000).astype(np.int64)
    evidence = PredictionPowered(JudgedPool.of(scores, (0, 1000)), Fraction("0.07") * 1000, Fraction(1))
    evidence.update(np.stack((labels, scores), axis=1))
    assert (evidence.state.confirmed, evidence.state.refuted) == (True, False)


def medians(share: float, wrong_judge: float, weight: Fraction, runs: int, learn: bool = False) -> float:
    rng = np.random.default_rng(3)
    return float(
        np.median(
            [verdict(pool_of(rng, 10_000, round(share * 10_000), wrong_judge), weight, learn)[1] for _ in range(runs)]
        )
    )


@pytest.mark.parametrize(
    ("share", "wrong_judge", "weight", "published"),
    [(0.92, 0.02, Fraction(9, 10), 436), (0.92, 0.05, Fraction(4, 5), 785), (0.88, 0.02, Fraction(9, 10), 688)],
)
def test_median_labels_of_the_table(share: float, wrong_judge: float, weight: Fraction, published: int) -> None:
    assert medians(share, wrong_judge, weight, 40) == pytest.approx(published, rel=0.2)


@pytest.mark.prove
def test_a_learned_weight_costs_little_and_a_coin_of_a_judge_does_no_harm() -> None:
    assert medians(0.92, 0.02, Fraction(1, 2), 30, learn=True) < 600
    useless, none = (medians(0.88, 0.5, Fraction(1, 2), 30, learn) for learn in (True, False))
    plain = medians(0.88, 0.5, Fraction(0), 30)
    assert useless == pytest.approx(plain, rel=0.15)
    assert none > useless


def false_confirmations(runs: int, size: int, weight: Fraction, learn: bool) -> float:
    """Return how often a pool one label short is confirmed (α = .05 a side)."""
    rng, false = np.random.default_rng(4), 0
    right = math.ceil(0.9 * size) - 1
    for _ in range(runs):
        labels, scores = pool_of(rng, size, right, 0.05)
        evidence = PredictionPowered(JudgedPool.of(scores, (0, 1)), Fraction(9, 10), weight, learn)
        path = evidence.update(np.stack((labels, scores), axis=1))
        false += bool((path[0] >= math.log(20)).any())
    return false / runs


@pytest.mark.parametrize("learn", [False, True])
def test_one_label_short_is_rarely_confirmed(learn: bool) -> None:
    assert false_confirmations(300, 1000, Fraction(4, 5), learn) <= 0.05


@pytest.mark.prove
def test_a_moving_weight_with_the_fixed_null_mean_is_wrong() -> None:
    """The trap (corrections, row 5): λ from the past, the null mean of a fixed λ; ours holds on the same pools."""
    rng, wrong, ours = np.random.default_rng(5), 0, 0
    size, runs = 400, 150
    for _ in range(runs):
        labels = rng.permutation(np.arange(size) < 200).astype(np.int64)
        scores = labels.copy()
        mean_score, seen, capitals, best = float(scores.mean()), 0.0, np.zeros(len(FRACTIONS)), -math.inf
        for t in range(size - 1):
            # λ is 1 while the scores so far lie above the pool's mean, else 0: a rule of the past alone.
            weight = float(scores[:t].sum() > t * mean_score)
            value = labels[t] - weight * (scores[t] - mean_score)
            null_mean = (199 - seen) / (size - t)
            room = null_mean + weight * (1 - mean_score)
            if room <= 0:
                break
            capitals += np.log1p(FRACTIONS * np.maximum((value - null_mean) / room, -1))
            best = max(best, float(np.logaddexp.reduce(capitals)) - math.log(len(FRACTIONS)))
            seen += value
        wrong += best >= math.log(20)
    ours = false_confirmations(150, size, Fraction(1, 2), learn=True)
    assert wrong / runs > 0.1
    assert ours <= 0.05


@pytest.mark.prove
def test_bounds_hold_the_truth_at_all_times_and_end_on_it() -> None:
    rng, lost, widths = np.random.default_rng(6), 0, []
    for _ in range(60):
        labels, scores = pool_of(rng, 600, 520, 0.05)
        rows = np.stack((labels, scores), axis=1)
        sequences = [
            PredictionPoweredSequence(JudgedPool.of(scores, (0, 1)), 0.05, weight)
            for weight in (Fraction(4, 5), Fraction(0))
        ]
        bounds = [sequence.update(rows[:200]) for sequence in sequences]
        lost += not bounds[0].lower <= 520 / 600 <= bounds[0].upper
        widths.append([b.upper - b.lower for b in bounds])
        whole = sequences[0].update(rows[200:])
        assert (whole.lower, whole.upper) == (520 / 600, 520 / 600)
    assert lost <= 3
    assert np.median(widths, axis=0)[0] < 0.8 * np.median(widths, axis=0)[1]


def test_bounds_agree_with_the_evidence() -> None:
    labels, scores = pool_of(np.random.default_rng(7), 2000, 1900, 0.02)
    rows, pool = np.stack((labels, scores), axis=1)[:500], JudgedPool.of(scores, (0, 1))
    lower = PredictionPoweredSequence(pool, 0.05, Fraction(9, 10)).update(rows).lower
    for total, expected in ((round(lower * 2000), True), (round(lower * 2000) + 1, False)):
        path = PredictionPowered(pool, Fraction(total, 2000), Fraction(9, 10)).update(rows)
        assert bool((path[0] >= LOG_40).any()) is expected


def test_scores_of_another_pool_are_refused() -> None:
    pool = JudgedPool.of(np.array([0, 0, 1, 1]), (0, 1))
    evidence = PredictionPowered(pool, Fraction(1, 2), Fraction(1, 2))
    with pytest.raises(InputError, match="do not match"):
        evidence.update(np.array([[1, 1], [1, 1], [1, 1]]))
    with pytest.raises(InputError, match="weight"):
        PredictionPowered(pool, Fraction(1, 2), Fraction(3, 2))


@pytest.mark.prove
@pytest.mark.parametrize("learn", [False, True])
def test_false_confirmations_in_many_runs(learn: bool) -> None:
    assert false_confirmations(2000, 2000, Fraction(4, 5), learn) <= 0.05


@pytest.mark.prove
@pytest.mark.parametrize(
    ("share", "wrong_judge", "weight", "published"),
    [
        (0.92, 0.0, Fraction(0), 1680),
        (0.92, 0.1, Fraction(11, 20), 1107),
        (0.88, 0.0, Fraction(0), 1785),
        (0.88, 0.05, Fraction(4, 5), 976),
        (0.88, 0.1, Fraction(11, 20), 1284),
    ],
)
def test_the_rest_of_the_table(share: float, wrong_judge: float, weight: Fraction, published: int) -> None:
    assert medians(share, wrong_judge, weight, 300) == pytest.approx(published, rel=0.12)


JUDGES = {
    "none": lambda rng, y: np.zeros(len(y)),
    "five": lambda rng, y: np.where(rng.random(len(y)) < 0.05, 1 - y, y),
    "inverted": lambda rng, y: 1 - y,
    "flattering": lambda rng, y: np.ones(len(y)),
    "random": lambda rng, y: rng.random(len(y)),
    "perfect": lambda rng, y: y,
}


def grouped(rng, truth, labels, judge, weight=Fraction(3, 4), horizon=None):
    y = (rng.random(labels * 10) < truth).astype(float)
    scores = JUDGES[judge](rng, y)
    groups = scores[labels:].reshape(labels, 9).mean(axis=1)
    return GroupedLabels(np.column_stack((y[:labels], scores[:labels], groups)), 9, weight, horizon)


@pytest.mark.parametrize("horizon", [pytest.param(None, marks=pytest.mark.prove), 400])
@pytest.mark.parametrize(
    "judge",
    [judge if judge == "flattering" else pytest.param(judge, marks=pytest.mark.prove) for judge in JUDGES],
)
@pytest.mark.prove
def test_groups_accept_falsely_within_the_level_whatever_the_judge(judge, horizon):
    rng = np.random.default_rng(7)
    passed = sum(
        float(grouped(rng, 0.9, 400, judge, horizon=horizon).above(0.9, 0.05).max()) >= math.log(20) for _ in range(300)
    )
    assert passed <= 15 + 3 * 3.8, "level 0.05 on its boundary"


def test_a_judge_that_errs_in_5_percent_saves_two_labels_in_five_and_a_bad_one_costs_none():
    def median(judge, weight=Fraction(3, 4)):
        rng = np.random.default_rng(8)
        paths = (grouped(rng, 0.93, 2500, judge, weight).above(0.9, 0.025) for _ in range(60))
        return float(np.median([np.argmax(path >= math.log(40)) or 2500 for path in paths]))

    alone = median("none", Fraction(0))
    assert median("five") <= 0.6 * alone
    assert median("inverted") <= 1.25 * alone


def test_groups_bound_the_mean_from_both_sides():
    found = grouped(np.random.default_rng(9), 0.93, 1000, "five")
    low, high = found.bounds(0.025).lower, found.bounds(0.025).upper
    assert 0.9 < low < 0.93 < high < 0.96
    assert float(found.above(low, 0.025).max()) >= math.log(40) > float(found.above(low + 1e-4, 0.025).max())


@pytest.mark.prove
def test_a_number_of_labels_that_was_fixed_decides_with_more_power():
    rng = np.random.default_rng(10)
    passed = [float(grouped(rng, 0.93, 600, "five", horizon=600).above(0.9, 0.025).max()) >= LOG_40 for _ in range(60)]
    assert sum(passed) >= 48, "0.93 by the note, where the labels alone have 0.72"
