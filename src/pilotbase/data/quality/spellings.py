"""Formats in which texts spell times, numbers and truths: one field should keep to one of them."""

from __future__ import annotations

import polars as pl

from pilotbase.data.quality.checks import CheckCount
from pilotbase.data.quality.columns import TableColumn
from pilotbase.documents.contract import DataType

_SEPARATORS = {"-": "iso", "/": "slashes", ".": "dots", "年": "characters"}
"""What stands behind the year of a time → name of the format."""
_FOREIGN_NUMBERS = {"thousands": r"^[-+]?\d{1,3}(,\d{3})+(\.\d+)?$", "full width": r"^[-+]?[０-９．]+$"}
_EXPONENT = r"\d[eE][-+]?\d"
_JOINED = 64
"""Bytes: texts that are longer would take memory where they are joined."""
_TRUTHS = {"words": ("true", "false"), "answers": ("yes", "no"), "digits": ("0", "1"), "characters": ("是", "否")}


def format_counts(column: TableColumn) -> list[CheckCount]:
    """Return how often each format stands in a column of texts; nothing where the type leaves one format only.

    A text has none: it is held against its declared pattern by the contract.
    """
    if column.dtype != pl.String or column.data_type is DataType.TEXT:
        return []
    spelled = column.raw.str.strip_chars()
    if column.is_time:
        return _times(column.name, spelled)
    return _numbers(column) if column.is_number else _truths(column.name, spelled)


def _times(name: str, spelled: pl.Expr) -> list[CheckCount]:
    sign = spelled.str.slice(4, 1)
    counts = [CheckCount(f"format {form} {name}", (sign == each).sum()) for each, form in _SEPARATORS.items()]
    compact = (spelled.str.len_chars() == 8) & spelled.str.contains(r"^\d{8}$")
    return [*counts, CheckCount(f"format compact {name}", compact.sum())]


def _numbers(column: TableColumn) -> list[CheckCount]:
    """Return plain and exponent among what is a number; commas and full-width digits among the few that are none."""
    there = column.value.is_not_null()
    exponent = column.raw.map_batches(_with_exponent, return_dtype=pl.Boolean, is_elementwise=True)
    foreign = column.raw.filter(column.raw.is_not_null() & ~there).str.strip_chars()
    return [
        CheckCount(f"format plain {column.name}", (there & ~exponent).sum()),
        CheckCount(f"format exponent {column.name}", (there & exponent).sum()),
        *(
            CheckCount(f"format {form} {column.name}", foreign.str.contains(pattern).sum())
            for form, pattern in _FOREIGN_NUMBERS.items()
        ),
    ]


def _with_exponent(texts: pl.Series) -> pl.Series:
    """Tell which have an exponent: none of a piece that, joined, holds no e, which is a tenth of the work."""
    longest = texts.str.len_bytes().fill_null(0).max()
    if isinstance(longest, int) and longest <= _JOINED:
        joined: str = texts.str.join().item()
        if "e" not in joined and "E" not in joined:
            return pl.Series(texts.name, [False], dtype=pl.Boolean).new_from_index(0, len(texts))
    return texts.str.contains(_EXPONENT)


def _truths(name: str, spelled: pl.Expr) -> list[CheckCount]:
    lower = spelled.str.to_lowercase()
    return [CheckCount(f"format {form} {name}", lower.is_in(list(words)).sum()) for form, words in _TRUTHS.items()]
