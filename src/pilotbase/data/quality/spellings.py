"""Formats in which texts spell times, numbers and truths: one field should keep to one of them."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pilotbase.data.quality.checks import Count
from pilotbase.data.quality.columns import Column
from pilotbase.documents.contract import DataType

_CLOCK = r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?"
_ZONE = r"( ?(Z|[+-]\d{2}:?\d{2}))?"
_TIMES = {
    "iso": rf"^\d{{4}}-\d{{2}}-\d{{2}}([T ]{_CLOCK}{_ZONE})?$",
    "slashes": rf"^\d{{4}}/\d{{1,2}}/\d{{1,2}}([T ]{_CLOCK}{_ZONE})?$",
    "dots": rf"^\d{{4}}\.\d{{1,2}}\.\d{{1,2}}([T ]{_CLOCK}{_ZONE})?$",
    "characters": r"^\d{4}年\d{1,2}月\d{1,2}日?",
    "compact": r"^\d{8}$",
    "day first": r"^\d{1,2}[./-]\d{1,2}[./-]\d{4}",
}
_NUMBERS = {
    "plain": r"^[-+]?(\d+\.?\d*|\.\d+)$",
    "exponent": r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$",
    "thousands": r"^[-+]?\d{1,3}(,\d{3})+(\.\d+)?$",
    "full width": r"^[-+]?[０-９．]+$",
}
_TRUTHS = {"words": r"^(?i:true|false)$", "answers": r"^(?i:yes|no)$", "digits": r"^[01]$", "characters": r"^[是否]$"}
_FORMATS: Mapping[DataType, Mapping[str, str]] = {
    DataType.DATE: _TIMES,
    DataType.DATETIME: _TIMES,
    DataType.FLOAT: _NUMBERS,
    DataType.INTEGER: _NUMBERS,
    DataType.BOOLEAN: _TRUTHS,
}


def format_counts(column: Column) -> list[Count]:
    """Return how often each format stands in a column of texts; nothing where the type leaves one format only.

    A text field is held against its declared pattern; one without a pattern has no format.
    """
    if column.dtype != pl.String:
        return []
    spelled = column.raw.str.strip_chars()
    if column.data_type is DataType.TEXT:
        pattern = column.field.pattern
        return [] if pattern is None else [Count(f"format pattern {column.name}", _fits(spelled, f"^(?:{pattern})$"))]
    if column.spells_unit and column.field.unit:
        spelled = spelled.str.strip_suffix(column.field.unit).str.strip_chars()
    return [
        Count(f"format {name} {column.name}", _fits(spelled, pattern))
        for name, pattern in _FORMATS[column.data_type].items()
    ]


def _fits(spelled: pl.Expr, pattern: str) -> pl.Expr:
    return spelled.str.contains(pattern).sum()
