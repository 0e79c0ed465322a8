"""A pattern of a few signs fits what its regular expression fits, whatever stands before, behind or within."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotbase.data.quality.views import _BLOCK, _ends_of, fits_form

SHORT = {"AB-[0-9]{6}": "AB-059999", "[A-Z]{2}": "AZ", "[a-z][0-9]": "z0", "a": "a", "x{0}": "", "": "",
         r"\[v\]": "[v]", "0:0/1, _": "0:0/1, _", "[0-9]{11}": "13912345678", "[a-c]{12}": "abcabcabcabc"}  # fmt: skip
OTHER = (
    "[0-9]{13}",
    r"\d{3}",
    "a|b",
    "(?i)ab",
    "[ab]",
    "[^a]",
    "a+",
    "a?",
    ".",
    "a{1,2}",
    "é",
    "[a-zA-Z]",
    "^a",
    "a{2}?",
)
TEXTS = st.one_of(
    st.none(), st.sampled_from([*SHORT.values(), "aa", "b"]), st.text("AB-09azZé\u0660\0\n\x80", max_size=14)
)


def fitting(series: pl.Series, pattern: str) -> list[bool | None]:
    return series.to_frame().select(fits_form(pl.col(series.name), pattern)).to_series().to_list()


def expected(series: pl.Series, pattern: str) -> list[bool | None]:
    return series.str.contains(f"^(?:{pattern})$").to_list()


@pytest.mark.parametrize(("pattern", "text"), SHORT.items())
def test_one_sign_more_less_or_other_is_told_from_what_fits(pattern, text):
    signs = [*map(chr, range(128)), "\x80", "é", "\u0669", "年"]
    others = [text[:at] + sign + text[at + 1 :] for at in range(len(text)) for sign in signs]
    lengths = [text[:-1], text + "\0", *(text + text[-1:] * more for more in (1, 2, 4, 119, 128, 256))]
    series = pl.Series("x", [text, *others, *lengths, None])
    assert fitting(series, pattern) == expected(series, pattern)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([*SHORT, *OTHER]), st.lists(TEXTS, max_size=8))
def test_texts_in_pieces_fit_as_they_do_one_by_one(pattern, texts):
    series = pl.Series("x", texts, dtype=pl.String)
    pieces = series.append(series).slice(len(texts) // 2, len(texts))
    assert fitting(pieces, pattern) == expected(pieces, pattern)


def test_a_pattern_is_taken_the_short_way_where_it_is_of_few_signs():
    assert [pattern for pattern in (*SHORT, *OTHER) if _ends_of(pattern)] == list(SHORT)


def test_a_class_whose_ends_are_changed_over_is_refused_as_before():
    with pytest.raises(pl.exceptions.ComputeError, match="invalid character class range"):
        fitting(pl.Series("x", ["5"]), "a[9-0]")


def test_more_rows_than_are_worked_on_at_a_time_are_each_judged():
    texts = [f"AB-{row:06d}" if row % 7 else "AB" for row in range(2 * _BLOCK + 5)]
    assert fitting(pl.Series("x", texts), "AB-[0-9]{6}") == [bool(row % 7) for row in range(2 * _BLOCK + 5)]
