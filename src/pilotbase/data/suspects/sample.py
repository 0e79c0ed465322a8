"""The rows of a table that are looked at: all of them, or an even sample in which repeated rows stay together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import polars as pl

from pilotbase.data.suspects.definition import SuspectColumn, SuspectTable
from pilotbase.documents.dataset import DataField, RecordSet

ROWS, COLUMNS = 30_000, 400
"""A sample has at most about so many rows, and so many columns."""
_SEED, _RANGE = 20261203, 1 << 64
_PLACE = "\0place"


def sampled(record_set: RecordSet, stored: pl.LazyFrame, rows: int, place: str, until: datetime) -> SuspectTable:
    """Return a sample of ``stored``, which holds the number of each row in column ``place`` and has so many ``rows``.

    A row is kept if the hash of its cells is low. What a field declares as missing is no value. ``until``: when the
    file was written.
    """
    fields = {(one.source and one.source.column) or one.name: one for one in record_set.fields}
    schema = stored.collect_schema()
    plain = [name for name, dtype in schema.items() if name != place and not _is_opaque(dtype)][:COLUMNS]
    kept = stored.select(*plain, pl.col(place).alias(_PLACE))
    if rows > ROWS and plain:
        kept = kept.filter(pl.struct(plain).hash(_SEED) < int(ROWS / rows * (_RANGE - 1)))
    found = kept.collect(engine="streaming").sort(_PLACE)
    numbers = found.drop_in_place(_PLACE).cast(pl.Int64).to_numpy()
    columns = {_name(fields, one): SuspectColumn(_told(found[one], fields.get(one))) for one in plain}
    labels = [one.name for one in record_set.labels if one.name in columns]
    return SuspectTable(columns, numbers, rows, labels[0] if labels else None, record_set.key, until)


def _is_opaque(dtype: pl.DataType) -> bool:
    return dtype.is_nested() or dtype in (pl.Binary, pl.Object)


def _name(fields: Mapping[str, DataField], column: str) -> str:
    return fields[column].name if column in fields else column


def _told(stored: pl.Series, field: DataField | None) -> pl.Series:
    """Return a column under its field's name, null where the field says that nothing stands."""
    name = stored.name if field is None else field.name
    spellings = [one.strip() for one in field.missing] if field is not None else []
    if stored.dtype == pl.String:
        missing = stored.str.strip_chars().is_in(["", *spellings])
    elif stored.dtype.is_numeric():
        missing = stored.cast(pl.Float64).is_in([float(one) for one in spellings if _is_number(one)])
    else:
        return stored.alias(name)
    return stored.set(missing.fill_null(False), None).alias(name)


def _is_number(spelled: str) -> bool:
    try:
        float(spelled)
    except ValueError:
        return False
    return True
