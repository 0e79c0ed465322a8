"""One column read as declared and brought to its type, class labels to one spelling; misfits are marked, not guessed.

Readers come before types, and reading what they have read changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pilotbase.documents.answer_texts import classes_in
from pilotbase.documents.contract import ARRAYS, WITH_CLASSES, DataType
from pilotbase.documents.dataset import FieldType
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.scenario_data import ColumnReader
from pilotbase.documents.texts import Text

BOOLEANS = {"true": True, "1": True, "yes": True, "是": True, "false": False, "0": False, "no": False, "否": False}
"""Spellings of a boolean, compared in lower case."""
POLARS_TYPES: dict[DataType, pl.DataType] = {
    DataType.FLOAT: pl.Float64(),
    DataType.INTEGER: pl.Int64(),
    DataType.BOOLEAN: pl.Boolean(),
    DataType.TEXT: pl.String(),
    DataType.DATE: pl.Date(),
    DataType.DATETIME: pl.Datetime("us", "UTC"),
    DataType.IMAGE: pl.String(),
    DataType.AUDIO: pl.String(),
}
"""Croissant type → type of a conformed column."""
_PLAIN = (DataType.FLOAT, DataType.INTEGER, DataType.BOOLEAN, DataType.DATE, DataType.DATETIME)
TYPES: Mapping[FieldType, DataType] = {FieldType(kind): kind for kind in _PLAIN}
"""Type of a field whose values are read as more than texts → the type of a column."""
_ZONED = ("%Y-%m-%d %H:%M:%S%.f%:z", "%Y-%m-%d %H:%M%:z")
_LOCAL = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d")
_EXACT = 2.0**53
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_OPAQUE = (pl.Binary, pl.Object)


def type_words(data_type: DataType) -> Text:
    """Return a type in words."""
    return Text(code=f"data.type.{'number' if data_type is DataType.FLOAT else data_type.name.lower()}")


@dataclass(frozen=True)
class TypedColumn:
    """``values`` in the declared type (null if missing or wrong) and, for each row, whether it is ``wrong``."""

    values: pl.Series
    wrong: pl.Series


def type_column(raw: pl.Series, data_type: DataType) -> TypedColumn:
    """Return ``raw``, texts or native values, as ``data_type``; NaN counts as missing, infinity as wrong."""
    column = raw.fill_nan(None) if raw.dtype.is_float() else raw
    if not (column.dtype.is_numeric() or column.dtype.is_temporal() or column.dtype in (pl.Boolean, pl.String)):
        column = column if column.dtype.is_nested() or column.dtype in _OPAQUE else column.cast(pl.String)
    if column.dtype.is_nested() or column.dtype in _OPAQUE:
        values = pl.Series(raw.name, [None] * len(raw), dtype=POLARS_TYPES[data_type])
    else:
        typed = typed_expression(pl.col(column.name), column.dtype, data_type)
        values = column.to_frame().with_columns(typed.alias(raw.name)).to_series()
    return TypedColumn(values, values.is_null() & column.is_not_null())


def typed_expression(source: pl.Expr, dtype: pl.DataType, data_type: DataType) -> pl.Expr:
    """Return ``source``, of plain type ``dtype``, as ``data_type``: null if it is missing or wrong."""
    if dtype.is_temporal() and data_type not in (DataType.DATE, DataType.DATETIME, DataType.TEXT):
        return pl.lit(None, dtype=POLARS_TYPES[data_type])
    text = source.cast(pl.String).str.strip_chars()
    if data_type is DataType.FLOAT:
        return _number(source, dtype)
    if data_type is DataType.INTEGER:
        return _integer(source, dtype)
    if data_type is DataType.BOOLEAN:
        return _boolean(source, dtype)
    if data_type is DataType.TEXT or data_type in ARRAYS:
        return source.cast(pl.String)
    if data_type is DataType.DATE:
        return source.cast(pl.Date) if dtype == pl.Date else _date(text)
    return _moment(source, text, dtype)


def _number(source: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    stripped = source.str.strip_chars() if dtype == pl.String else source
    number = stripped.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def _integer(source: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype.is_integer() or dtype == pl.Boolean:
        return source.cast(pl.Int64, strict=False)
    number = _number(source, dtype)
    rounded = pl.when((number == number.round(0)) & (number.abs() <= _EXACT)).then(number).cast(pl.Int64, strict=False)
    if dtype == pl.String:  # keys of 17 digits and more must not pass through a float
        return pl.coalesce(source.str.strip_chars().cast(pl.Int64, strict=False), rounded)
    return rounded


def _boolean(source: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.Boolean:
        return source
    text = _integer(source, dtype).cast(pl.String) if dtype.is_numeric() else source.cast(pl.String).str.strip_chars()
    return text.str.to_lowercase().replace_strict(BOOLEANS, default=None, return_dtype=pl.Boolean)


def _date(text: pl.Expr) -> pl.Expr:
    plain = _plain_date(text).str.replace(r"[ T]00:00(:00(\.0+)?)?$", "")
    compact = plain.str.replace(r"^(\d{4})(\d{2})(\d{2})$", "$1-$2-$3")
    return compact.str.to_date("%Y-%m-%d", strict=False)


def _moment(source: pl.Expr, text: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.Datetime):
        in_utc = source.dt.convert_time_zone("UTC") if dtype.time_zone else source.dt.replace_time_zone("UTC")
        return in_utc.cast(pl.Datetime("us", "UTC"))
    if dtype == pl.Date:
        return source.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    plain = _plain_date(text).str.replace(r"^([\d-]+)T", "$1 ").str.replace(r" ?Z$", "+00:00")
    plain = plain.str.replace(r"([+-]\d{2})(\d{2})$", "$1:$2")
    zoned = [plain.str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False) for form in _ZONED]
    local = [plain.str.to_datetime(form, time_unit="us", strict=False).dt.replace_time_zone("UTC") for form in _LOCAL]
    return pl.coalesce(*zoned, *local)


def _plain_date(text: pl.Expr) -> pl.Expr:
    return text.str.replace(r"^(\d{4})[/.年](\d{1,2})[/.月](\d{1,2})日?", "$1-$2-$3")


def classes_of(public: pl.DataFrame, scenario: Scenario) -> tuple[str, ...]:
    """Return the classes in the target column of the conformed public sample, and those that are declared, sorted.

    () if there are none. For masks these are the numbers up to the highest.
    """
    kind, target = scenario.answer, public[scenario.data.target].drop_nulls().unique()
    if kind not in WITH_CLASSES:
        return ()
    if scenario.target_form == "labels":
        return tuple(sorted({*target.to_list(), *(scenario.data.classes or ())}))
    named = {name for spelled in target.to_list() for name in classes_in(spelled, kind)}
    return tuple(map(str, range(max(map(int, named), default=0) + 1))) if kind == "mask" else tuple(sorted(named))


def format_labels(column: pl.Series, data_type: DataType) -> pl.Series:
    """Return ``column`` as labels in the spelling of ``data_type``: ``true``/``false``, whole numbers without point.

    Null stays null. Values that ``data_type`` cannot hold keep their spelling.
    """
    expression = _as_text(column.dtype)
    if data_type is DataType.BOOLEAN:
        lower = expression.str.to_lowercase()
        spelled = lower.replace_strict({word: str(value).lower() for word, value in BOOLEANS.items()}, default=None)
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


def read_cells(column: pl.Series, readers: Sequence[ColumnReader] | None) -> pl.Series:
    """Return ``column``, texts or native values, as those of ``readers`` say that are about it."""
    for reader in readers or ():
        if reader.column == column.name:
            column = _read(column, reader)
    return column


def first_of_alike(frame: pl.DataFrame, key: str | None) -> pl.Series:
    """Return which rows are the first of those that are alike in every column but the ``key``."""
    compared = [name for name in frame.columns if name != key]
    return frame.select(pl.struct(compared).is_first_distinct()).to_series()


def _read(column: pl.Series, reader: ColumnReader) -> pl.Series:
    if reader.spellings and (column.dtype == pl.String or column.dtype.is_integer()):
        column = _respelled(column.cast(pl.String), reader.spellings)
    if reader.units and column.dtype == pl.String:
        column = _without_units(column, reader.units)
    if reader.missing:
        column = column.set(_means_missing(column, reader.missing), None)
    if reader.empty is not None:
        column = _filled(column, reader.empty)
    return column


def _filled(column: pl.Series, value: str) -> pl.Series:
    """Return ``column`` as texts, with ``value`` in its empty cells."""
    cells = (column.fill_nan(None) if column.dtype.is_float() else column).cast(pl.String)
    return cells.set(cells.is_null() | (cells.str.strip_chars() == ""), value)


def _respelled(column: pl.Series, spellings: Mapping[str, str]) -> pl.Series:
    known = {found.strip(): meant for found, meant in spellings.items()}
    return column.str.strip_chars().replace_strict(known, default=column, return_dtype=pl.String).alias(column.name)


def _without_units(column: pl.Series, units: Mapping[str, float]) -> pl.Series:
    """Return the numbers before a known unit, in the field's own, as texts; every other cell as it is."""
    spelled = "|".join(re.escape(unit) for unit in sorted(units, key=len, reverse=True))
    parts = pl.col("cell").str.extract_groups(rf"^\s*(?<number>{_NUMBER})\s*(?<unit>{spelled})\s*$")
    number, unit = parts.struct.field("number"), parts.struct.field("unit")
    factor = unit.replace_strict(dict(units), default=None, return_dtype=pl.Float64)
    converted = (number.cast(pl.Float64, strict=False) * factor).cast(pl.String)
    read = pl.when(factor == 1).then(number).when(factor.is_not_null()).then(converted).otherwise(pl.col("cell"))
    return column.alias("cell").to_frame().select(read.alias(column.name)).to_series()


def _means_missing(column: pl.Series, words: Sequence[str]) -> pl.Series:
    """Return which cells are one of ``words``; numbers are compared as such: -999.0 is -999."""
    values = [value for value in map(_value_of, words) if value is not None]
    numbers = column.cast(pl.Float64, strict=False) if column.dtype == pl.String else column
    alike = pl.Series([False] * len(column), dtype=pl.Boolean)
    if numbers.dtype.is_numeric():
        alike = numbers.cast(pl.Float64).is_in(values).fill_null(value=False)
    if column.dtype == pl.String:
        stripped = [word.strip() for word in words]
        alike = alike | column.str.strip_chars().is_in(stripped).fill_null(value=False)
    return alike


def _value_of(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None
