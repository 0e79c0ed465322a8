"""Class labels as text: one spelling a class, whatever the column's type."""

from __future__ import annotations

import polars as pl

from pilotbase.documents.answer_texts import classes_in
from pilotbase.documents.contract import WITH_CLASSES, DataType
from pilotbase.documents.scenario import Scenario

BOOLEANS = {"true": True, "1": True, "yes": True, "是": True, "false": False, "0": False, "no": False, "否": False}
"""Spellings of a boolean, compared in lower case."""


def classes_of(public: pl.DataFrame, scenario: Scenario) -> tuple[str, ...]:
    """Return the classes that the target column of the conformed public sample names, sorted; () where there are none.

    Of masks they are the numbers up to the highest.
    """
    kind, target = scenario.answer, public[scenario.data.target].drop_nulls().unique()
    if kind not in WITH_CLASSES:
        return ()
    if scenario.target_form == "labels":
        return tuple(sorted(target.to_list()))
    named = {name for spelled in target.to_list() for name in classes_in(spelled, kind)}
    return tuple(map(str, range(max(map(int, named), default=0) + 1))) if kind == "mask" else tuple(sorted(named))


def format_labels(column: pl.Series, data_type: DataType) -> pl.Series:
    """Return ``column`` as labels in the spelling of ``data_type``: ``true``/``false``, whole numbers without point.

    Null stays null. Values that ``data_type`` cannot hold keep the spelling they have.
    """
    expression = _as_text(column.dtype)
    if data_type is DataType.BOOLEAN:
        lower = expression.str.to_lowercase()
        spelled = lower.replace_strict({word: _word(value) for word, value in BOOLEANS.items()}, default=None)
        expression = spelled.fill_null(expression)
    elif data_type is not DataType.TEXT and column.dtype == pl.Boolean:
        expression = pl.col(column.name).cast(pl.Int8).cast(pl.String)
    return column.to_frame().select(expression.alias(column.name)).to_series()


def _as_text(dtype: pl.DataType) -> pl.Expr:
    column = pl.all()
    if dtype.is_float():
        whole = column.cast(pl.Int64, strict=False)
        return pl.when(whole.cast(dtype) == column).then(whole.cast(pl.String)).otherwise(column.cast(pl.String))
    return column.cast(pl.String).str.strip_chars()


def _word(value: bool) -> str:
    return "true" if value else "false"
