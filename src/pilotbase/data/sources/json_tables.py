"""JSON objects as columns with dotted names, and each name of lists of objects inside them as a table of its own.

The rows of such a table name the record that contains them: by a member that every record has and no two share or, if
there is none, by the record's line. Lists inside these lists are left out, with a note.
"""

from __future__ import annotations

import json
from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from pilotbase.data.sources.faults import DEEPEST, LONGEST_NAME
from pilotbase.data.sources.source import KEY_NAME, SourceTable
from pilotbase.data.sources.spool import Spool
from pilotbase.documents.dataset import Reference, Source

_INT64 = range(-(2**63), 2**63)
LIST_OF_OBJECTS, LIST_OF_LISTS, DEEP = "list of objects", "list of lists", "deep"
"""Kinds of value that no column holds."""

Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]
MOST_LISTS = 20
"""Names whose lists of objects become tables."""
_MOST_KEPT = 2_000_000
"""Values that are kept to find repeated ones; in a longer file lines name the records."""
_ROWS = ("row", "line", "line number")
"""Names of a column of line numbers: the first that no member has."""


@dataclass
class JsonColumn:
    """The kinds of value under a name."""

    kinds: dict[str, int] = field(default_factory=dict)
    """Kind → the line where it first occurs."""

    @property
    def dtype(self) -> pl.DataType | None:
        """Return the type that holds all of them; None if there is none (lists of objects)."""
        kinds = set(self.kinds) - {"null"}
        if kinds <= {"int"}:
            return pl.Int64() if kinds else pl.String()
        if kinds <= {"int", "float"}:
            return pl.Float64()
        if kinds == {"bool"}:
            return pl.Boolean()
        if any(kind.startswith("list") or kind == DEEP for kind in kinds):
            return pl.List(pl.String()) if kinds <= {"list", "list of texts"} else None
        return pl.String()

    @property
    def is_table(self) -> bool:
        """Return whether it has nothing but lists of objects: a table inside the table."""
        return LIST_OF_OBJECTS in self.kinds and self.kinds.keys() <= {"null", "list", LIST_OF_OBJECTS}


def flat(record: dict[str, Value], above: str = "", depth: int = 0) -> Iterator[tuple[str, Value]]:
    """Yield name and value of every member, those of objects inside under dotted names."""
    for name, value in record.items():
        if isinstance(value, dict) and depth < DEEPEST:
            yield from flat(value, f"{above}{name}.", depth + 1)
        else:
            yield above + name, value


def kind_of(value: Value) -> str:
    """Return the kind of value in words for the owner."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if value in _INT64 else "text"
    if isinstance(value, float):
        return "float"
    if isinstance(value, list):
        kinds = {type(item) for item in value}
        if kinds == {dict}:
            return LIST_OF_OBJECTS
        return LIST_OF_LISTS if kinds & {dict, list} else "list of texts" if kinds else "list"
    return DEEP if isinstance(value, dict) else "text"


def spelled(value: Value, dtype: pl.DataType) -> object:
    """Return a value as a column of that type holds it."""
    if value is None:
        return None
    if isinstance(dtype, pl.List):
        items = value if isinstance(value, list) else [value]
        return [item if isinstance(item, str) else json.dumps(item, ensure_ascii=False) for item in items]
    if dtype == pl.String():
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return float(value) if dtype == pl.Float64() and isinstance(value, int) else value


class Keys:
    """The members that name the records: every record has them, and no two share a value."""

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
    """The members of the objects in the lists under one name."""

    columns: dict[str, JsonColumn] = field(default_factory=dict)

    def take(self, number: int, items: Value) -> None:
        """Look at one more list, in the record of that number; anything but a list of objects is skipped."""
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
    """One table of the content of lists, while it is written."""

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
    """Return the name of the table for a column of lists."""
    return f"{parent}.{column}"


def fits(parent: str, column: str, held: ListColumns) -> bool:
    """Return whether a table of these columns, and the reference beside them, can be named."""
    return len(table_name(parent, column)) <= LONGEST_NAME and not any(
        name.startswith(f"{parent}.") for name in held.schema
    )


def line_column(names: Collection[str]) -> str | None:
    """Return a name for a column of line numbers beside these names."""
    return next((name for name in _ROWS if name not in names), None)
