"""What the two kinds of database share: declared tables kept as Parquet, values as their columns hold them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl

from pilotbase.data.sources.faults import Faults
from pilotbase.data.sources.source import SourceTable
from pilotbase.data.sources.spool import spool
from pilotbase.documents.dataset import Reference
from pilotbase.documents.texts import Text, text

_INT64 = range(-(2**63), 2**63)


@dataclass
class DeclaredTable:
    """A table as its database declares it."""

    name: str
    schema: dict[str, pl.DataType]
    """Column → type; columns of bytes and of types of a database's own are left out."""
    key: tuple[str, ...] = ()
    required: frozenset[str] = frozenset()
    references: dict[str, Reference] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def kept_table(
    declared: DeclaredTable, rows: Iterable[Sequence[object]], resource: str, scratch: Path, faults: Faults
) -> SourceTable:
    """Return ``rows`` as a table; a value that its column cannot hold is noted with its row."""
    kept = spool(_fitting(declared, rows, faults), declared.schema, scratch)
    return SourceTable(
        declared.name,
        kept.frame,
        kept.rows,
        resource,
        key=declared.key if set(declared.key) <= declared.schema.keys() else (),
        references={name: to for name, to in declared.references.items() if name in declared.schema},
        required=declared.required & declared.schema.keys(),
        selector=declared.name,
    )


def _fitting(declared: DeclaredTable, rows: Iterable[Sequence[object]], faults: Faults) -> Iterator[list[object]]:
    types = list(declared.schema.items())
    for number, row in enumerate(rows, 1):
        fitted = []
        for (name, dtype), value in zip(types, row, strict=True):
            held = _held(value, dtype)
            if held is None and value is not None:
                path = f"{declared.name}.{name}"
                faults.add(
                    text("source.other_kind", row=number, found=repr(value)[:60], allowed=_plain(dtype)), path=path
                )
            fitted.append(held)
        yield fitted


def _held(value: object, dtype: pl.DataType) -> object:
    """Return ``value`` as the column holds it; None where it cannot."""
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if dtype == pl.Float64():
        return float(value) if isinstance(value, int | float) else None
    if dtype == pl.Int64():
        return int(value) if isinstance(value, int) and value in _INT64 else None
    if dtype == pl.Boolean():
        return bool(value) if value in (0, 1) else None
    if isinstance(dtype, pl.Datetime):
        return value if isinstance(value, datetime) else None
    if dtype == pl.Date():
        return value if isinstance(value, date) else None
    return None if value is None or isinstance(value, bytes) else str(value)


def _plain(dtype: pl.DataType) -> Text:
    return next((said for kind, said in _SAID.items() if kind == dtype.base_type()), text("data.type.text"))


_SAID = {
    pl.Float64: text("data.type.number"),
    pl.Int64: text("data.type.integer"),
    pl.Boolean: text("data.type.boolean"),
    pl.Date: text("data.type.date"),
    pl.Datetime: text("data.type.datetime"),
}
