"""A dataset of a file without a description: its columns in the types that they have, and nothing promised of them."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from pilotbase.data.quality.columns import ROW
from pilotbase.data.quality.scanning import reading, scan
from pilotbase.documents.dataset import DataField, Dataset, FieldType, RecordSet
from pilotbase.documents.scenario import Contact

_LOOKED_AT = 1000
_NUMBER, _WHOLE = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$", r"^\s*[-+]?\d+\s*$"
_TIME, _TRUTH = r"^\s*\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}", r"^\s*(?i:true|false)\s*$"
_SPELLED = (
    (FieldType.INTEGER, _WHOLE),
    (FieldType.FLOAT, _NUMBER),
    (FieldType.BOOLEAN, _TRUTH),
    (FieldType.DATETIME, _TIME),
)


def inferred_dataset(path: Path) -> Dataset:
    """Return a dataset with one record set: types of a Parquet file are its own, those of texts follow the first rows.

    Raises:
        InputError: as `scan`.
    """
    with reading(path):
        first = scan(path).head(_LOOKED_AT).collect(engine="streaming").drop(ROW)
    name = re.sub(r"[^a-z0-9_-]+", "-", path.stem.lower()).strip("-_")[:60] or "table"
    fields = tuple(DataField(name=column.name, data_type=_type_of(column)) for column in first)
    return Dataset(
        name=name,
        title=path.name,
        owner=Contact(organisation="unknown"),
        record_sets=(RecordSet(name=name, fields=fields),),
    )


def _type_of(column: pl.Series) -> FieldType:
    if column.dtype.is_integer():
        return FieldType.INTEGER
    if column.dtype.is_numeric():
        return FieldType.FLOAT
    if column.dtype == pl.Boolean:
        return FieldType.BOOLEAN
    if column.dtype == pl.Date:
        return FieldType.DATE
    if isinstance(column.dtype, pl.Datetime):
        return FieldType.DATETIME
    return _spelled_type(column) if column.dtype == pl.String else FieldType.TEXT


def _spelled_type(column: pl.Series) -> FieldType:
    there = column.drop_nulls().filter(column.drop_nulls().str.strip_chars() != "")
    if there.is_empty():
        return FieldType.TEXT
    return next((kind for kind, pattern in _SPELLED if there.str.contains(pattern).all()), FieldType.TEXT)
