"""Savings: what misses and false alarms cost less than with the baseline, where the report tells it, and only there."""

import pytest

from pilotbase.documents.report import CriterionResult
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Estimand, Outcome
from pilotbase.worker.trials.comparing import saves
from tests.catalogue.records_for_tests import plan, report, scenario, version


def result(rule, estimate, baseline, scored=100):
    return CriterionResult(
        rule=rule, outcome=Outcome.PASS, threshold=0.5, estimate=estimate, baseline=baseline, scored=scored,
        estimand=Estimand.HIDDEN_SET, unit="case", confidence=0.95, guarantee="exact_anytime",
        claim=text("verdict.accept"),
    )  # fmt: skip


def told(*results, baseline=None, costs={"miss": 1000, "false_alarm": 10}):  # noqa: B006 - never changed
    rules = [{"rule": one.rule} for one in results]
    of = scenario((), criteria=rules, costs=costs, baseline=baseline or {"kind": "rule", "rule": "torque > 40"})
    made = report(plan(of, version())).model_copy(update={"criteria": results, "counts": {"scored": 1000}})
    return saves(of, made)


RECALL = result("recall(broken) >= 0.8", 0.9, 0.6)
"""100 of 1,000 cases are broken: 10 are missed, of the baseline 40."""


def test_recall_and_precision_tell():
    """90 hits at precision 0.9 are 10 false alarms; 60 hits at 0.5 are 60."""
    found = told(RECALL, result("precision(broken) >= 0.8", 0.9, 0.5, scored=100))
    assert found == pytest.approx((40 * 1000 + 60 * 10) - (10 * 1000 + 10 * 10))


def test_recall_and_specificity_tell():
    found = told(RECALL, result("specificity(broken) >= 0.8", 0.99, 0.9, scored=900))
    assert found == pytest.approx((40 * 1000 + 90 * 10) - (10 * 1000 + 9 * 10))


@pytest.mark.parametrize(("value", "cost"), [("fine", 100 * 1000), ("broken", 900 * 10)])
def test_always_the_same_answer_costs_what_its_answer_says(value, cost):
    precision = result("precision(broken) >= 0.8", 0.9, None)
    found = told(RECALL, precision, baseline={"kind": "constant", "value": value})
    assert found == pytest.approx(cost - (10 * 1000 + 10 * 10))


def test_a_criterion_on_the_cost_itself_is_taken_as_it_is():
    stated = result("cost(broken, miss=1000, false_alarm=10) <= 50", 12.0, 40.0)
    assert told(stated) == pytest.approx(1000 * 28)
    assert told(result("cost(broken, miss=7, false_alarm=1) <= 50", 1.0, 2.0)) is None


def test_nothing_is_told_where_the_report_does_not():
    precision = result("precision(broken) >= 0.8", 0.9, 0.5)
    assert told(RECALL) is None
    assert told(precision) is None
    assert told(RECALL, precision, costs=None) is None
    assert told(RECALL, result("precision(broken) >= 0.8", 0.9, None)) is None
    assert told(result("recall(fine) >= 0.8", 0.9, 0.6), precision) is None
