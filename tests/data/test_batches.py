import datetime as dt

import numpy as np
import polars as pl
import pytest

from pilotbase.data.baselines import baseline_answers, people_answers
from pilotbase.data.batches import feature_columns, truth_codes
from pilotbase.data.column_types import classes_of
from pilotbase.data.conform import conform
from pilotbase.documents.errors import InputError
from pilotbase.protocols.frames import FeatureBatch, encode_batch


def test_features_cross_the_wall_in_contract_order_and_type(scenario, table):
    document = scenario({"withheld": ["line"]})
    frame = conform(table(3), document)
    columns = feature_columns(frame, document.contract(("false", "true")))
    assert list(columns) == ["type", "torque", "wear", "alarm", "day"]
    assert [column.dtype for column in columns.values()] == [object, np.float64, np.int64, np.uint8, object]
    assert columns["day"].tolist() == ["2026-01-01", "2026-01-02", "2026-01-03"]
    assert columns["alarm"].tolist() == [1, 0, 0]
    encode_batch(FeatureBatch(columns, 3), document.contract(("false", "true")), 1)


def test_missing_numbers_are_nan_and_missing_texts_none(scenario, table):
    document = scenario()
    holes = {name: ["1", None] for name in ("type", "torque", "wear", "alarm")}
    frame = conform(table(2, day=[None, "2026-01-01"], **holes), document)
    columns = feature_columns(frame, document.contract(("false", "true")))
    assert columns["type"].tolist() == ["1", None]
    assert columns["day"].tolist() == [None, "2026-01-01"]
    for name in ("torque", "wear", "alarm"):
        assert columns[name].dtype == np.float64
        assert columns[name][0] == 1
        assert np.isnan(columns[name][1])
    encode_batch(FeatureBatch(columns, 2), document.contract(("false", "true")), 1)


def test_times_are_spelled_in_utc(scenario):
    fields = [{"name": "at", "dataType": "sc:DateTime"}, {"name": "y", "dataType": "sc:Float"}]
    document = scenario({"fields": fields, "target": "y", "key": None}, task="regression", positive=None)
    moment = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    frame = conform(pl.DataFrame({"at": [moment], "y": [1.5]}), document)
    assert feature_columns(frame, document.contract(()))["at"].tolist() == ["2026-01-01T19:04:05Z"]
    assert truth_codes(frame, document, ()).tolist() == [1.5]


def test_the_truth_is_coded_into_sorted_classes(scenario, table):
    document = scenario()
    frame = conform(table(5), document)
    assert classes_of(frame, document) == ("false", "true")
    codes = truth_codes(frame, document, ("false", "true"))
    assert codes.dtype == np.int32
    assert codes.tolist() == [1, 0, 0, 0, 1]
    with pytest.raises(InputError) as caught:
        truth_codes(frame, document, ("false", "maybe"))
    assert caught.value.code == "data.unknown_class"
    assert "true" in caught.value.render()


def answers(document, frame, classes=("false", "true")):
    return baseline_answers(document, frame, classes)


def test_a_rule_in_force_answers_with_classes(scenario, table):
    document = scenario(baseline={"kind": "rule", "rule": "wear >= 3 or alarm"})
    assert answers(document, conform(table(5), document)).tolist() == [1, 0, 0, 1, 1]
    flipped = scenario(baseline={"kind": "rule", "rule": "wear >= 3 or alarm"}, positive="false")
    assert answers(flipped, conform(table(5), document)).tolist() == [0, 1, 1, 0, 0]


def test_a_rule_may_not_read_the_target(scenario, table):
    document = scenario(baseline={"kind": "rule", "rule": "failure == 'true'"})
    with pytest.raises(InputError) as caught:
        answers(document, conform(table(5), document))
    assert caught.value.code == "data.rule.unknown_column"


@pytest.mark.parametrize(
    "decisions", [["1", "0", None, "1"], ["yes", "no", None, "yes"], ["TRUE", "false", None, "true"]]
)
@pytest.mark.parametrize("data_type", ["sc:Text", "sc:Boolean"])
def test_past_decisions_are_read_in_the_targets_classes(scenario, table, machine_fields, decisions, data_type):
    fields = [*machine_fields, {"name": "decision", "dataType": data_type}]
    document = scenario({"fields": fields}, baseline={"kind": "column", "column": "decision"})
    frame = conform(table(4, decision=decisions), document)
    assert answers(document, frame).tolist() == [1, 0, -1, 1]
    assert "decision" not in feature_columns(frame, document.contract(("false", "true")))


def test_a_decision_outside_the_classes_is_refused(scenario, table, machine_fields):
    fields = [*machine_fields, {"name": "decision", "dataType": "sc:Text"}]
    document = scenario({"fields": fields}, baseline={"kind": "column", "column": "decision"})
    with pytest.raises(InputError) as caught:
        answers(document, conform(table(2, decision=["maybe", "1"]), document))
    assert caught.value.code == "data.unknown_class"


@pytest.mark.parametrize("value", [True, 1, 1.0, "true", "1"])
def test_a_constant_names_a_class_in_any_spelling(scenario, table, value):
    document = scenario(baseline={"kind": "constant", "value": value})
    assert answers(document, conform(table(2), document)).tolist() == [1, 1]


def test_baselines_of_a_regression(scenario, table, machine_fields):
    fields = [*machine_fields, {"name": "plan", "dataType": "sc:Integer"}]
    data = {"fields": fields, "target": "torque"}
    regression = {"task": "regression", "positive": None}
    document = scenario(data, **regression, baseline={"kind": "column", "column": "plan"})
    frame = conform(table(2, plan=["40", None]), document)
    found = answers(document, frame, ())
    assert found.dtype == np.float64
    assert found[0] == 40
    assert np.isnan(found[1])
    constant = scenario(data, **regression, baseline={"kind": "constant", "value": 12.5})
    assert answers(constant, frame, ()).tolist() == [12.5, 12.5]
    for baseline, code in (
        ({"kind": "constant", "value": "much"}, "data.constant_not_numeric"),
        ({"kind": "rule", "rule": "wear > 3"}, "data.rule.no_binary_task"),
        ({"kind": "column", "column": "type"}, "data.baseline_not_numeric"),
    ):
        with pytest.raises(InputError) as caught:
            answers(scenario(data, **regression, baseline=baseline), frame, ())
        assert caught.value.code == code
        assert caught.value.render("en") != caught.value.render("zh")


def test_a_reference_application_is_left_to_the_trial(scenario, table):
    document = scenario(baseline={"kind": "application", "path": "reference"})
    assert answers(document, conform(table(2), document)) is None
    assert answers(scenario(), conform(table(2), document)) is None


BOX, SURE, WRONG = '[["bolt", 1, 2, 6, 4]]', '[["bolt", 1, 2, 6, 4, 1.0]]', '[["nut", 1, 2, 6, 4]]'


@pytest.mark.parametrize("kept", ["baseline", "people"])
@pytest.mark.parametrize(
    ("task", "kind", "spelled", "read"),
    [("detection", "boxes", BOX, SURE), ("detection", "boxes", SURE, SURE), ("multilabel", "labels", "bolt", "bolt")],
)
def test_decisions_of_a_structure_are_spelled_like_the_target(scenario, kept, task, kind, spelled, read):
    fields = [{"name": name, "dataType": "sc:Text"} for name in ("seen", "y", "shift")]
    column = {kept: {"kind": "column", "column": "shift"}}
    document = scenario({"fields": fields, "target": "y", "key": None}, task=task, positive=None, **column)
    decided = people_answers if kept == "people" else baseline_answers
    frame = pl.DataFrame({"seen": ["a", "b"], "y": [BOX, BOX], "shift": [spelled, None]})
    assert decided(document, frame, ("bolt",)).tolist() == [read, None]
    with pytest.raises(InputError) as caught:
        decided(document, frame.with_columns(shift=pl.Series([WRONG if kind == "boxes" else "nut", None])), ("bolt",))
    assert caught.value.code == "data.no_answers"
