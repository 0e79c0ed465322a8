"""JSON Lines, one object a line (.jsonl, .ndjson), and a JSON file that is one list of objects (.json).

Objects inside objects become columns with dotted names, each name of lists of objects a table of its own. The rows of
such a table name the record that contains them: by a member that every record has and no two share or, if there is
none, by the record's line. Lists inside these lists are left out, with a note. The file is read twice: first for errors
and the kinds of value of each name in the whole file; then into Parquet.
"""

from __future__ import annotations

import json
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import TextIOWrapper
from itertools import islice
from pathlib import Path

import polars as pl

from pilotbase.data.sources.source import (
    DEEPEST,
    KEY_NAME,
    LONGEST_NAME,
    FileFaults,
    OpenedSource,
    ReadOptions,
    SourceTable,
    Spool,
    check_names,
    file_object,
    open_watched,
    refuse,
    require_file,
)
from pilotbase.data.sources.text_files import Encoding, find_encoding
from pilotbase.documents.dataset import Reference, Source
from pilotbase.documents.json_reader import DoubleKeyError, load_strict
from pilotbase.documents.progress import OnProgress
from pilotbase.documents.quantities import format_bytes
from pilotbase.documents.texts import Text, text

LONGEST_LINE = 16 << 20
LARGEST_LIST = 256 << 20
"""Bytes of a .json file, which is read at once; files of lines have no limit."""
_LINES = (".jsonl", ".ndjson")
_LINE_NUMBERS = "lineNumbers"
"""The file property of Croissant for the line of a record."""

_INT64 = range(-(2**63), 2**63)
_LIST_OF_OBJECTS, _LIST_OF_LISTS, _DEEP = "list of objects", "list of lists", "deep"
"""Kinds of value that no column holds."""

Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]
Numbered = Iterator[tuple[int, dict[str, Value]]]
MOST_LISTS = 20
"""Names whose lists of objects become tables."""
_MOST_KEPT = 2_000_000
"""Values that are kept to find repeated ones; in a longer file lines name the records."""
_ROWS = ("row", "line", "line number")
"""Names of a column of line numbers: the first that no member has."""


def read(place: str, asked: ReadOptions, scratch: Path) -> OpenedSource:
    """Return the tables in ``place``; see `pilotbase.data.sources.source.Read`."""
    path = Path(place)
    require_file(path)
    file = _File(path, find_encoding(path, asked), path.suffix.lower() in _LINES, asked.on_progress)
    faults = FileFaults(path.name)
    found = _Found()
    for number, record in _records(file, "rows", faults):
        found.take(number, record, faults)
    if not found.rows and not faults:
        faults.add(text("source.no_rows_at_all"))
    check_names(list(found.columns), faults, None)
    for name, held in found.lists.items():
        check_names(list(held.columns), faults, None, name)
    faults.require_none()
    parent = _parent(found, file)
    tables = _written(found, file, parent, scratch)
    media = "application/jsonlines" if file.in_lines else "application/json"
    files = (file_object(path, media, asked),)
    return OpenedSource(tables, files, tuple(_said(found, file, parent)), led=True)


@dataclass
class _JsonColumn:
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
        if any(kind.startswith("list") or kind == _DEEP for kind in kinds):
            return pl.List(pl.String()) if kinds <= {"list", "list of texts"} else None
        return pl.String()

    @property
    def is_table(self) -> bool:
        """Return whether it has nothing but lists of objects: a table inside the table."""
        return _LIST_OF_OBJECTS in self.kinds and self.kinds.keys() <= {"null", "list", _LIST_OF_OBJECTS}


def _flat(record: dict[str, Value], above: str = "", depth: int = 0) -> Iterator[tuple[str, Value]]:
    """Yield name and value of every member, those of objects inside under dotted names."""
    for name, value in record.items():
        if isinstance(value, dict) and depth < DEEPEST:
            yield from _flat(value, f"{above}{name}.", depth + 1)
        else:
            yield above + name, value


def _kind_of(value: Value) -> str:
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
            return _LIST_OF_OBJECTS
        return _LIST_OF_LISTS if kinds & {dict, list} else "list of texts" if kinds else "list"
    return _DEEP if isinstance(value, dict) else "text"


def _spelled(value: Value, dtype: pl.DataType) -> object:
    """Return a value as a column of that type holds it."""
    if value is None:
        return None
    if isinstance(dtype, pl.List):
        items = value if isinstance(value, list) else [value]
        return [item if isinstance(item, str) else json.dumps(item, ensure_ascii=False) for item in items]
    if dtype == pl.String():
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return float(value) if dtype == pl.Float64() and isinstance(value, int) else value


class _Keys:
    """The members that name the records: every record has them, and no two share a value."""

    def __init__(self) -> None:
        self._kept: dict[str, set[str]] | None = None

    def take(self, members: Mapping[str, Value]) -> None:
        """Look at the members of one more record."""
        if self._kept is None:
            self._kept = {name: set() for name in members if KEY_NAME.search(name)}
        for name, kept in list(self._kept.items()):
            value = members.get(name)
            if _kind_of(value) not in ("int", "text") or str(value) in kept or len(kept) == _MOST_KEPT:
                del self._kept[name]
            else:
                kept.add(str(value))

    @property
    def name(self) -> str | None:
        return next(iter(self._kept or ()), None)


@dataclass
class _ListColumns:
    """The members of the objects in the lists under one name."""

    columns: dict[str, _JsonColumn] = field(default_factory=dict)

    def take(self, number: int, items: Value) -> None:
        """Look at one more list, in the record of that number; anything but a list of objects is skipped."""
        if _kind_of(items) != _LIST_OF_OBJECTS or not isinstance(items, list):
            return
        for item in items:
            for name, value in _flat(item) if isinstance(item, dict) else ():
                self.columns.setdefault(name, _JsonColumn()).kinds.setdefault(_kind_of(value), number)

    @property
    def schema(self) -> dict[str, pl.DataType]:
        return {name: column.dtype for name, column in self.columns.items() if column.dtype is not None}

    @property
    def left_out(self) -> list[str]:
        return [name for name, column in self.columns.items() if column.dtype is None]


@dataclass(frozen=True)
class _Parent:
    """The table whose records hold lists. ``key``: its column that names them, of that type, and where it is."""

    name: str
    resource: str
    key: str
    dtype: pl.DataType
    source: Source


class _ListTable:
    """One table of the content of lists, while it is written."""

    def __init__(self, parent: _Parent, column: str, schema: Mapping[str, pl.DataType], scratch: Path) -> None:
        self.parent, self.column, self._schema = parent, column, dict(schema)
        self.name, self.refers = _table_name(parent.name, column), f"{parent.name}.{parent.key}"
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
            members = dict(_flat(item)) if isinstance(item, dict) else {}
            self._spool.take([key, *(_spelled(members.get(name), dtype) for name, dtype in self._schema.items())])
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


def _table_name(parent: str, column: str) -> str:
    """Return the name of the table for a column of lists."""
    return f"{parent}.{column}"


def _fits(parent: str, column: str, held: _ListColumns) -> bool:
    """Return whether a table of these columns, and the reference beside them, can be named."""
    return len(_table_name(parent, column)) <= LONGEST_NAME and not any(
        name.startswith(f"{parent}.") for name in held.schema
    )


@dataclass(frozen=True)
class _File:
    path: Path
    encoding: Encoding
    in_lines: bool
    on_progress: OnProgress


@dataclass
class _Found:
    """What was found in the first pass through a file."""

    columns: dict[str, _JsonColumn] = field(default_factory=dict)
    lists: dict[str, _ListColumns] = field(default_factory=dict)
    keys: _Keys = field(default_factory=_Keys)
    numbers: list[int] = field(default_factory=list)
    rows: int = 0
    uneven: bool = False

    def take(self, number: int, record: dict[str, Value], faults: FileFaults) -> None:
        members = dict(_flat(record))
        for name, value in members.items():
            kind = _kind_of(value)
            if kind == _DEEP:
                faults.add(text("source.too_deep", limit=DEEPEST), number, name)
            self.columns.setdefault(name, _JsonColumn()).kinds.setdefault(kind, number)
            if kind == _LIST_OF_OBJECTS:
                self.lists.setdefault(name, _ListColumns()).take(number, value)
        self.keys.take(members)
        self.rows += 1
        if self.uneven or number != self.rows:
            self.numbers = self.numbers if self.uneven else list(range(1, self.rows))
            self.uneven = True
            self.numbers.append(number)

    @property
    def schema(self) -> dict[str, pl.DataType]:
        return {name: column.dtype for name, column in self.columns.items() if column.dtype is not None}

    def tables(self, parent: str) -> dict[str, _ListColumns]:
        """Return the lists that become tables beside the one called ``parent``."""
        fit = (
            (name, held)
            for name, held in self.lists.items()
            if self.columns[name].is_table and held.schema and _fits(parent, name, held)
        )
        return dict(islice(fit, MOST_LISTS))


def _parent(found: _Found, file: _File) -> _Parent | None:
    """Return how the rows of lists name their records; None if nothing names them, or there are none."""
    stem, resource = file.path.stem, file.path.name
    key = found.keys.name
    if not found.tables(stem):
        return None
    if key is not None:
        return _Parent(stem, resource, key, found.schema[key], _origin(resource, key))
    row = next((name for name in _ROWS if name not in found.columns), None) if file.in_lines else None
    place = Source(resource=resource, file_property=_LINE_NUMBERS)
    return None if row is None else _Parent(stem, resource, row, pl.Int64(), place)


def _origin(resource: str, name: str) -> Source:
    return Source(resource=resource, json_path=f"$.{name}") if "." in name else Source(resource=resource, column=name)


def _written(found: _Found, file: _File, parent: _Parent | None, scratch: Path) -> tuple[SourceTable, ...]:
    """Return the table of the records and those of their lists, all written in a second reading."""
    schema, path = found.schema, file.path
    numbered = parent is not None and parent.key not in schema
    whole = {**({parent.key: parent.dtype} if parent is not None and numbered else {}), **schema}
    main = Spool(whole, scratch)
    lists = [
        _ListTable(parent, name, held.schema, scratch)
        for name, held in found.tables(path.stem).items()
        if parent is not None
    ]
    for number, record in _records(file, "copy", FileFaults(path.name)):
        members = dict(_flat(record))
        row = [_spelled(members.get(name), dtype) for name, dtype in schema.items()]
        main.take([number, *row] if numbered else row)
        for one in lists:
            key = number if numbered else _spelled(members[one.parent.key], one.parent.dtype)
            one.take(number, key, members.get(one.column))
    kept = main.close()
    lines = (found.numbers.__getitem__ if found.uneven else (1).__add__) if file.in_lines else None
    origins = {name: _origin(path.name, name) for name in schema if "." in name}
    declared = (parent.key,) if parent is not None and numbered else ()
    if parent is not None and numbered:
        origins[parent.key] = parent.source
    table = SourceTable(
        path.stem, kept.frame, kept.rows, path.name, lines, key=declared, required=frozenset(declared), origins=origins
    )
    return (table, *(one.close() for one in lists))


def _said(found: _Found, file: _File, parent: _Parent | None) -> Iterator[Text]:
    name = file.path.name
    if not file.encoding.is_utf8:
        yield text("source.taken.encoding", file=name, encoding=file.encoding.shown)
    nested = [column for column in found.columns if "." in column]
    if nested:
        yield text("source.taken.nested", file=name, columns=", ".join(nested[:5]), count=len(nested))
    tables = found.tables(file.path.stem)
    for column, held in found.columns.items():
        kinds = {kind: line for kind, line in held.kinds.items() if kind != "null"}
        if column in tables and parent is not None:
            yield from _list_said(name, column, tables[column], parent)
        elif held.dtype is None:
            code = "source.taken.list_unnamed" if column in tables else "source.taken.list"
            yield text(code, file=name, column=column)
        elif len(kinds) > 1 and held.dtype == pl.String():
            places = ", ".join(f"{kind}: {line}" for kind, line in kinds.items())
            yield text("source.taken.mixed", file=name, column=column, places=places)


def _list_said(file: str, column: str, held: _ListColumns, parent: _Parent) -> Iterator[Text]:
    table = _table_name(parent.name, column)
    yield text("source.taken.list_table", file=file, column=column, table=table, key=f"{parent.name}.{parent.key}")
    for inner in held.left_out:
        yield text("source.taken.list_inside", file=file, column=f"{column}.{inner}", table=table)


def _records(file: _File, stage: str, faults: FileFaults) -> Numbered:
    """Yield (line or number, object); anything but an object is noted and left out."""
    if not file.in_lines:
        yield from _of_list(file.path, file.encoding, faults)
        return
    with TextIOWrapper(open_watched(file.path, stage, file.on_progress), file.encoding.codec) as stream:
        number = 0
        while line := stream.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE and not line.endswith("\n"):
                faults.add(text("source.long_line", limit=format_bytes(LONGEST_LINE)), number)
                return
            if line.strip():
                yield from _object(_parse(line, number, faults), number, faults)


def _of_list(path: Path, encoding: Encoding, faults: FileFaults) -> Numbered:
    if path.stat().st_size > LARGEST_LIST:
        raise refuse(path.name, text("source.large_json", limit=format_bytes(LARGEST_LIST)))
    whole = _parse(path.read_text(encoding.codec), None, faults)
    if isinstance(whole, list):
        for number, value in enumerate(whole, 1):
            yield from _object(value, number, faults)
    elif whole is not _BROKEN:
        faults.add(text("source.no_json_list"))


def _object(value: Value, number: int, faults: FileFaults) -> Numbered:
    if isinstance(value, dict) and value is not _BROKEN:
        yield number, value
    elif value is not _BROKEN:
        faults.add(text("source.no_object", found=json.dumps(value, ensure_ascii=False)[:60]), number)


_BROKEN: dict[str, Value] = {}


def _parse(content: str, line: int | None, faults: FileFaults) -> Value:
    try:
        return load_strict(content, finite=False)
    except json.JSONDecodeError as error:
        faults.add(text("source.no_json", column=error.colno, reason=error.msg), line or error.lineno)
    except DoubleKeyError as error:
        faults.add(text("source.double_member"), line, error.key[:80])
    except RecursionError:
        faults.add(text("source.too_deep", limit=DEEPEST), line)
    except ValueError as error:  # NaN, Infinity, integers of thousands of digits
        faults.add(text("source.no_json", column=1, reason=str(error)[:80]), line)
    return _BROKEN
