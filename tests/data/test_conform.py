import datetime as dt

import polars as pl
import pytest

from pilotbase.data.column_types import type_column
from pilotbase.data.conform import conform
from pilotbase.documents.contract import DataType
from pilotbase.documents.errors import InputError


def problems(table, scenario, language="en"):
    with pytest.raises(InputError) as caught:
        conform(table, scenario)
    return {issue.problem.code: issue.render(language) for issue in caught.value.issues}


def test_a_table_of_texts_becomes_typed_in_the_scenarios_order(scenario, table):
    frame = conform(table(3, extra=["1", "2", "3"]).select(pl.all().reverse()).reverse(), scenario())
    assert dict(frame.schema) == {
        "id": pl.Int64,
        "type": pl.String,
        "torque": pl.Float64,
        "wear": pl.Int64,
        "alarm": pl.Boolean,
        "line": pl.String,
        "day": pl.Date,
        "failure": pl.String,
    }
    assert frame.row(0) == (0, "L", 40.5, 0, True, "south", dt.date(2026, 1, 1), "true")


def test_every_problem_is_reported_at_once_with_rows_and_values(scenario, table):
    raw = table(
        10,
        torque=["50", "abc", "1200", "-3", *["50"] * 6],
        wear=[*["1"] * 8, "1.5", "x"],
        failure=["1", "0", None, *["0"] * 7],
        id=[*map(str, range(9)), "3"],
    ).drop("day")
    found = problems(raw, scenario())
    assert set(found) == {
        "data.missing_column",
        "data.wrong_type",
        "data.below_minimum",
        "data.above_maximum",
        "data.missing_target",
        "data.double_key",
    }
    assert "data.fields[6]" in found["data.missing_column"]
    assert "row 9, 10" in found["data.wrong_type"]
    assert "'1.5', 'x'" in found["data.wrong_type"]
    assert (
        "above the maximum of 100 N·m: 1, such as 1200.0 (row 3). Is the column in another unit?"
        in found["data.above_maximum"]
    )
    assert "(3)" in found["data.missing_target"]
    assert "(4, 10)" in found["data.double_key"]
    assert "单位" in problems(raw, scenario(), "zh")["data.above_maximum"]


def test_a_misspelt_column_is_offered(scenario, table):
    found = problems(table().rename({"torque": "torques"}), scenario())
    assert found["data.missing_column"].endswith("did you mean torques?")


def test_the_column_that_steers_the_split_must_be_complete(scenario, table):
    raw = table(4, line=["a", None, "b", "b"])
    assert "data.missing_group" in problems(raw, scenario({"split": {"method": "hash", "by": "line"}}))
    split = {"method": "time", "column": "line", "hidden_from": "b"}
    assert set(problems(raw, scenario({"split": split}))) == {"data.missing_group", "data.no_time_column"}


@pytest.mark.parametrize(
    ("data_type", "raw", "labels"),
    [
        ("sc:Boolean", ["TRUE", "no", "是", "0"], ["true", "false", "true", "false"]),
        ("sc:Integer", ["1", "0.0", "+2", "10"], ["1", "0", "2", "10"]),
        ("sc:Float", ["1.0", "0", "2.50", "1e1"], ["1", "0", "2.5", "10"]),
        ("sc:Text", ["good", "bad", " good", "1.0"], ["good", "bad", "good", "1.0"]),
    ],
)
def test_class_labels_are_text_in_one_spelling(scenario, table, data_type, raw, labels):
    document = scenario()
    fields = [
        *document.data.fields[:-1],
        document.data.fields[-1].model_copy(update={"data_type": DataType(data_type)}),
    ]
    document = document.model_copy(update={"data": document.data.model_copy(update={"fields": tuple(fields)})})
    assert conform(table(4, failure=raw), document)["failure"].to_list() == labels


UTC = dt.UTC


@pytest.mark.parametrize(
    ("data_type", "raw", "typed"),
    [
        (DataType.FLOAT, ["1", " 2.5 ", "1e3", "inf", "nan", "1,5", None], [1, 2.5, 1000, None, None, None, None]),
        (DataType.FLOAT, [1.0, float("nan"), float("inf")], [1, None, None]),
        (DataType.INTEGER, ["3.0", "2.5", "9007199254740993"], [3, None, 9007199254740993]),
        (DataType.INTEGER, [dt.date(2026, 1, 1)], [None]),
        (DataType.BOOLEAN, ["Yes", "否", "2", "1.0"], [True, False, None, None]),
        (DataType.BOOLEAN, [1, 0, 2], [True, False, None]),
        (DataType.TEXT, [1, None], ["1", None]),
        (DataType.TEXT, [[1], [2]], [None, None]),
        (DataType.DATE, ["2026-01-02", "2026/1/2", "20260102", "2026年1月2日"], [dt.date(2026, 1, 2)] * 4),
        (DataType.DATE, ["2026-13-01", "01/02/2026", "2026-01-02 00:00:00"], [None, None, dt.date(2026, 1, 2)]),
        (
            DataType.DATETIME,
            ["2026-01-02 03:04", "2026/1/2 03:04:00", "2026-01-02T03:04:00Z", "2026-01-02T11:04:00+0800", "now"],
            [*[dt.datetime(2026, 1, 2, 3, 4, tzinfo=UTC)] * 4, None],
        ),
    ],
)
def test_values_are_read_or_marked_never_guessed(data_type, raw, typed):
    column = type_column(pl.Series("x", raw), data_type)
    assert column.values.to_list() == typed
    missing = [value is None or value != value for value in raw]
    assert column.wrong.to_list() == [
        value is None and not absent for value, absent in zip(typed, missing, strict=True)
    ]
