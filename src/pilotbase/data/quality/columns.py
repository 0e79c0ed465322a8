"""A record set as a lazy table: each field in its declared type, and beside it the stored text where they differ."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from math import isfinite
from pathlib import Path

import numpy as np
import polars as pl

from pilotbase.data.column_types import POLARS_TYPES, TYPES, type_column, typed_expression
from pilotbase.data.quality.views import Truths, Views, judged
from pilotbase.data.sources.opening import open_source
from pilotbase.data.sources.source import ReadOptions
from pilotbase.documents.contract import DataType
from pilotbase.documents.dataset import DataField, FieldType, RecordSet
from pilotbase.documents.progress import OnProgress, ignore_progress

_TRUTHS = {"true": True, "false": False, "True": True, "False": False, "1": True, "0": False}
_SIGNS = np.uint8(ord("!")), np.uint8(ord("~") - ord("!"))
"""The first character that is no blank, and the distance from it to the last."""
_MOMENTS = {"T": "%Y-%m-%dT%H:%M:%S%.f", " ": "%Y-%m-%d %H:%M:%S%.f"}
RAW = "raw of "
ROW = "row number"
"""Counted from 1."""
_NUMBER = re.compile(r"[-+]?\d+(\.\d*)?")


@dataclass(frozen=True)
class TableColumn:
    """A field that the table holds. ``dtype``: as the file stores it."""

    field: DataField
    dtype: pl.DataType

    @property
    def name(self) -> str:
        return self.field.name

    @cached_property
    def data_type(self) -> DataType:
        """The type of its values; anything but numbers, truths and times is text."""
        return TYPES.get(self.field.data_type or FieldType.TEXT, DataType.TEXT)

    @cached_property
    def is_native(self) -> bool:
        """Return whether the file stores it in its own type, so that every value has that type."""
        if self.data_type is DataType.FLOAT:
            return self.dtype.is_numeric()
        if self.data_type is DataType.INTEGER:
            return self.dtype.is_integer()
        return self.dtype == self.canonical_type

    @property
    def is_number(self) -> bool:
        return self.data_type in (DataType.FLOAT, DataType.INTEGER)

    @property
    def is_time(self) -> bool:
        return self.data_type in (DataType.DATE, DataType.DATETIME)

    @cached_property
    def raw(self) -> pl.Expr:
        """The stored value; null if it is missing."""
        return pl.col(self.name) if self.is_native and not self._may_be_infinite else pl.col(RAW + self.name)

    @cached_property
    def value(self) -> pl.Expr:
        """The value in the declared type; null if it is missing or of another type."""
        return pl.col(self.name)

    @property
    def canonical(self) -> pl.Expr:
        """The value in the one type that all spellings of it share, for hashes."""
        if self.data_type is DataType.FLOAT:
            return self.value.cast(pl.Float64) + 0.0  # -0.0 is 0.0
        return self.value.cast(self.canonical_type)

    @property
    def canonical_type(self) -> pl.DataType:
        return POLARS_TYPES[self.data_type]

    @property
    def seconds(self) -> pl.Expr:
        """A time as seconds since 1970."""
        return seconds_of(self.value)

    @property
    def _may_be_infinite(self) -> bool:
        return self.dtype.is_float()

    def made(self, source: str) -> list[pl.Expr]:
        """Return the expressions over the file's column that make `value`, and `raw` if it can differ."""
        stored = pl.col(source)
        if self.dtype.is_nested() or self.dtype in (pl.Binary, pl.Object):
            nothing = pl.lit(None, dtype=POLARS_TYPES[self.data_type])
            return [nothing.alias(self.name), stored.is_not_null().replace(False, None).alias(RAW + self.name)]
        there = self._without_missing(stored)
        if self.is_native and not self._may_be_infinite:
            return [there.alias(self.name)]
        if self.is_native:
            return [finite(there).alias(self.name), there.alias(RAW + self.name)]
        if self.dtype == pl.String and self.data_type is not DataType.TEXT:
            typed = typed_texts(self._without_unit(there), self.data_type)
        else:
            typed = typed_expression(there, self.dtype, self.data_type)
        return [typed.alias(self.name), there.alias(RAW + self.name)]

    def _without_missing(self, stored: pl.Expr) -> pl.Expr:
        spellings = [spelling.strip() for spelling in self.field.missing]
        if self.dtype == pl.String and spellings == [""]:
            return without_blanks(stored)
        if self.dtype == pl.String and spellings:
            stripped = stored.str.strip_chars()
            return pl.when(~stripped.is_in(spellings)).then(stored)
        there = stored.fill_nan(None) if self.dtype.is_float() else stored
        numbers = [float(spelling) for spelling in spellings if _NUMBER.fullmatch(spelling)]
        if numbers and self.dtype.is_numeric():
            return pl.when(~there.cast(pl.Float64).is_in(numbers)).then(there)
        return there

    def _without_unit(self, there: pl.Expr) -> pl.Expr:
        if not (self.spells_unit and self.field.unit):
            return there
        return there.str.strip_chars().str.strip_suffix(self.field.unit).str.strip_chars()

    @property
    def spells_unit(self) -> bool:
        """Return whether a value may include its unit: a number that is stored as text."""
        return self.is_number and self.dtype == pl.String and self.field.unit is not None


@dataclass(frozen=True)
class RecordTable:
    """The records of one record set. ``frame``: what `TableColumn` names, and `ROW` counted from 1."""

    record_set: RecordSet
    columns: Mapping[str, TableColumn]
    stored: pl.LazyFrame
    absent: tuple[str, ...] = ()
    """Fields that the file lacks."""

    @cached_property
    def frame(self) -> pl.LazyFrame:
        made = [one for name, column in self.columns.items() for one in column.made(column_name(column.field, name))]
        return self.stored.select(*made, pl.col(ROW).cast(pl.Int64))

    def named(self, names: tuple[str, ...]) -> list[TableColumn]:
        """Return the columns of these names that the file has."""
        return [self.columns[name] for name in names if name in self.columns]

    @property
    def labels(self) -> list[TableColumn]:
        return self.named(tuple(field.name for field in self.record_set.labels))

    @property
    def features(self) -> list[TableColumn]:
        """What an application may learn from: no label, no key."""
        apart = {field.name for field in self.record_set.labels} | set(self.record_set.key)
        return [column for name, column in self.columns.items() if name not in apart]


def open_record_table(
    record_set: RecordSet, path: Path, scratch: Path, on_progress: OnProgress = ignore_progress
) -> RecordTable:
    """Return the table of ``record_set`` in ``path``, the first if none has its name; raises `InputError`.

    Temporary data for scanning goes into ``scratch``. Callers scan within `scanning`.
    """
    tables = open_source(str(path), scratch, ReadOptions(quick=True, on_progress=on_progress)).tables
    found = next((one for one in tables if one.name == record_set.name), tables[0])
    return record_table(record_set, found.frame.with_row_index(ROW, 1))


def record_table(record_set: RecordSet, stored: pl.LazyFrame) -> RecordTable:
    """Return the table of ``record_set`` in ``stored``, which holds its columns and `ROW`."""
    schema = stored.collect_schema()
    parents = {field.parent for field in record_set.fields}
    fields = [field for field in record_set.fields if field.data_type is not None or field.name not in parents]
    columns = {
        field.name: TableColumn(field, schema[column_name(field, field.name)])
        for field in fields
        if column_name(field, field.name) in schema
    }
    absent = tuple(field.name for field in fields if field.name not in columns)
    return RecordTable(record_set, columns, stored, absent)


def column_name(field: DataField, name: str) -> str:
    """Return a field's name in the file."""
    return field.source.column if field.source and field.source.column else name


def seconds_of(times: pl.Expr) -> pl.Expr:
    """Return days and times as seconds since 1970."""
    return times.cast(pl.Datetime("us")).dt.epoch("us") / 1e6


def row_hash(columns: list[TableColumn], seed: int = 1) -> pl.Expr:
    """Return 64 bits a row over these columns: equal rows share them, others with probability 2⁻⁶⁴ a pair."""
    return pl.struct(*(column.canonical.alias(column.name) for column in columns)).hash(seed)


def typed_texts(texts: pl.Expr, data_type: DataType) -> pl.Expr:
    """Return what `pilotbase.data.column_types` makes of ``texts``, several times as fast if one spelling dominates."""
    return texts.map_batches(partial(_typed, data_type), return_dtype=POLARS_TYPES[data_type], is_elementwise=True)


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


def without_blanks(texts: pl.Expr) -> pl.Expr:
    """Return ``texts`` with null for empty or blank ones; only those that may be blank are examined closely."""
    return texts.map_batches(_without_blanks, return_dtype=pl.String, is_elementwise=True)


def _without_blanks(texts: pl.Series) -> pl.Series:
    suspect = judged(texts, _begin_oddly, lambda others: (others < "!") | (others > "~"))
    if not suspect.any():
        return texts
    blank = texts.filter(suspect).str.strip_chars() == ""
    return texts.scatter(suspect.arg_true().filter(blank), None)


def _begin_oddly(views: Views) -> Truths:
    """Return which are empty or begin with a blank, or with a non-ASCII character, which may be a wide one."""
    return views[:, 4] - _SIGNS[0] > _SIGNS[1]


def finite(numbers: pl.Expr) -> pl.Expr:
    """Return ``numbers`` with null for NaN and the infinite."""
    return numbers.map_batches(_finite, return_dtype=None, is_elementwise=True)


def _finite(found: pl.Series) -> pl.Series:
    return found if isfinite(found.sum()) else found.set(~found.is_finite(), None)
