"""Columns of dates that were taken as text, because not all of them are written as dates are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from pilotbase.data.column_types import type_column
from pilotbase.documents.contract import DataType, Field
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.texts import Text, text

MOST_OTHERS = 0.1
"""A column may hold so large a share of other words and is one of dates still."""
_LIKE_A_DATE = (
    r"^((\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{1,2}[-/. ](\d{1,2}|[A-Za-z]{3,9})[-/. ]\d{2,4})"
    r"([ T]?[^\d\s]{0,2} ?\d{1,2}[:时点].*)?"
    r"|\d{4}([-/]\d{1,2}|年(\d{1,2}月)?|[- ]?[QqWw]\d{1,2}|年.{1,3}[周度季])|[A-Za-z]{3,9}\.?[- ]\d{4})$"
)
_SHOWN, _LONGEST = 5, 40
_ORDERED = (DataType.DATE, DataType.DATETIME, DataType.INTEGER, DataType.FLOAT)


@dataclass(frozen=True)
class Undecided:
    """A column of dates of which each could have the day or the month first."""

    column: str
    found: str
    day_first: str
    month_first: str


def check_time(
    table: pl.DataFrame, fields: Sequence[Field], named: str | None, is_time: bool, undecided: Sequence[Undecided]
) -> None:
    """Return unless the column ``named`` tells time and is not read so: a split by chance would show the future.

    Raises:
        InputError: ``draft.date_order``: its dates have two readings; ``draft.time_unread``: with the forms it has.
    """
    if named is None:
        return
    for one in undecided:
        if one.column == named:
            raise _of_answer("dates", text("draft.date_order", **vars(one)))
    data_type = next(field.data_type for field in fields if field.name == named)
    column = table[named]
    if data_type in _ORDERED and not type_column(column, data_type).wrong.any():
        return
    if data_type not in _ORDERED and not (is_time or holds_dates(column)):
        return
    raise _of_answer("group_or_time", text("draft.time_unread", column=named, forms=_forms(column.cast(pl.String))))


def _of_answer(name: str, problem: Text) -> InputError:
    hint = Text(code=f"{problem.code}.hint", params=problem.params)
    return InputError.from_issues("answers", [Issue(file="answers", path=name, problem=problem, hint=hint)])


def rising_time(table: pl.DataFrame, fields: Sequence[Field]) -> str | None:
    """Return the first column of dates or times by which the rows are ordered; None where there is none."""
    for field in fields:
        if field.data_type in (DataType.DATE, DataType.DATETIME):
            moments = type_column(table[field.name], field.data_type).values
            if not moments.null_count() and moments.n_unique() > 1 and in_order(moments):
                return field.name
    return None


def in_order(moments: pl.Series) -> bool:
    """Tell whether values rise or fall throughout."""
    return moments.is_sorted() or moments.is_sorted(descending=True)


def said_of_dates(table: pl.DataFrame, fields: Sequence[Field], undecided: Sequence[Undecided]) -> Iterator[Text]:
    """Yield of each column of dates that became text how they are written, with the first row of each form."""
    two_readings = {one.column: one for one in undecided}
    for field in fields:
        column = table[field.name]
        if field.name in two_readings:
            yield text("draft.decided.date_order", **vars(two_readings[field.name]))
        elif field.data_type is DataType.TEXT and holds_dates(column):
            yield text("draft.decided.dates_as_text", column=field.name, forms=_forms(column.str.strip_chars()))


def holds_dates(column: pl.Series) -> bool:
    """Tell whether nearly all values are spelled like dates, whether or not they can be read as such."""
    present = column.len() - column.null_count()
    if column.dtype != pl.String or not present:
        return False
    return int(column.str.strip_chars().str.contains(_LIKE_A_DATE).sum()) >= (1 - MOST_OTHERS) * present


def _forms(column: pl.Series) -> str:
    """Return the first row (from 1) and value of each form; what is like a date and is not read is one of its own."""
    read = ~type_column(column, DataType.DATETIME).wrong
    shape = column.str.replace_all(r"\d", "0").str.replace_all(r"[A-Za-z]+", "a")
    table = pl.DataFrame({"value": column, "read": read, "shape": shape}).with_row_index("row", 1).drop_nulls("value")
    like = pl.col("value").str.contains(_LIKE_A_DATE)
    found = table.with_columns(pl.when(like).then("shape")).unique(["shape", "read"], keep="first", maintain_order=True)
    shown = [f"{row}: {value[:_LONGEST]}" for row, value in found.select("row", "value").head(_SHOWN).rows()]
    return ", ".join(shown + ["…"] * (found.height > _SHOWN))
