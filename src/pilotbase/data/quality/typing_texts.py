"""Texts read as values of a type: by the usual spelling at once, and only what that leaves by every other one."""

from __future__ import annotations

from functools import partial

import numpy as np
import polars as pl

from pilotbase.data.column_types import POLARS_TYPES, type_column
from pilotbase.data.quality.views import Truths, Views, judged
from pilotbase.documents.contract import DataType

_TRUTHS = {"true": True, "false": False, "True": True, "False": False, "1": True, "0": False}
_SIGNS = np.uint8(ord("!")), np.uint8(ord("~") - ord("!"))
"""The first sign that is no blank, and how far from it the last is."""
_MOMENTS = {"T": "%Y-%m-%dT%H:%M:%S%.f", " ": "%Y-%m-%d %H:%M:%S%.f"}


def typed_texts(texts: pl.Expr, data_type: DataType) -> pl.Expr:
    """Return what `pilotbase.data.column_types` makes of ``texts``, several times as fast where one spelling rules."""
    return texts.map_batches(partial(_typed, data_type), return_dtype=POLARS_TYPES[data_type], is_elementwise=True)


def without_blanks(texts: pl.Expr) -> pl.Expr:
    """Return ``texts`` with null for what is empty or blanks alone; only what may be blank is looked at closely."""
    return texts.map_batches(_without_blanks, return_dtype=pl.String, is_elementwise=True)


def _without_blanks(texts: pl.Series) -> pl.Series:
    suspect = judged(texts, _begin_oddly, lambda others: (others < "!") | (others > "~"))
    if not suspect.any():
        return texts
    blank = texts.filter(suspect).str.strip_chars() == ""
    return texts.scatter(suspect.arg_true().filter(blank), None)


def _begin_oddly(views: Views) -> Truths:
    """Tell which are empty or begin with a blank, or with what is no ASCII and may be a wide one."""
    return views[:, 4] - _SIGNS[0] > _SIGNS[1]


def _typed(data_type: DataType, texts: pl.Series) -> pl.Series:
    quick = _usual(texts, data_type).alias(texts.name)
    left = texts.is_not_null() & quick.is_null()
    if not left.any():
        return quick
    return quick.scatter(left.arg_true(), type_column(texts.filter(left), data_type).values)


def _usual(texts: pl.Series, data_type: DataType) -> pl.Series:
    kind = POLARS_TYPES[data_type]
    if data_type is DataType.DATETIME:
        return _moments(texts)
    if data_type is DataType.DATE:
        return texts.str.to_date("%Y-%m-%d", strict=False)
    if data_type is DataType.BOOLEAN:
        return texts.replace_strict(_TRUTHS, default=None, return_dtype=pl.Boolean)
    numbers = texts.cast(kind, strict=False)
    return numbers.set(~numbers.is_finite(), None) if data_type is DataType.FLOAT else numbers


def _moments(texts: pl.Series) -> pl.Series:
    first = texts.drop_nulls().head(1)
    sign = first[0][10:11] if len(first) else ""
    if sign not in _MOMENTS:
        return pl.Series(texts.name, [None], dtype=POLARS_TYPES[DataType.DATETIME]).new_from_index(0, len(texts))
    return texts.str.to_datetime(_MOMENTS[sign], time_unit="us", strict=False).dt.replace_time_zone("UTC")
