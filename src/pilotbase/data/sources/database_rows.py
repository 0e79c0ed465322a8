"""The common part of both kinds of database: declared tables kept as Parquet, values as their columns hold them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl

from pilotbase.data.column_types import POLARS_TYPES, type_words
from pilotbase.data.sources.source import (
    SHOWN,
    FileFaults,
    ReadOptions,
    SourceTable,
    are_few,
    check_names,
    refuse,
    spool,
)
from pilotbase.documents.contract import DataType
from pilotbase.documents.dataset import Reference
from pilotbase.documents.errors import offer
from pilotbase.documents.texts import Text, text

_INT64 = range(-(2**63), 2**63)


@dataclass
class DeclaredTable:
    """A table as its database declares it."""

    name: str
    schema: dict[str, pl.DataType]
    """Column → type; columns of bytes and of a database's own types are left out."""
    key: tuple[str, ...] = ()
    required: frozenset[str] = frozenset()
    references: dict[str, Reference] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def declared_tables(
    names: Sequence[str], asked: ReadOptions, file: str, declare: Callable[[str], DeclaredTable]
) -> list[DeclaredTable]:
    """Return those of the tables called ``names`` that were asked for.

    Raises:
        InputError: one does not exist, or there are none.
    """
    for name in asked.tables:
        if name not in names:
            raise refuse(file, text("source.unknown_table", found=name, allowed=offer(name, names)))
    if not names:
        raise refuse(file, text("source.no_tables"))
    return [declare(name) for name in names if not asked.tables or name in asked.tables]


def require_names(columns: Sequence[str], file: str, table: str) -> None:
    """Return if the columns of a table can be named; raises `InputError`."""
    faults = FileFaults(file)
    check_names(columns, faults, None, table)
    faults.require_none()


def kept_tables(
    declared: Sequence[DeclaredTable],
    rows: Callable[[DeclaredTable], Iterable[Sequence[object]]],
    place: tuple[str, Path],
    faults: FileFaults,
) -> tuple[tuple[SourceTable, ...], list[Text]]:
    """Return the tables and what was left out of them; ``place``: their resource, and the folder to keep them in.

    Raises:
        InputError: everything in ``faults``, tables without rows, columns of which many values do not fit.
    """
    kept = [_kept_table(one, rows(one), place, faults) for one in declared]
    for table, _ in kept:
        if not table.rows:
            faults.add(text("source.no_rows"), path=table.name)
    faults.require_none()
    left_out = [(one.name, name) for one in declared for name in one.left_out]
    said = [text("source.taken.left_out", file=place[0], column=f"{table}.{name}") for table, name in left_out]
    return tuple(table for table, _ in kept), said + [one for _, told in kept for one in told]


def _kept_table(
    declared: DeclaredTable, rows: Iterable[Sequence[object]], place: tuple[str, Path], faults: FileFaults
) -> tuple[SourceTable, tuple[Text, ...]]:
    """Return ``rows`` as a table, and the few values that their columns cannot hold; many in a column are faults."""
    resource, scratch = place
    misfits = {name: _Misfits() for name in declared.schema}
    kept = spool(_fitting(declared, rows, misfits), declared.schema, scratch)
    told = []
    for name, found in misfits.items():
        column = f"{declared.name}.{name}"
        if are_few(found.count, kept.rows):
            told.append(found.told(resource, column, declared.schema[name]))
        else:
            found.note(column, declared.schema[name], faults)
    table = SourceTable(
        declared.name,
        kept.frame,
        kept.rows,
        resource,
        key=declared.key if set(declared.key) <= declared.schema.keys() else (),
        references={name: to for name, to in declared.references.items() if name in declared.schema},
        required=declared.required & declared.schema.keys(),
        selector=declared.name,
    )
    return table, tuple(one for one in told if one is not None)


@dataclass
class _Misfits:
    """Values of one column that it cannot hold."""

    count: int = 0
    first: list[tuple[int, str]] = field(default_factory=list)
    """Row, from 1, and value."""

    def take(self, row: int, value: object) -> None:
        self.count += 1
        if self.count <= SHOWN:
            self.first.append((row, repr(value)[:60]))

    def told(self, file: str, column: str, dtype: pl.DataType) -> Text | None:
        if not self.count:
            return None
        places = ", ".join(f"{row}: {value}" for row, value in self.first) + (", …" if self.count > SHOWN else "")
        return text(
            "source.taken.misfits", file=file, column=column, count=self.count, allowed=_plain(dtype), rows=places
        )

    def note(self, column: str, dtype: pl.DataType, faults: FileFaults) -> None:
        for row, value in self.first:
            faults.add(text("source.other_kind", row=row, found=value, allowed=_plain(dtype)), path=column)
        faults.more("source.other_kind", self.count - len(self.first))


def _fitting(
    declared: DeclaredTable, rows: Iterable[Sequence[object]], misfits: Mapping[str, _Misfits]
) -> Iterator[list[object]]:
    types = list(declared.schema.items())
    for number, row in enumerate(rows, 1):
        fitted = []
        for (name, dtype), value in zip(types, row, strict=True):
            held = _held(value, dtype)
            if held is None and value is not None:
                misfits[name].take(number, value)
            fitted.append(held)
        yield fitted


def _held(value: object, dtype: pl.DataType) -> object:
    """Return ``value`` as the column holds it; None if it cannot."""
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
    alike = (kind for kind, held in POLARS_TYPES.items() if held.base_type() == dtype.base_type())
    return type_words(next(alike, DataType.TEXT))
