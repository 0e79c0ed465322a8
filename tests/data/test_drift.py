"""Columns of newer cases that lie elsewhere are told, and chance is not."""

import numpy as np
import polars as pl
import pytest

from pilotbase.data.drift import drift

COLUMNS = ["speed", "wear", "site", "day", "note"]


def cases(rows, seed, speed=0.0, north=0.5, missing=0.0):
    draw = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "speed": draw.normal(speed, 1, rows),
            "wear": draw.integers(0, 9, rows),
            "site": np.where(draw.random(rows) < north, "north", "south"),
            "day": pl.Series(draw.integers(0, 300, rows)).cast(pl.Date),
            "note": [f"note {number} of {seed}" for number in range(rows)],
        }
    ).with_columns(wear=pl.when(pl.Series(draw.random(rows)) >= missing).then("wear"))


@pytest.mark.one_in(3)
@pytest.mark.parametrize("rows", [60, 300, 3000])
def test_nothing_drifts_where_nothing_has_changed(rows):
    assert sum(bool(drift(cases(rows, seed), cases(rows, 100 + seed), COLUMNS)) for seed in range(20)) <= 1


def test_what_lies_elsewhere_is_told_the_furthest_first():
    found = drift(cases(2000, 1), cases(2000, 2, speed=1.0, north=0.75, missing=0.3), COLUMNS)
    assert [one.column for one in found] == ["wear", "speed", "site"]
    assert found[1].index == pytest.approx(1.0, abs=0.25), "of normal shifts by one deviation"
    assert drift(cases(2000, 1).with_columns(speed=pl.lit(1.0)), cases(2000, 2), ["speed"])[0].column == "speed"


def test_few_cases_say_less():
    assert drift(cases(20, 1), cases(20, 2, north=0.75), COLUMNS) == []
