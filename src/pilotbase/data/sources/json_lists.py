"""Lists of objects inside JSON objects: each name is a table of its own, whose rows name the record that holds them.

A record is named by a member that stands in all of them and never twice; where there is none, by its line. Lists inside
these lists go no further: they are left out, which is told.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from pilotbase.data.sources.bounds import LONGEST_NAME
from pilotbase.data.sources.json_columns import LIST_OF_OBJECTS, JsonColumn, Value, flat, kind_of, spelled
from pilotbase.data.sources.key_names import KEY_NAME
from pilotbase.data.sources.source import SourceTable
from pilotbase.data.sources.spool import Spool
from pilotbase.documents.dataset import Reference, Source

MOST_LISTS = 20
"""Names under which lists of objects become tables."""
_MOST_KEPT = 2_000_000
"""Values that are kept to see whether one stands twice; in a longer file lines name the records."""
_ROWS = ("row", "line", "line number")
"""What a column of line numbers is called: the first that no member is called."""


class Keys:
    """Which members name the records: they stand in every one, and none twice."""

    def __init__(self) -> None:
        self._kept: dict[str, set[str]] | None = None

    def take(self, members: Mapping[str, Value]) -> None:
        """Look at the members of one more record."""
        if self._kept is None:
            self._kept = {name: set() for name in members if KEY_NAME.search(name)}
        for name, kept in list(self._kept.items()):
            value = members.get(name)
            if kind_of(value) not in ("int", "text") or str(value) in kept or len(kept) == _MOST_KEPT:
                del self._kept[name]
            else:
                kept.add(str(value))

    @property
    def name(self) -> str | None:
        return next(iter(self._kept or ()), None)


@dataclass
class ListColumns:
    """The members of the objects in the lists under one name, as they were found."""

    columns: dict[str, JsonColumn] = field(default_factory=dict)

    def take(self, number: int, items: Value) -> None:
        """Look at one more list, in the record of that number; what is no list of objects is passed over."""
        if kind_of(items) != LIST_OF_OBJECTS or not isinstance(items, list):
            return
        for item in items:
            for name, value in flat(item) if isinstance(item, dict) else ():
                self.columns.setdefault(name, JsonColumn()).kinds.setdefault(kind_of(value), number)

    @property
    def schema(self) -> dict[str, pl.DataType]:
        return {name: column.dtype for name, column in self.columns.items() if column.dtype is not None}

    @property
    def left_out(self) -> list[str]:
        return [name for name, column in self.columns.items() if column.dtype is None]


@dataclass(frozen=True)
class Parent:
    """The table whose records hold lists. ``key``: its column that names them, of that type, and where it is."""

    name: str
    resource: str
    key: str
    dtype: pl.DataType
    source: Source


class ListTable:
    """One table of what stands in lists, while it is written."""

    def __init__(self, parent: Parent, column: str, schema: Mapping[str, pl.DataType], scratch: Path) -> None:
        self.parent, self.column, self._schema = parent, column, dict(schema)
        self.name, self.refers = table_name(parent.name, column), f"{parent.name}.{parent.key}"
        self._spool = Spool({self.refers: parent.dtype, **self._schema}, scratch)
        self._rows = 0
        self._starts, self._lines = array("q"), array("q")

    def take(self, number: int, key: object, items: Value) -> None:
        """Take the list in the record of that number, which ``key`` names."""
        if not isinstance(items, list) or not items:
            return
        self._starts.append(self._rows)
        self._lines.append(number)
        for item in items:
            members = dict(flat(item)) if isinstance(item, dict) else {}
            self._spool.take([key, *(spelled(members.get(name), dtype) for name, dtype in self._schema.items())])
            self._rows += 1

    def close(self) -> SourceTable:
        """Return the table; its first column refers to the record that holds the row."""
        kept, resource = self._spool.close(), self.parent.resource
        origins = {name: Source(resource=resource, json_path=f"$.{self.column}[*].{name}") for name in self._schema}
        return SourceTable(
            self.name,
            kept.frame,
            kept.rows,
            resource,
            self._line,
            references={self.refers: Reference(record_set=self.parent.name, field=self.parent.key)},
            required=frozenset({self.refers}),
            origins={self.refers: self.parent.source, **origins},
            selector=self.column,
        )

    def _line(self, row: int) -> int:
        return self._lines[bisect_right(self._starts, row) - 1]


def table_name(parent: str, column: str) -> str:
    """Return what the table of a column of lists is called."""
    return f"{parent}.{column}"


def fits(parent: str, column: str, held: ListColumns) -> bool:
    """Tell whether a table of these columns can be named, and its reference beside them."""
    return len(table_name(parent, column)) <= LONGEST_NAME and not any(
        name.startswith(f"{parent}.") for name in held.schema
    )


def line_column(names: Collection[str]) -> str | None:
    """Return what a column of line numbers may be called beside these names."""
    return next((name for name in _ROWS if name not in names), None)
