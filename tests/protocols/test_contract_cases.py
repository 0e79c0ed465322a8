"""Cases of calls become the very columns that a trial feeds the box with, or every problem is told."""

import math
from datetime import UTC

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as some

from pilotbase.data.batches import feature_columns
from pilotbase.documents.contract import ARRAYS, Contract, DataType, Field, Prediction
from pilotbase.protocols.array_cells import cell_of
from pilotbase.protocols.contract_cases import CaseReader, ContractBrokenError, columns_of, scalars_of

FIELDS = (
    Field(name="pressure", dataType="sc:Float", minimum=0, maximum=10),
    Field(name="age", dataType="sc:Integer"),
    Field(name="alarm", dataType="sc:Boolean"),
    Field(name="site", dataType="sc:Text"),
    Field(name="day", dataType="sc:Date"),
    Field(name="at", dataType="sc:DateTime"),
)
CONTRACT = Contract(features=FIELDS, prediction=Prediction(kind="value"))
TYPES = {
    "pressure": pl.Float64(),
    "age": pl.Int64(),
    "alarm": pl.Boolean(),
    "site": pl.String(),
    "day": pl.Date(),
    "at": pl.Datetime("us", "UTC"),
}
NAMES = list(TYPES)
CASE = {"pressure": 7.5, "age": 3, "alarm": True, "site": "北", "day": "2026-01-31", "at": "2026-01-31T08:00:00+08:00"}

moments = some.datetimes(timezones=some.just(UTC))
cases = some.fixed_dictionaries(
    {
        "pressure": some.floats(0, 10),
        "age": some.integers(-(2**53), 2**53),
        "alarm": some.booleans(),
        "site": some.text(some.characters(exclude_categories=["Cs"])),
        "day": some.dates(),
        "at": moments,
    }
)


def spelled(case):
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in case.items()}


@given(some.lists(cases, min_size=1, max_size=5), some.sets(some.sampled_from(NAMES)), some.data())
def test_the_columns_are_those_of_the_trial(rows, may_miss, data):
    rows = [
        {name: None if name in may_miss and data.draw(some.booleans()) else row[name] for name in row} for row in rows
    ]
    expected = feature_columns(pl.DataFrame(rows, schema=TYPES), CONTRACT, frozenset(may_miss))
    found = CaseReader(CONTRACT, frozenset(may_miss)).read(columns_of([spelled(row) for row in rows]))
    assert list(found.columns) == NAMES
    for name, column in expected.items():
        assert found.columns[name].dtype == column.dtype, name
        np.testing.assert_array_equal(found.columns[name], column)


def test_what_an_observation_keeps_are_plain_values():
    batch = CaseReader(CONTRACT, frozenset({"age"})).read(columns_of([CASE, {**CASE, "age": None}]))
    kept = scalars_of(batch)
    assert kept["age"] == [3.0, None]
    assert kept["alarm"] == [True, True]
    assert kept["at"] == ["2026-01-31T00:00:00Z"] * 2


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"pressure": "7.5"}, "contract.wrong_type"),
        ({"pressure": math.inf}, "contract.wrong_type"),
        ({"pressure": 10**400}, "contract.wrong_type"),
        ({"pressure": -0.1}, "contract.below_minimum"),
        ({"pressure": 11}, "contract.above_maximum"),
        ({"pressure": math.nan}, "contract.missing_value"),
        ({"age": 2**63}, "contract.wrong_type"),
        ({"age": 1.0}, "contract.wrong_type"),
        ({"alarm": 1}, "contract.wrong_type"),
        ({"site": 7}, "contract.wrong_type"),
        ({"day": "31.1.2026"}, "contract.wrong_type"),
        ({"at": "yesterday"}, "contract.wrong_type"),
        ({"colour": "red"}, "contract.unknown_field"),
    ],
)
def test_each_breach_has_its_word(change, code):
    with pytest.raises(ContractBrokenError) as caught:
        CaseReader(CONTRACT).read(columns_of([{**CASE, **change}]))
    assert [issue.problem.code for issue in caught.value.issues] == [code]
    assert caught.value.field == next(iter(change))


def test_all_problems_are_told_at_once():
    with pytest.raises(ContractBrokenError) as caught:
        CaseReader(CONTRACT).read(columns_of([{**CASE, "pressure": 11, "age": "x", "site": None}]))
    assert {issue.path for issue in caught.value.issues} == {"pressure", "age", "site"}


def test_a_wrong_type_is_told_beside_missing_and_unknown_fields():
    columns = {"pressure": ["hot"], "age": [3], "color": ["red"]}
    with pytest.raises(ContractBrokenError) as broken:
        CaseReader(CONTRACT).read(columns)
    told = {issue.path: issue.problem.code for issue in broken.value.issues}
    assert told["pressure"] == "contract.wrong_type" and told["color"] == "contract.unknown_field"
    assert told["day"] == "contract.missing_field" and "age" not in told


def test_cases_that_are_none_or_uneven():
    for found in ([], [7], [CASE, 7], [CASE, {"age": 1}]):
        with pytest.raises(ContractBrokenError):
            columns_of(found)
    with pytest.raises(ContractBrokenError):
        CaseReader(CONTRACT).read({name: [] for name in NAMES})
    with pytest.raises(ContractBrokenError):
        CaseReader(CONTRACT).read({name: [CASE[name]] * (2 if name == "age" else 1) for name in NAMES})


def test_every_type_of_a_contract_is_read():
    assert {field.data_type for field in FIELDS} == set(DataType) - ARRAYS


def test_images_and_sounds_come_as_text_and_leave_as_it():
    pixels, samples = np.arange(24, dtype=np.uint8).reshape(2, 4, 3), np.arange(5, dtype="<i2")
    fields = (Field(name="image", dataType="sc:ImageObject"), Field(name="sound", dataType="sc:AudioObject"))
    reader = CaseReader(Contract(features=fields, prediction=Prediction(kind="text")))
    columns = {"image": [cell_of(pixels)], "sound": [cell_of(samples)]}
    batch = reader.read(columns)
    np.testing.assert_array_equal(batch.columns["image"][0], pixels)
    np.testing.assert_array_equal(batch.columns["sound"][0], samples)
    assert scalars_of(batch) == columns
    for strange in ("no array", cell_of(pixels)[:-8], cell_of(pixels).replace("k05VTVBZ", "AAAAAAAA")):
        with pytest.raises(ContractBrokenError):
            reader.read({**columns, "image": [strange]})
