"""How people spell numbers and dates in tables, and which of it our types read: the rest is named with its line."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pilotbase.data.column_types import typed_expression
from pilotbase.documents.contract import DataType

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
"""Numbers that no type of ours reads as they stand."""
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
"""Forms of dates that are met; the first one is what a document should hold."""
SPANS: Mapping[str, str] = {
    **{"31/01/2026": "day", "31 Jan 2026": "day", "Jan 2026": "month", "2026-01": "month"},
    **{"2026-W05": "week", "2026-Q1": "quarter", "2026年": "year"},
}
"""Form that is written anew before a type of ours reads it → how long a time it names."""
TWO_READINGS = "31/01/2026"
"""The form of which the values have to say whether the day or the month comes first."""
COMPACT = "20260131"
TIME_OF_DAY = r"^([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?$"
ADDRESS = r"^https?://\S+$"
CODE = r"^[-+]?0\d+(\.\d+)?$"
"""Digits that begin with a zero: a code, not a number."""


def bare_number(stripped: pl.Expr) -> pl.Expr:
    """Return a text in half-width characters, without a sign of currency before it and a percent sign behind it."""
    half = stripped.str.replace_many(list(_FULL_WIDTH), list(_HALF_WIDTH))
    return half.str.replace(r"^([-+]?)[¥￥$€£]\s?", "$1").str.replace(r"\s?%$", "")


def plain_number(stripped: pl.Expr) -> pl.Expr:
    """Return the number that a text means, whichever of `NUMBER_FORMS` it has; null for none."""
    bare = bare_number(stripped)
    grouped = pl.when(bare.str.contains(NUMBER_FORMS["thousands"])).then(bare.str.replace_all(",", ""))
    pointed = bare.str.replace_all(".", "", literal=True).str.replace(",", ".")
    decimal = pl.when(bare.str.contains(NUMBER_FORMS["decimal_comma"])).then(pointed)
    return typed_expression(pl.coalesce(grouped, decimal, bare), pl.String(), DataType.FLOAT)


def any_date(stripped: pl.Expr) -> pl.Expr:
    """Tell whether a text is spelled as a date in any of `DATE_FORMS`."""
    return pl.any_horizontal(stripped.str.contains(form) for form in DATE_FORMS.values())
