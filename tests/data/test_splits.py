import datetime as dt

import polars as pl
import pytest

from pilotbase.data.conform import conform
from pilotbase.data.splits import split_cases
from pilotbase.documents.errors import InputError


def frame_of(table, scenario, rows=2000, **columns):
    raw = table(rows, torque=[str(index / 20 % 100) for index in range(rows)], **columns)
    return conform(raw, scenario)


def refused(frame, scenario):
    with pytest.raises(InputError) as caught:
        split_cases(frame, scenario)
    assert caught.value.render("zh") != caught.value.render("en")
    return caught.value


def test_a_hash_split_depends_on_the_cases_and_the_name_alone(scenario, table):
    document = scenario({"split": {"method": "hash", "hidden": 0.3}})
    frame = frame_of(table, document)
    split = split_cases(frame, document)
    assert split.public.height + split.hidden.height == frame.height
    assert 0.27 < split.hidden.height / frame.height < 0.33
    shuffled = split_cases(frame.sample(fraction=1, shuffle=True, seed=1), document)
    assert set(shuffled.hidden["id"]) == set(split.hidden["id"])
    assert split.hidden["id"].is_sorted()
    grown = split_cases(pl.concat([frame, frame_of(table, document, 2100).tail(100)]), document)
    assert set(grown.hidden["id"]) >= set(split.hidden["id"])
    other = split_cases(frame, scenario({"split": {"method": "hash", "hidden": 0.3}}, name="turning"))
    assert set(other.hidden["id"]) != set(split.hidden["id"])


def test_the_hash_split_is_the_same_for_ever(scenario, table):
    document = scenario()
    assert split_cases(frame_of(table, document, 40), document).hidden["id"].to_list()[:6] == [0, 3, 5, 7, 8, 10]


def test_rows_that_look_the_same_stay_on_one_side(scenario, table):
    document = scenario()
    frame = frame_of(table, document, 400)
    twice = pl.concat([frame, frame.with_columns(pl.col("id") + 1000, failure=pl.lit("true"))])
    split = split_cases(twice, document)
    features = [field.name for field in document.feature_fields]
    assert split.hidden.join(split.public, on=features, how="semi", nulls_equal=True).is_empty()


def test_values_of_by_stay_together(scenario, table):
    document = scenario({"split": {"method": "hash", "by": "wear"}})
    split = split_cases(frame_of(table, document), document)
    assert not set(split.hidden["wear"]) & set(split.public["wear"])
    assert set(split.hidden["wear"]) | set(split.public["wear"]) == set(range(250))


def test_whole_groups_are_hidden(scenario, table):
    document = scenario({"split": {"method": "group", "column": "line", "hidden": ["north"]}})
    rows = {"failure": ["1" if index % 3 == 0 else "0" for index in range(200)]}
    split = split_cases(frame_of(table, document, 200, **rows), document)
    assert set(split.hidden["line"]) == {"north"}
    assert set(split.public["line"]) == {"south"}
    numbered = scenario({"split": {"method": "group", "column": "wear", "hidden": [3, "4", 12, 13, 14, 16]}})
    assert set(split_cases(frame_of(table, numbered), numbered).hidden["wear"]) == {3, 4, 12, 13, 14, 16}


def test_everything_from_a_moment_on_is_hidden(scenario, table):
    document = scenario({"split": {"method": "time", "column": "day", "hidden_from": "2026/1/15"}})
    split = split_cases(frame_of(table, document, 200), document)
    assert split.hidden["day"].min() == dt.date(2026, 1, 15)
    assert split.public["day"].max() == dt.date(2026, 1, 14)


def test_groups_that_do_not_occur_are_refused_with_those_that_do(scenario, table):
    document = scenario({"split": {"method": "group", "column": "line", "hidden": ["north", "west"]}})
    error = refused(frame_of(table, document, 20), document)
    assert error.code == "data.unknown_group"
    assert "west" in error.render().splitlines()[0]
    assert "north, south" in error.render()


@pytest.mark.parametrize(
    ("hidden_from", "code"),
    [
        ("2027-01-01", "data.empty_hidden_set"),
        ("2025-01-01", "data.empty_public_sample"),
        ("last week", "data.unreadable_moment"),
    ],
)
def test_empty_sides_are_refused(scenario, table, hidden_from, code):
    document = scenario({"split": {"method": "time", "column": "day", "hidden_from": hidden_from}})
    assert refused(frame_of(table, document, 20), document).code == code


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (["0"] * 10 + ["1"] + ["0"] * 9, "data.one_class_hidden"),
        (["0"] * 10 + ["0"] + ["1"] * 9, "data.one_class_public"),
    ],
)
def test_one_class_on_a_side_is_refused(scenario, table, failure, code):
    document = scenario({"split": {"method": "time", "column": "day", "hidden_from": "2026-01-12"}})
    assert refused(frame_of(table, document, 20, failure=failure), document).code == code


def test_a_class_that_only_the_hidden_set_has_is_refused(scenario, table):
    fields = [*scenario().model_dump(by_alias=True)["data"]["fields"][:-1], {"name": "failure", "dataType": "sc:Text"}]
    split = {"method": "time", "column": "day", "hidden_from": "2026-01-11"}
    document = scenario({"fields": fields, "split": split}, positive="b")
    labels = ["a", "b"] * 5 + ["a", "c"] * 5
    assert refused(frame_of(table, document, 20, failure=labels), document).code == "data.class_only_hidden"
    labels = ["a", "c"] * 10
    assert refused(frame_of(table, document, 20, failure=labels), document).code == "data.unknown_positive"
