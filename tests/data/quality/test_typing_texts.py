"""Reading by the usual spelling first comes to what reading by every spelling does."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotbase.data.column_types import type_column
from pilotbase.data.quality.columns import typed_texts, without_blanks
from pilotbase.documents.contract import DataType

SPELLED = {
    DataType.FLOAT: [
        "1",
        "1.5",
        " 2 ",
        "1e3",
        "inf",
        "nan",
        "-0",
        "1,5",
        "１",
        "x",
        "0x10",
        ".5",
        "+7",
        "12345678901234567890",
    ],
    DataType.INTEGER: [
        "1",
        " 2",
        "3.0",
        "3.5",
        "1e3",
        "-0",
        "9223372036854775807",
        "9223372036854775808",
        "x",
        "+4",
        "007",
    ],
    DataType.BOOLEAN: ["true", "False", "TRUE", "1", "0", "yes", "是", "否", "2", " true ", "maybe"],
    DataType.DATE: [
        "2026-01-05",
        "2026/1/5",
        "2026年1月5日",
        "20260105",
        "2026-02-30",
        " 2026-01-05 ",
        "2026-01-05T00:00",
        "5.1.2026",
    ],
    DataType.DATETIME: [
        "2026-01-05T10:00:00",
        "2026-01-05 10:00:00",
        "2026-01-05 10:00",
        "2026-01-05",
        "2026/1/5 10:00",
        "2026-01-05T10:00:00Z",
        "2026-01-05T10:00:00+08:00",
        "2026-01-05T10:00:00.25",
        "2026-01-05T25:00:00",
        "x",
        " 2026-01-05T10:00:00 ",
        "0001-01-01T00:00:00",
    ],
}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("data_type", SPELLED)
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_quick_way_and_the_long_way_agree(data_type, data):
    letters = st.one_of(st.none(), st.sampled_from(SPELLED[data_type]), st.text(max_size=4))
    texts = pl.Series("x", data.draw(st.lists(letters, max_size=12)), dtype=pl.String)
    quick = texts.to_frame().select(typed_texts(pl.col("x"), data_type).alias("x"))["x"]
    assert quick.to_list() == type_column(texts, data_type).values.to_list()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.none(), st.sampled_from(["", " ", "\t\n", "\u3000", "\u00a0", "a", " a ", "中"]), st.text(max_size=3)
        )
    )
)
def test_what_is_blank_is_missing_and_nothing_else(texts):
    series = pl.Series("x", texts, dtype=pl.String)
    found = series.to_frame().select(without_blanks(pl.col("x")))["x"].to_list()
    stripped = series.str.strip_chars().to_list()
    assert found == [None if plain == "" else text for text, plain in zip(texts, stripped, strict=True)]
