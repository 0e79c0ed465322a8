"""The area under the ROC curve: against its definition and scikit-learn, coverage, clusters, the ends."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from pilotbase.documents.errors import InputError
from pilotbase.evidence.roc_area import Area, DeLong, delong


def cases(rng: np.random.Generator, n: int, digits: int = 8) -> tuple[np.ndarray, np.ndarray]:
    positive = rng.random(n) < 0.3
    positive[:4] = [True, True, False, False]
    return np.round(rng.standard_normal(n) + positive, digits), positive


def by_definition(scores: np.ndarray, positive: np.ndarray) -> tuple[float, float]:
    """Return area and variance from all pairs (DeLong, DeLong & Clarke-Pearson 1988, equations 4-5)."""
    ups, downs = scores[positive][:, None], scores[~positive][None, :]
    kernel = (ups > downs) + 0.5 * (ups == downs)
    v10, v01 = kernel.mean(axis=1), kernel.mean(axis=0)
    return float(kernel.mean()), float(v10.var(ddof=1) / len(v10) + v01.var(ddof=1) / len(v01))


@pytest.mark.parametrize("digits", [8, 1, 0])
def test_equals_the_definition_with_and_without_ties(digits: int) -> None:
    scores, positive = cases(np.random.default_rng(digits), 300, digits)
    found = delong(scores, positive, 0.05)
    assert (found.area, found.variance) == pytest.approx(by_definition(scores, positive), abs=1e-12)
    assert found.area == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)


def test_clusters_of_one_are_almost_the_plain_variance() -> None:
    scores, positive = cases(np.random.default_rng(4), 3000)
    plain, clustered = delong(scores, positive, 0.05), delong(scores, positive, 0.05, np.arange(3000))
    assert clustered.variance == pytest.approx(plain.variance, rel=1e-9)


def test_a_case_repeated_counts_once_if_it_is_one_unit() -> None:
    scores, positive = cases(np.random.default_rng(5), 400)
    once = delong(scores, positive, 0.05)
    thrice = delong(np.repeat(scores, 3), np.repeat(positive, 3), 0.05, np.repeat(np.arange(400), 3))
    assert thrice.area == pytest.approx(once.area)
    assert thrice.variance == pytest.approx(once.variance, rel=1e-9)
    assert delong(np.repeat(scores, 3), np.repeat(positive, 3), 0.05).variance < 0.4 * once.variance


def clustered_cases(rng: np.random.Generator, clusters: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return scores, classes and units: five cases a unit, whose scores share what the unit is like."""
    units = np.repeat(np.arange(clusters), 5)
    positive = rng.random(len(units)) < 0.5
    scores = positive + rng.standard_normal(clusters)[units] * 1.2 + 0.6 * rng.standard_normal(len(units))
    # Units tell their cases apart badly: most units are of mainly one class.
    positive = positive ^ (rng.random(len(units)) < 0.1)
    return scores, positive, units


def coverage(runs: int) -> tuple[float, float, float]:
    """Return how often the truth lies within: independent cases; clusters by units; clusters as if independent."""
    rng, inside = np.random.default_rng(6), np.zeros(3)
    truth = float(0.5 * (1 + math.erf(1 / 2)))  # Φ(1/√2)
    large = clustered_cases(np.random.default_rng(7), 200_000)
    clustered_truth = delong(large[0], large[1], 0.05).area
    for _ in range(runs):
        scores, positive = cases(rng, 300)
        plain = delong(scores, positive, 0.05).bounds
        scores, positive, units = clustered_cases(rng, 60)
        by_unit, naive = delong(scores, positive, 0.05, units).bounds, delong(scores, positive, 0.05).bounds
        inside += [
            plain.lower <= truth <= plain.upper,
            by_unit.lower <= clustered_truth <= by_unit.upper,
            naive.lower <= clustered_truth <= naive.upper,
        ]
    return float(inside[0] / runs), float(inside[1] / runs), float(inside[2] / runs)


def test_coverage() -> None:
    plain, by_unit, _ = coverage(500)
    assert 0.92 <= plain <= 0.98
    assert 0.91 <= by_unit <= 0.98


def test_an_area_near_one_is_not_passed_three_times_too_often() -> None:
    """A plain interval (area ± 1.645 standard errors) lies above .98 in a sixth of such samples."""
    rng, truth, above = np.random.default_rng(9), 0.98, np.zeros(2)
    shift = math.sqrt(2) * stats.norm.ppf(truth)
    for _ in range(600):
        positive = np.arange(100) % 2 == 0
        found = delong(rng.standard_normal(100) + shift * positive, positive, 0.1)
        above += [found.bounds.lower > truth, found.area - 1.645 * math.sqrt(found.variance) > truth]
    assert above[0] / 600 < 0.1
    assert above[1] / 600 > 0.12


def test_doctors_with_a_level_of_their_own_are_not_independent_cases() -> None:
    """The trap: units that are all of one class; taking their cases as independent is too sure of itself."""
    rng, inside = np.random.default_rng(8), np.zeros(2)
    for _ in range(400):
        units = np.repeat(np.arange(80), 5)
        positive = units % 2 == 0
        scores = positive + rng.standard_normal(80)[units] * 0.9 + 0.4 * rng.standard_normal(400)
        truth = 0.5 * (1 + math.erf(1 / math.sqrt(2 * (0.81 + 0.16)) / math.sqrt(2)))
        for place, unit in enumerate((units, None)):
            bounds = delong(scores, positive, 0.05, unit).bounds
            inside[place] += bounds.lower <= truth <= bounds.upper
    assert inside[0] / 400 > 0.91
    assert inside[1] / 400 < 0.8


@pytest.mark.prove
def test_coverage_in_many_runs() -> None:
    plain, by_unit, _ = coverage(5000)
    assert plain == pytest.approx(0.95, abs=0.012)
    assert by_unit == pytest.approx(0.95, abs=0.02)


def test_all_in_order_is_no_proof_of_perfection() -> None:
    found = delong(np.array([0.1, 0.2, 0.8, 0.9, 0.95]), np.array([0, 0, 1, 1, 1], dtype=bool), 0.05)
    assert found.area == 1
    # Two independent pairs in order: as Clopper and Pearson would say of 2 of 2.
    assert found.bounds.lower == pytest.approx(0.025**0.5)
    turned = delong(np.array([0.9, 0.8, 0.2, 0.1]), np.array([0, 0, 1, 1], dtype=bool), 0.05)
    assert (turned.area, turned.bounds.lower) == (0, 0)
    assert turned.bounds.upper == pytest.approx(1 - 0.025**0.5)


def test_one_negative_bounds_nothing() -> None:
    found = delong(np.array([0.1, 0.2, 0.8]), np.array([0, 1, 1], dtype=bool), 0.05)
    assert (found.bounds.lower, found.bounds.upper) == (0, 1)


def test_what_cannot_be_ranked_is_refused() -> None:
    with pytest.raises(InputError, match="one class"):
        delong(np.array([0.1, 0.2]), np.ones(2, dtype=bool), 0.05)
    with pytest.raises(InputError, match="do not rank anything"):
        delong(np.full(4, 0.5), np.array([0, 1, 0, 1], dtype=bool), 0.05)
    collected = DeLong(0.05)
    assert collected.update(np.array([[0.5, 1], [0.5, 0]])) is None
    assert isinstance(collected.update(np.array([[0.7, 1]])), Area)


def test_the_published_interval_and_a_hundred_thousand_cases_at_once() -> None:
    rng = np.random.default_rng(0)
    positive = rng.random(10**5) < 0.2
    scores = rng.standard_normal(10**5) + 1.5 * positive
    start = time.process_time()
    found = delong(scores, positive, 0.05)
    assert time.process_time() - start <= 0.12  # .015 s measured; other tests may run beside it
    assert (found.bounds.lower, found.bounds.upper) == pytest.approx((0.85299, 0.85866), abs=3e-5)
