"""Columns of dates that were taken as text, because not all of them are written as dates are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from pilotbase.data.column_types import type_column
from pilotbase.documents.contract import DataType, Field
from pilotbase.documents.texts import Text, text

MOST_OTHERS = 0.1
"""A column may hold so large a share of other words and is one of dates still."""
_LIKE_A_DATE = (
    r"^(\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{1,2}[-/. ](\d{1,2}|[A-Za-z]{3,9})[-/. ]\d{2,4})([ T]\d{1,2}:\d{2}.*)?$"
)
_SHOWN, _LONGEST = 5, 40


def said_of_dates(table: pl.DataFrame, fields: Sequence[Field]) -> Iterator[Text]:
    """Yield of each column of dates that became text how they are written, with the first row of each form."""
    for field in fields:
        column = table[field.name]
        if field.data_type is DataType.TEXT and holds_dates(column):
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
