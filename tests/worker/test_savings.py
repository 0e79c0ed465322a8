"""Savings: what errors cost less than with the baseline, where the report tells it, and only there."""

import pytest

from pilotbase.documents.contract import Prediction
from pilotbase.documents.figures import ErrorCounts, Mistake
from pilotbase.documents.scenario import Costs
from pilotbase.worker.trials.comparing import saves
from tests.catalogue.records_for_tests import plan, report, scenario, version

COUNTS = {"label": "broken", "cases": 1000, "misses": 10, "false_alarms": 10}
BASELINE = {"baseline_misses": 40, "baseline_false_alarms": 60}
KINDS = ("broken", "fine", "worn")


def told(costs=None, classes=("broken", "fine"), **counts):
    errors = ErrorCounts(**COUNTS, **counts) if counts else None
    made = report(plan(scenario(()), version()))
    contract = made.contract.model_copy(update={"prediction": Prediction(kind="label", classes=classes)})
    priced = costs and Costs(**costs)
    return saves(made.model_copy(update={"errors": errors, "costs": priced, "contract": contract}))


def test_misses_and_false_alarms_are_priced():
    found = told({"miss": 1000, "false_alarm": 10}, **BASELINE)
    assert found == pytest.approx((40 * 1000 + 60 * 10) - (10 * 1000 + 10 * 10))


def test_each_mistake_is_priced_and_a_missing_answer_as_the_dearest_one():
    made = (
        Mistake(true="broken", answered="fine", count=10, baseline=40),
        Mistake(true="worn", answered="", count=1, baseline=0),
        Mistake(true="fine", answered="broken", count=0, baseline=3),
    )
    costs = {"mistakes": "broken as fine=500, worn as broken=7, worn as fine=30, fine as *=2, * as *=1"}
    found = told(costs, KINDS, **BASELINE, mistakes=made)
    assert found == pytest.approx((40 * 500 + 3 * 2) - (10 * 500 + 1 * 30))


def test_nothing_is_told_where_the_report_does_not():
    costs = {"miss": 1000, "false_alarm": 10}
    assert told(costs) is None
    assert told(None, **BASELINE) is None
    assert told(costs, mistakes=()) is None, "no baseline"
