"""Looking at pieces as a whole before looking at values finds what looking at each value does."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pilotbase.data.personal_values import IN_COLUMN
from pilotbase.data.quality.columns import finite
from pilotbase.data.quality.measures.consistency import _with_exponent
from pilotbase.data.quality.measures.privacy import _personal_numbers, _personal_texts
from pilotbase.data.quality.views import may_be

TELLING = ("13912345678", "+8613912345678", "a@b.cn", "a@bc", "1391234567", "１３９12345678", "@", "139123456789",
           "110101199003077758", "note 1391234", "x13912345678", "13912345678\n", "1391234567\u0661",
           "6222021234567890123")  # fmt: skip
TEXTS = st.one_of(st.none(), st.sampled_from(TELLING), st.text("0139@a.cn-１é \n", max_size=14))


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, max_size=8))
@example(["13912345678"])
@example(["a@b.cn"])
@example([None, "1391234567\u0661"])
def test_personal_texts_are_those_that_match_one_by_one(texts):
    series = pl.Series("x", texts, dtype=pl.String)
    for piece in (
        series,
        series.append(series).slice(len(texts) // 2, len(texts)),
    ):  # in two pieces, not from the first
        assert _personal_texts(piece).to_list() == piece.str.contains(IN_COLUMN).fill_null(False).to_list()


@given(st.lists(st.one_of(st.none(), st.sampled_from([13912345678, 9_999_999_999, 10**10, -13912345678, 5]))))
def test_personal_numbers_are_those_that_match_one_by_one(numbers):
    series = pl.Series("x", numbers, dtype=pl.Int64)
    expected = [number is not None and number == 13912345678 for number in numbers]
    assert _personal_numbers(series).to_list() == expected


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.sampled_from(["1e3", "2E-7", "1.5", "e", "9" * 65 + "e1", "x" * 70, "1e"]))))
def test_numbers_with_an_exponent_are_those_that_match_one_by_one(texts):
    series = pl.Series("x", texts, dtype=pl.String)
    expected = series.str.contains(r"\d[eE][-+]?\d").fill_null(False)
    assert _with_exponent(series).fill_null(False).to_list() == expected.to_list()


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.sampled_from([0.0, 1.5, float("nan"), float("inf"), -float("inf"), 1e308]))))
def test_what_is_no_number_or_infinite_has_no_value(numbers):
    frame = pl.DataFrame({"x": pl.Series(numbers, dtype=pl.Float64)})
    expected = pl.when(pl.col("x").is_finite()).then(pl.col("x"))
    assert frame.select(finite(pl.col("x"))).equals(frame.select(expected.alias("x")))


@pytest.mark.parametrize("texts", [[], ["a"], ["a" * 12, "b" * 13, ""]])
def test_views_hold_the_length_and_the_beginning_of_each_text(texts):
    seen = []
    assert not may_be(pl.Series("x", texts, dtype=pl.String), lambda views: bool(seen.extend(views.copy())))
    assert [int(view[0]) for view in seen] == [len(text) for text in texts]
    assert [bytes(view[4:16]).rstrip(b"\0").decode() for view in seen if view[0] <= 12] == [
        text for text in texts if len(text) <= 12
    ]


def test_what_is_held_otherwise_may_be_anything():
    assert may_be(pl.Series("x", [1, 2]), lambda _: False)
