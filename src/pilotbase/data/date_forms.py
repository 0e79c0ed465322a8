"""How people spell dates and numbers in tables; and date columns that became text, since not all can be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pilotbase.data.column_types import type_column, typed_expression
from pilotbase.data.sources.source import refuse
from pilotbase.documents.contract import DataType, Field
from pilotbase.documents.texts import Text, text

_FULL_WIDTH = "０１２３４５６７８９．－＋，％"
_HALF_WIDTH = "0123456789.-+,%"
_CLOCK = r"([T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?(Z|[+-]\d{2}:?\d{2}))?)?"
_NAME = r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-zA-Z]*\.?"

NUMBER_FORMS: Mapping[str, str] = {
    "thousands": r"^[-+]?\d{1,3}(,\d{3})+(\.\d+)?$",
    "decimal_comma": r"^[-+]?(\d+,(\d{1,2}|\d{4,})|\d{1,3}(\.\d{3})+,\d+)$",
    "full_width": r"^[-+－＋]?[\d０-９]*[０-９．][\d０-９．.，,]*$",
    "percent": r"^[-+]?\d+(\.\d+)?\s?[%％]$",
    "currency": r"^[¥￥$€£]\s?-?\d[\d,]*(\.\d+)?$",
}
"""Numbers that no type of ours reads as written."""
DATE_FORMS: Mapping[str, str] = {
    "2026-01-31": rf"^\d{{4}}-\d{{1,2}}-\d{{1,2}}{_CLOCK}$",
    "2026/01/31": rf"^\d{{4}}/\d{{1,2}}/\d{{1,2}}{_CLOCK}$",
    "2026.01.31": rf"^\d{{4}}\.\d{{1,2}}\.\d{{1,2}}{_CLOCK}$",
    "2026年1月31日": r"^\d{4}年\d{1,2}月\d{1,2}日?",
    "20260131": r"^(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$",
    "31/01/2026": r"^\d{1,2}[/.-]\d{1,2}[/.-]\d{4}( |$)",
    "31 Jan 2026": rf"^(\d{{1,2}}[ -]{_NAME}[ -]|{_NAME} \d{{1,2}},? )\d{{4}}( |$)",
    "Jan 2026": rf"^{_NAME}[ -]\d{{4}}$",
    "2026-01": r"^(19|20)\d{2}([-/](0?[1-9]|1[0-2])|年(0?[1-9]|1[0-2])月)$",
    "2026-W05": r"^(19|20)\d{2}(-?[Ww](0?[1-9]|[1-4]\d|5[0-3])|年第?(0?[1-9]|[1-4]\d|5[0-3])周)$",
    "2026-Q1": r"^((19|20)\d{2}[- ]?[Qq][1-4]|[Qq][1-4][- ](19|20)\d{2}|(19|20)\d{2}年第?[1-4一二三四]季度?)$",
    "2026年": r"^(19|20)\d{2}年$",
}
"""Known forms of dates; a document should hold the first one."""
SPANS: Mapping[str, str] = {
    **{"31/01/2026": "day", "31 Jan 2026": "day", "Jan 2026": "month", "2026-01": "month"},
    **{"2026-W05": "week", "2026-Q1": "quarter", "2026年": "year"},
}
"""Form that is rewritten before a type of ours reads it → the length of time it names."""
TWO_READINGS = "31/01/2026"
"""The form whose values must show whether the day or the month comes first."""
COMPACT = "20260131"
TIME_OF_DAY = r"^([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?$"
ADDRESS = r"^https?://\S+$"
CODE = r"^[-+]?0\d+(\.\d+)?$"
"""Digits that begin with a zero: a code, not a number."""
MOST_OTHERS = 0.1
"""A column may have this share of other words and still be one of dates."""
_LIKE_A_DATE = (
    r"^((\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{1,2}[-/. ](\d{1,2}|[A-Za-z]{3,9})[-/. ]\d{2,4})"
    r"([ T]?[^\d\s]{0,2} ?\d{1,2}[:时点].*)?"
    r"|\d{4}([-/]\d{1,2}|年(\d{1,2}月)?|[- ]?[QqWw]\d{1,2}|年.{1,3}[周度季])|[A-Za-z]{3,9}\.?[- ]\d{4})$"
)
_SHOWN, _LONGEST = 5, 40
_ORDERED = (DataType.DATE, DataType.DATETIME, DataType.INTEGER, DataType.FLOAT)


def bare_number(stripped: pl.Expr) -> pl.Expr:
    """Return a text in half-width characters, without a currency sign before it and a percent sign after it."""
    half = stripped.str.replace_many(list(_FULL_WIDTH), list(_HALF_WIDTH))
    return half.str.replace(r"^([-+]?)[¥￥$€£]\s?", "$1").str.replace(r"\s?%$", "")


def plain_number(stripped: pl.Expr) -> pl.Expr:
    """Return the number that a text means in any of `NUMBER_FORMS`; null if none."""
    bare = bare_number(stripped)
    grouped = pl.when(bare.str.contains(NUMBER_FORMS["thousands"])).then(bare.str.replace_all(",", ""))
    pointed = bare.str.replace_all(".", "", literal=True).str.replace(",", ".")
    decimal = pl.when(bare.str.contains(NUMBER_FORMS["decimal_comma"])).then(pointed)
    return typed_expression(pl.coalesce(grouped, decimal, bare), pl.String(), DataType.FLOAT)


def any_date(stripped: pl.Expr) -> pl.Expr:
    """Return whether a text is spelled as a date in any of `DATE_FORMS`."""
    return pl.any_horizontal(stripped.str.contains(form) for form in DATE_FORMS.values())


@dataclass(frozen=True)
class Undecided:
    """A column of dates, each of which could have the day or the month first."""

    column: str
    found: str
    day_first: str
    month_first: str


def check_time(
    table: pl.DataFrame, fields: Sequence[Field], named: str | None, is_time: bool, undecided: Sequence[Undecided]
) -> None:
    """Return unless the column ``named`` holds times that cannot be read: a random split would show the future.

    Raises:
        InputError: ``draft.date_order``: its dates have two readings; ``draft.time_unread``, with the forms it has.
    """
    if named is None:
        return
    for one in undecided:
        if one.column == named:
            raise refuse("answers", text("draft.date_order", **vars(one)), path="dates")
    data_type = next(field.data_type for field in fields if field.name == named)
    column = table[named]
    if data_type in _ORDERED and not type_column(column, data_type).wrong.any():
        return
    if data_type not in _ORDERED and not (is_time or holds_dates(column)):
        return
    unread = text("draft.time_unread", column=named, forms=_forms(column.cast(pl.String)))
    raise refuse("answers", unread, path="group_or_time")


def rising_time(table: pl.DataFrame, fields: Sequence[Field]) -> str | None:
    """Return the first column of dates or times that orders the rows; None if there is none."""
    for field in fields:
        if field.data_type in (DataType.DATE, DataType.DATETIME):
            moments = type_column(table[field.name], field.data_type).values
            if not moments.null_count() and moments.n_unique() > 1 and in_order(moments):
                return field.name
    return None


def in_order(moments: pl.Series) -> bool:
    """Return whether values rise or fall throughout."""
    return moments.is_sorted() or moments.is_sorted(descending=True)


def said_of_dates(table: pl.DataFrame, fields: Sequence[Field], undecided: Sequence[Undecided]) -> Iterator[Text]:
    """Yield, for each column of dates that became text, how they are written, with the first row of each form."""
    two_readings = {one.column: one for one in undecided}
    for field in fields:
        column = table[field.name]
        if field.name in two_readings:
            yield text("draft.decided.date_order", **vars(two_readings[field.name]))
        elif field.data_type is DataType.TEXT and holds_dates(column):
            yield text("draft.decided.dates_as_text", column=field.name, forms=_forms(column.str.strip_chars()))


def holds_dates(column: pl.Series) -> bool:
    """Return whether nearly all values are spelled like dates, readable or not."""
    present = column.len() - column.null_count()
    if column.dtype != pl.String or not present:
        return False
    return int(column.str.strip_chars().str.contains(_LIKE_A_DATE).sum()) >= (1 - MOST_OTHERS) * present


def _forms(column: pl.Series) -> str:
    """Return the first row (from 1) and value of each form; unread date-like values are a form of their own."""
    read = ~type_column(column, DataType.DATETIME).wrong
    shape = column.str.replace_all(r"\d", "0").str.replace_all(r"[A-Za-z]+", "a")
    table = pl.DataFrame({"value": column, "read": read, "shape": shape}).with_row_index("row", 1).drop_nulls("value")
    like = pl.col("value").str.contains(_LIKE_A_DATE)
    found = table.with_columns(pl.when(like).then("shape")).unique(["shape", "read"], keep="first", maintain_order=True)
    shown = [f"{row}: {value[:_LONGEST]}" for row, value in found.select("row", "value").head(_SHOWN).rows()]
    return ", ".join(shown + ["…"] * (found.height > _SHOWN))
