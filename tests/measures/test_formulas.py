"""Formulae against scikit-learn and against small cases worked by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from pilotbase.documents.criteria import parse_rule
from pilotbase.measures import Cases, RuleContext, measures, observe, problems_of, score
from pilotbase.measures.observation import Reals

N = 700
RNG = np.random.default_rng(0)
TRUTH = (RNG.random(N) < 0.3).astype(np.int64)
PROBABILITY = np.clip(TRUTH * 0.5 + RNG.random(N) * 0.6, 0, 1).round(2)
ANSWERS = (PROBABILITY >= 0.5).astype(np.int64)
SITE = RNG.choice(["north", "south", "west"], N)
VALUES = RNG.normal(50, 10, N)
GUESSES = VALUES + RNG.normal(0, 4, N)

LABELS = Cases(TRUTH, ANSWERS, {"site": SITE}, classes=("ok", "failure"), positive="failure", kind="label")
SCORES = Cases(TRUTH, PROBABILITY, {"site": SITE}, classes=("ok", "failure"), positive="failure", kind="probability")
NUMBERS = Cases(VALUES, GUESSES, {"site": SITE}, kind="value")


def value(rule: str, cases: Cases) -> float:
    found = score(parse_rule(rule), cases)
    assert found is not None
    return found


@pytest.mark.parametrize("cases", [LABELS, SCORES], ids=["labels", "probabilities"])
@pytest.mark.parametrize(
    ("rule", "oracle"),
    [
        ("accuracy >= 0.5", lambda y, p: metrics.accuracy_score(y, p)),
        ("error_rate <= 0.5", lambda y, p: metrics.zero_one_loss(y, p)),
        ("recall(failure) >= 0.5", lambda y, p: metrics.recall_score(y, p)),
        ("recall(ok) >= 0.5", lambda y, p: metrics.recall_score(y, p, pos_label=0)),
        ("specificity(failure) >= 0.5", lambda y, p: metrics.recall_score(y, p, pos_label=0)),
        ("precision(failure) >= 0.5", lambda y, p: metrics.precision_score(y, p)),
        ("f1(failure) >= 0.5", lambda y, p: metrics.f1_score(y, p)),
        ("f1(ok) >= 0.5", lambda y, p: metrics.f1_score(y, p, pos_label=0)),
        ("f_beta(failure, beta=2) >= 0.5", lambda y, p: metrics.fbeta_score(y, p, beta=2)),
        ("f_beta(failure, beta=0.5) >= 0.5", lambda y, p: metrics.fbeta_score(y, p, beta=0.5)),
        ("jaccard(failure) >= 0.5", lambda y, p: metrics.jaccard_score(y, p)),
        ("balanced_accuracy >= 0.5", lambda y, p: metrics.balanced_accuracy_score(y, p)),
    ],
)
def test_classification_is_scikit_learns(rule: str, oracle: Any, cases: Cases) -> None:
    assert value(rule, cases) == pytest.approx(oracle(TRUTH, ANSWERS), abs=1e-12)


@pytest.mark.parametrize(
    ("rule", "oracle"),
    [
        ("brier <= 0.5", metrics.brier_score_loss),
        ("capped_log_loss(cap=50) <= 5", lambda y, p: metrics.log_loss(y, np.clip(p, 1e-16, 1 - 1e-16))),
        ("auc >= 0.5", metrics.roc_auc_score),
        ("auc(ok) >= 0.5", lambda y, p: metrics.roc_auc_score(1 - y, 1 - p)),
    ],
)
def test_probabilities_are_scikit_learns(rule: str, oracle: Any) -> None:
    inner = np.clip(PROBABILITY, 0.01, 0.99)
    cases = Cases(TRUTH, inner, classes=("ok", "failure"), positive="failure", kind="probability")
    assert value(rule, cases) == pytest.approx(oracle(TRUTH, inner), abs=1e-7)


@pytest.mark.parametrize(
    ("rule", "oracle"),
    [
        ("capped_mae(cap=1000) <= 5", metrics.mean_absolute_error),
        ("capped_rmse(cap=1000) <= 5", metrics.root_mean_squared_error),
        ("within(tolerance=3) >= 0.5", lambda y, p: np.mean(np.abs(y - p) <= 3)),
    ],
)
def test_regression_is_scikit_learns(rule: str, oracle: Any) -> None:
    assert value(rule, NUMBERS) == pytest.approx(oracle(VALUES, GUESSES), abs=1e-5)


def test_a_cap_holds_the_error_down() -> None:
    cases = Cases(np.zeros(4), np.array([1.0, 3.0, 100.0, -7.0]), kind="value")
    assert value("capped_mae(cap=5) <= 5", cases) == pytest.approx((1 + 3 + 5 + 5) / 4)
    assert value("capped_rmse(cap=5) <= 5", cases) == pytest.approx(((1 + 9 + 25 + 25) / 4) ** 0.5)


@pytest.mark.parametrize("cap", ["0.003", "3", "50", "12345.6", "1000000000000"])
def test_any_size_of_cap(cap: str) -> None:
    errors = float(cap) * np.array([0.1, 0.5, 2.0, 0.0])
    cases = Cases(np.zeros(4), errors, kind="value")
    assert value(f"capped_mae(cap={cap}) <= 1", cases) == pytest.approx(float(cap) * 0.4, rel=1e-8)
    assert value(f"capped_rmse(cap={cap}) <= 1", cases) == pytest.approx(float(cap) * (1.26 / 4) ** 0.5, rel=1e-8)


def test_many_classes() -> None:
    rng = np.random.default_rng(1)
    truth, answers = rng.integers(0, 5, 400), rng.integers(0, 5, 400)
    cases = Cases(truth, answers, classes=("a", "b", "c", "d", "e"), kind="label")
    assert value("balanced_accuracy >= 0.1", cases) == pytest.approx(metrics.balanced_accuracy_score(truth, answers))
    assert value("recall(d) >= 0.1", cases) == pytest.approx(metrics.recall_score(truth, answers, average=None)[3])


def test_a_class_that_does_not_occur_leaves_balanced_accuracy_to_the_others() -> None:
    cases = Cases(np.array([0, 0, 2]), np.array([0, 1, 2]), classes=("a", "b", "c"), kind="label")
    assert value("balanced_accuracy >= 0.1", cases) == pytest.approx(0.75)


def test_the_cut_moves_the_answer() -> None:
    assert value("recall(failure, cut=0.9) >= 0.1", SCORES) < value("recall(failure, cut=0.2) >= 0.1", SCORES)
    assert value("recall(failure, cut=0.35) >= 0.1", SCORES) == pytest.approx(
        metrics.recall_score(TRUTH, PROBABILITY >= 0.35)
    )


def test_groups() -> None:
    by_site = {s: metrics.recall_score(TRUTH[s == SITE], ANSWERS[s == SITE]) for s in np.unique(SITE)}
    assert value("worst(recall(failure) by site) >= 0.1", LABELS) == pytest.approx(min(by_site.values()))
    assert value("gap(recall(failure) by site) <= 0.5", LABELS) == pytest.approx(
        max(by_site.values()) - min(by_site.values())
    )
    worst = max(metrics.zero_one_loss(TRUTH[s == SITE], ANSWERS[s == SITE]) for s in np.unique(SITE))
    assert value("worst(error_rate by site) <= 0.5", LABELS) == pytest.approx(worst)
    parts = observe(parse_rule("worst(recall by site) >= 0.1"), LABELS, np.arange(N)).parts
    assert [part.name for part in parts] == ["north", "south", "west"]


def test_a_missing_group_value_is_a_group_of_its_own() -> None:
    groups = {"site": np.array(["a", None, "a", float("nan")], dtype=object)}
    cases = Cases(np.array([1, 1, 1, 1]), np.array([1, 0, 1, 0]), groups, classes=("n", "y"), positive="y")
    parts = observe(parse_rule("worst(accuracy by site) >= 0.1"), cases, np.arange(4)).parts
    assert {part.name: part.value() for part in parts} == {"": 0.0, "a": 1.0}


def test_coverage_and_abstention() -> None:
    cases = Cases(np.array([1, 0, 1, 0]), np.array([1, -1, 0, 0]), classes=("n", "y"), positive="y")
    assert value("coverage >= 0.1", cases) == 0.75
    assert value("abstention <= 0.5", cases) == 0.25


def test_win_rate_against_the_baseline() -> None:
    labels = Cases(
        np.array([1, 1, 1, 1]),
        np.array([1, 1, 0, -1]),
        baseline=np.array([0, 1, 1, 0]),
        classes=("n", "y"),
        positive="y",
    )
    assert value("win_rate >= 0.1", labels) == (1 + 0.5 + 0 + 0) / 4
    numbers = Cases(np.zeros(3), np.array([1.0, -2.0, np.nan]), baseline=np.array([2.0, 2.0, 9.0]), kind="value")
    assert value("win_rate >= 0.1", numbers) == (1 + 0.5 + 0) / 3


def test_blocks_for_a_population_follow_the_order() -> None:
    """One case of the scarcer class and as many others as there are for each, in the committed order."""
    order = np.random.default_rng(2).permutation(N)
    part = observe(parse_rule("auc >= 0.5"), SCORES, order, "population").parts[0]
    ups, downs = order[TRUTH[order] == 1], order[TRUTH[order] == 0]
    each = len(downs) // len(ups)
    assert each == 2 and (part.weight > 0).sum() == len(ups)
    others = downs[: each * len(ups)].reshape(-1, each)
    above = PROBABILITY[ups][:, None] - PROBABILITY[others]
    assert part.value() == pytest.approx(((above > 0) + 0.5 * (above == 0)).mean())
    place = np.argsort(order)
    known = np.flatnonzero(part.weight)
    assert set(place[known]) == set(np.maximum(place[ups], place[others].max(axis=1)))


def test_auc_ties_count_half() -> None:
    cases = Cases(
        np.array([1, 0, 0, 1]), np.array([0.5, 0.5, 0.2, 0.9]), classes=("n", "y"), positive="y", kind="probability"
    )
    assert value("auc >= 0.1", cases) == pytest.approx(metrics.roc_auc_score([1, 0, 0, 1], [0.5, 0.5, 0.2, 0.9]))


@pytest.mark.parametrize(
    "rule",
    [
        *("smoothed_log_loss(b) <= 0.5", "capped_log_loss(b, cap=5) <= 0.5", "brier(b) <= 0.5"),
        *("auc(b) >= 0.5", "partial_auc(b, rate=0.5) >= 0.1", "recall_at_false_alarms(b, rate=0.2) >= 0.1"),
        *("average_precision(b) >= 0.1", "calibration_gap(b) <= 0.5", "smooth_ece(b) <= 0.5"),
    ],
)
def test_a_class_of_several_is_judged_against_the_others(rule: str) -> None:
    draw = np.random.default_rng(1)
    truth, shares = draw.integers(0, 3, 50), draw.dirichlet([1, 1, 1], 50)
    several = Cases(truth, shares, classes=("a", "b", "c"), kind="probabilities")
    two = Cases((truth == 1).astype(int), shares[:, 1], classes=("a", "b"), positive="b", kind="probability")
    assert score(parse_rule(rule), several) == score(parse_rule(rule), two)
    assert problems_of(parse_rule(rule), RuleContext("probabilities", ("a", "b", "c"))) == ()
    unsaid = replace(parse_rule(rule), label=None)
    no_class = problems_of(unsaid, RuleContext("probabilities", ("a", "b", "c")))
    assert bool(no_class) == (not measures()[unsaid.measure].or_of_all), "of which class?"


def test_means_of_floats_are_exact_whatever_their_sizes() -> None:
    """Also where the largest is all that a float's sum would show, and at the smallest float that there is."""
    rng = np.random.default_rng(3)
    wide = rng.normal(size=40) * 10.0 ** rng.integers(-320, 300, size=40)
    for gains in (rng.random(1000) ** 2, -wide, np.array([1e300, 5e-324, -1e300]), np.zeros(3)):
        mean = sum(map(Fraction, gains.tolist())) / len(gains)
        assert Reals(gains, np.ones(len(gains))).ratio() == mean
