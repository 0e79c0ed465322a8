"""Reference profiles: what they count, that they add up, what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from pilotbase.documents.contract import DataType, Field
from pilotbase.documents.errors import InputError
from pilotbase.documents.watch import CategoryColumn, NumericColumn, ReferenceProfile
from pilotbase.watch.profiles import CELLS, NAMED, profile_of

FIELDS = [
    Field(name="torque", data_type=DataType.FLOAT),
    Field(name="zeros", data_type=DataType.INTEGER),
    Field(name="shift", data_type=DataType.TEXT),
    Field(name="day", data_type=DataType.DATE),
    Field(name="absent", data_type=DataType.FLOAT),
]


def table(seed: int, count: int = 1000) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    zeros = np.where(rng.random(count) < 0.6, 0, rng.integers(1, 100, count))
    words = [None if code == 3 else ("early", "late", "night")[code] for code in rng.integers(0, 4, count)]
    return {"torque": rng.standard_normal(count), "zeros": zeros, "shift": words, "day": ["2026-01-01"] * count}


def numeric(profile: ReferenceProfile, name: str) -> NumericColumn:
    column = profile.columns[name]
    assert isinstance(column, NumericColumn)
    return column


def test_it_counts_numbers_between_quantiles_and_words_by_name() -> None:
    profile = profile_of(table(0), FIELDS)
    assert set(profile.columns) == {"torque", "zeros", "shift"}
    torque, shift = numeric(profile, "torque"), profile.columns["shift"]
    assert len(torque.edges) == CELLS + 1
    assert (torque.counts[0], torque.counts[-1]) == (0, 0)
    assert max(torque.counts) - min(torque.counts[1:-1]) <= 1
    assert isinstance(shift, CategoryColumn)
    assert shift.missing == table(0)["shift"].count(None)
    assert shift.counts["late"] == table(0)["shift"].count("late")


def test_a_value_that_fills_many_quantiles_is_one_cell() -> None:
    zeros = numeric(profile_of(table(0), FIELDS), "zeros")
    assert zeros.counts[1] == int((table(0)["zeros"] == 0).sum())
    assert sum(zeros.counts) == 1000


def test_of_many_categories_the_most_frequent_are_named() -> None:
    words = [f"word {number % 500}" for number in range(2000)] + ["often"] * 100
    column = profile_of({"shift": words}, FIELDS).columns["shift"]
    assert isinstance(column, CategoryColumn)
    assert len(column.counts) == NAMED
    assert column.counts["often"] == 100
    assert column.other == 2100 - sum(column.counts.values())


def test_columns_without_a_number_crash_nothing() -> None:
    column = numeric(profile_of({"torque": [None, float("nan"), "x"]}, FIELDS), "torque")
    assert (column.edges, column.counts, column.missing, column.unreadable) == ((), (0,), 2, 1)


@pytest.mark.parametrize("given", [{}, {"day": ["2026-01-01"]}, {"torque": []}])
def test_nothing_to_compare_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(InputError) as refused:
        profile_of(given, FIELDS)
    assert refused.value.code == "detector.profile_empty"


@pytest.mark.parametrize(
    "column",
    [
        {"kind": "numeric", "edges": [1.0, 0.0], "counts": [1, 1, 1]},
        {"kind": "numeric", "edges": [0.0, 1.0], "counts": [1, 2]},
        {"kind": "category", "counts": {"a": 2}},
    ],
)
def test_a_profile_that_does_not_fit_together_is_refused(column: dict[str, Any]) -> None:
    with pytest.raises((ValidationError, InputError)):
        ReferenceProfile.from_json_value({"document": "reference-profile/1", "rows": 3, "columns": {"x": column}})


def test_it_goes_through_json() -> None:
    profile = profile_of(table(0), FIELDS)
    assert ReferenceProfile.from_json_value(profile.to_json_value()) == profile
