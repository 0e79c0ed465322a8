"""Events that span several cases, found or not as wholes; and recall at a share of false alarms."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from pilotbase.documents.criteria import parse_rule
from pilotbase.evidence import CriterionPlan, Levels, draw_order, outcome_of
from pilotbase.measures import Cases, observe, score

RULE = parse_rule("event_recall(y) >= 0.5")


def events(truth: list[int], answers: list[int], units: list[int] | None) -> Cases:
    codes = None if units is None else np.array(units)
    return Cases(np.array(truth), np.array(answers), units=codes, classes=("n", "y"), positive="y")


def test_an_event_is_found_by_any_of_its_cases_and_counts_once() -> None:
    truth, answers, units = [1, 1, 1, 1, 0, 1], [0, 1, 1, 0, 1, 0], [0, 0, 0, 1, 1, 2]
    assert score(RULE, events(truth, answers, units)) == pytest.approx(1 / 3), "an alarm beside the event finds nothing"
    assert score(RULE, events(truth, answers, None)) == pytest.approx(2 / 5), "without units each case is an event"


def test_no_answer_in_any_case_of_an_event_misses_it() -> None:
    assert score(RULE, events([1, 1, 1], [-1, 1, -1], [0, 0, 1])) == 0.5


def test_an_event_enters_with_the_last_of_its_cases_that_is_scored() -> None:
    cases = events([1, 1, 1], [1, 1, 0], [0, 0, 1])
    assert observe(RULE, cases, np.array([1, 0, 2])).parts[0].weight.tolist() == [1, 0, 1]
    assert observe(RULE, cases, np.array([0, 2, 1])).parts[0].weight.tolist() == [0, 1, 1]


def test_a_criterion_just_missed_is_rarely_confirmed_when_units_are_drawn() -> None:
    """40 events of one to five cases, half of them found: a false pass in at most α of the orders."""
    rng = np.random.default_rng(3)
    sizes = rng.integers(1, 6, 40)
    units = np.repeat(np.arange(40), sizes)
    found = rng.permutation(40) < 20
    answers = np.where(found[units], 1, 0)
    cases = events([1] * len(units), answers.tolist(), units.tolist())
    assert score(RULE, cases) == 0.5
    passes = 0
    for seed in range(60):
        order = draw_order(len(cases), b"events %d" % seed, cases.units)
        plan = CriterionPlan(
            str(RULE), observe(RULE, cases, order), ">=", Fraction(1, 2) + Fraction(1, 10**6), units=units
        )
        passes += outcome_of([plan], order, Levels(Fraction(1, 10), Fraction(1, 10))).verdict == "accept"
    assert passes / 60 <= 0.1 + 3 * (0.09 / 60) ** 0.5


def scores(truth: list[int], answers: list[float]) -> Cases:
    return Cases(np.array(truth), np.array(answers), classes=("n", "y"), positive="y", kind="probability")


@pytest.mark.parametrize(("rate", "recall"), [("0.2", 0.25), ("0.25", 0.5), ("0.49", 0.5), ("0.5", 0.75), ("0.75", 1)])
def test_recall_at_a_share_of_false_alarms_by_hand(rate: str, recall: float) -> None:
    """Positives .9 .7 .5 .2, negatives .8 .5 .2 .1: a positive on a level with a negative comes with it."""
    cases = scores([1, 1, 1, 1, 0, 0, 0, 0], [0.9, 0.7, 0.5, 0.2, 0.8, 0.5, 0.2, 0.1])
    assert score(parse_rule(f"recall_at_false_alarms(y, rate={rate}) >= 0"), cases) == recall
