"""Functions of all cases: only at the n that was fixed, said to be approximate, never surer than the cases allow."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.errors import InputError
from pilotbase.evidence import CriterionPlan, Design, Levels, decide, feasibility_of
from pilotbase.measures import Cases, observe

LEVELS = Levels(Fraction(1, 20), Fraction(1, 20))


def labels(n: int, right: float, seed: int = 0) -> Cases:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, n)
    answers = np.where(rng.random(n) < right, truth, 1 - truth)
    return Cases(truth, answers, classes=("n", "y"), positive="y")


def scores(n: int, seed: int = 0) -> Cases:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, n)
    answers = np.clip(0.3 * truth + 0.7 * rng.random(n), 0, 1)
    return Cases(truth, answers, classes=("n", "y"), positive="y", kind="probability")


def plan(source: str, cases: Cases, **how: Any) -> CriterionPlan:
    rule, order = parse_rule(source), np.arange(len(cases))
    seen = observe(rule, cases, order, "population")
    return CriterionPlan(source, seen, rule.comparison, Fraction(rule.threshold), "population", **how)


def test_it_is_not_looked_at_before_the_number_that_was_fixed() -> None:
    cases = labels(2000, 0.95)
    wrong = labels(2000, 0.5)
    both = [plan("mcc >= 0.5", cases), plan("accuracy >= 0.9", wrong)]
    decision = decide(both, np.arange(2000), LEVELS)
    assert decision.verdict == "reject" and decision.scored < 2000
    found = decision.criteria[0]
    assert (found.verdict, found.lower, found.upper) == ("inconclusive", -1.0, 1.0)
    alone = decide(both[:1], np.arange(2000), LEVELS)
    assert (alone.verdict, alone.scored, alone.criteria[0].decided_at) == ("accept", 2000, 2000)


def test_the_decision_is_as_strong_as_its_weakest_criterion() -> None:
    cases = labels(2000, 0.95)
    strong = plan("accuracy >= 0.9", cases)
    weak = plan("kappa >= 0.5", cases)
    assert decide([strong], np.arange(2000), LEVELS).guarantee == "exact_anytime"
    decision = decide([strong, weak], np.arange(2000), LEVELS)
    assert (decision.verdict, decision.guarantee) == ("accept", "asymptotic")
    assert [found.guarantee for found in decision.criteria] == ["exact_anytime", "asymptotic"]


@pytest.mark.parametrize("source", ["mcc >= 0.9", "kappa >= 0.9"])
def test_ten_right_answers_do_not_show_that_none_is_wrong(source: str) -> None:
    ten = decide([plan(source, labels(10, 1.0))], np.arange(10), LEVELS, Design("full")).criteria[0]
    assert (ten.estimate, ten.verdict) == (1.0, "inconclusive")
    many = decide([plan(source, labels(1000, 1.0))], np.arange(1000), LEVELS, Design("full")).criteria[0]
    assert many.verdict == "pass"


@pytest.mark.parametrize("source", ["auc_delong >= 0.9", "average_precision >= 0.9"])
def test_ten_cases_in_perfect_order_do_not_show_perfect_order(source: str) -> None:
    truth = np.arange(10) % 2
    cases = Cases(truth, 0.2 + 0.5 * truth, classes=("n", "y"), positive="y", kind="probability")
    assert decide([plan(source, cases)], np.arange(10), LEVELS, Design("full")).criteria[0].verdict == "inconclusive"


@pytest.mark.parametrize("rule", ["auc_delong >= 0.6", "auc_delong <= 0.4"])
def test_equal_scores_show_nothing(rule: str) -> None:
    cases = Cases(np.arange(400) % 2, np.full(400, 0.7), classes=("n", "y"), positive="y", kind="probability")
    found = decide([plan(rule, cases)], np.arange(400), LEVELS, Design("full")).criteria[0]
    assert (found.verdict, found.lower, found.upper) == ("inconclusive", 0.0, 1.0)


def test_the_interval_of_a_fixed_part_is_of_that_part() -> None:
    cases = scores(1000)
    part = decide([plan("auc_delong >= 0.5", cases)], np.arange(1000), LEVELS, Design("fixed", 300)).criteria[0]
    whole = decide([plan("auc_delong >= 0.5", cases)], np.arange(1000), LEVELS, Design("full")).criteria[0]
    assert part.upper - part.lower > 1.5 * (whole.upper - whole.lower)  # type: ignore[operator]
    same = plan("auc_delong >= 0.5", cases.among(np.arange(300)))
    assert part.estimate == pytest.approx(decide([same], np.arange(300), LEVELS, Design("full")).criteria[0].estimate)


def test_clusters_widen_delong_and_are_refused_where_cells_are_resampled() -> None:
    cases = scores(60).among(np.repeat(np.arange(60), 10))
    units, order = np.repeat(np.arange(60), 10), np.arange(600)
    alone = decide([plan("auc_delong >= 0.5", cases)], order, LEVELS, Design("full")).criteria[0]
    together = decide(
        [plan("auc_delong >= 0.5", cases, unit="ward", units=units)], order, LEVELS, Design("full")
    ).criteria[0]
    assert together.upper - together.lower > 2 * (alone.upper - alone.lower)  # type: ignore[operator]
    assert together.estimate == alone.estimate
    for source, code in (
        ("average_precision >= 0.5", "evidence.function_units"),
        ("auc >= 0.5", "evidence.joined_units"),
    ):
        with pytest.raises(InputError) as refused:
            decide([plan(source, cases, unit="ward", units=units)], order, LEVELS)
        assert refused.value.code == code
        assert "ward" in refused.value.render("zh")


def test_how_many_cases_an_approximate_bound_needs_is_said_before_the_freeze() -> None:
    found = feasibility_of(plan("mcc >= 0.95", labels(20, 1.0)), np.arange(20), LEVELS, Design("full"))
    assert not found.feasible and found.needed is not None and found.needed > 20
    enough = plan("mcc >= 0.95", labels(found.needed, 1.0))
    assert feasibility_of(enough, np.arange(found.needed), LEVELS, Design("full")).feasible
    assert feasibility_of(plan("mcc >= 1", labels(20, 1.0)), np.arange(20), LEVELS).needed is None
