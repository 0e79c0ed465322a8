"""What every kind of source gives: tables that were checked whole, to be scanned lazily, and the files they are in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import polars as pl

from pilotbase.documents.dataset import Reference, Resource, Source
from pilotbase.documents.texts import Text

MOST_COLUMNS = 10_000
"""Columns of a table, as `pilotbase.documents.dataset.RecordSet` holds them."""
LONGEST_NAME = 200
LONGEST_CELL = 131_072
"""Characters of one cell: more is nearly always a quote that was never closed."""


@dataclass(frozen=True)
class ReadOptions:
    """What the owner says of a source; None: it is found out."""

    encoding: str | None = None
    separator: str | None = None
    columns: tuple[str, ...] | None = None
    """Names of the columns of a table without a header line."""
    tables: tuple[str, ...] = ()
    """The sheets or tables that are read; none named: all."""
    labels: Path | None = None
    """Of an image folder: a table of path and label."""


@dataclass(frozen=True)
class SourceTable:
    """One table of a source, checked whole; nothing of it is loaded."""

    name: str
    frame: pl.LazyFrame
    """Texts where the file holds texts (CSV, workbook), else native types; rows without any value are left out."""
    rows: int
    resource: str
    """Id of the file or set of files that it is in."""
    line_of: Callable[[int], int] | None = None
    """Row (from 0) → the line of the file; None where rows have no lines."""
    key: tuple[str, ...] = ()
    """Columns that a database declares as the key."""
    references: Mapping[str, Reference] = field(default_factory=dict)
    """Column → what a database declares that it refers to."""
    required: frozenset[str] = frozenset()
    """Columns that a database declares as never missing."""
    origins: Mapping[str, Source] = field(default_factory=dict)
    """Column → where its values are, where that is not a column of the same name."""
    selector: str | None = None
    """What picks the table out of its resource, where there are several: a sheet, a table of a database."""

    @property
    def columns(self) -> list[str]:
        return self.frame.collect_schema().names()


@dataclass(frozen=True)
class OpenedSource:
    """The tables of one source, the files they are in, and what was taken where the source did not say it."""

    tables: tuple[SourceTable, ...]
    resources: tuple[Resource, ...]
    taken: tuple[Text, ...] = ()
    live: bool = False
    """It goes on changing: what was read is a snapshot."""


class Reader(Protocol):
    """One kind of source."""

    def reads(self, place: str) -> bool:
        """Tell whether ``place``, a path or an address, is of this kind, by its ending or by its first bytes."""

    def read(self, place: str, asked: ReadOptions, scratch: Path) -> OpenedSource:
        """Return the tables in ``place``; what must be kept to scan them lies in ``scratch``.

        Raises:
            InputError: every problem at once, each with its place.
        """
