"""JSON Lines, one object a line (.jsonl, .ndjson), and a JSON file that is one list of objects (.json).

Objects inside objects become columns with dotted names, lists of objects tables of their own. The file is read twice:
first for errors and the kinds of value of each name in the whole file; then into Parquet.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import polars as pl

from pilotbase.data.sources.faults import DEEPEST, FileFaults, check_names, refuse
from pilotbase.data.sources.json_tables import (
    DEEP,
    LIST_OF_OBJECTS,
    MOST_LISTS,
    JsonColumn,
    Keys,
    ListColumns,
    ListTable,
    Parent,
    Value,
    fits,
    flat,
    kind_of,
    line_column,
    spelled,
    table_name,
)
from pilotbase.data.sources.source import OpenedSource, ReadOptions, SourceTable, file_object, require_file
from pilotbase.data.sources.spool import Spool
from pilotbase.data.sources.text_files import Encoding, find_encoding
from pilotbase.documents.dataset import Source
from pilotbase.documents.quantities import format_bytes
from pilotbase.documents.texts import Text, text

LONGEST_LINE = 16 << 20
LARGEST_LIST = 256 << 20
"""Bytes of a .json file, which is read at once; files of lines have no limit."""
_LINES = (".jsonl", ".ndjson")
_LINE_NUMBERS = "lineNumbers"
"""The file property of Croissant for the line of a record."""

Numbered = Iterator[tuple[int, dict[str, Value]]]


def read(place: str, asked: ReadOptions, scratch: Path) -> OpenedSource:
    """Return the tables in ``place``; see `pilotbase.data.sources.source.Read`."""
    path = Path(place)
    require_file(path)
    file = _File(path, find_encoding(path, asked.encoding), path.suffix.lower() in _LINES)
    faults = FileFaults(path.name)
    found = _Found()
    for number, record in _records(file, faults):
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
    files = (file_object(path, media, asked.quick),)
    return OpenedSource(tables, files, tuple(_said(found, file, parent)), led=True)


@dataclass(frozen=True)
class _File:
    path: Path
    encoding: Encoding
    in_lines: bool


@dataclass
class _Found:
    """What was found in the first pass through a file."""

    columns: dict[str, JsonColumn] = field(default_factory=dict)
    lists: dict[str, ListColumns] = field(default_factory=dict)
    keys: Keys = field(default_factory=Keys)
    numbers: list[int] = field(default_factory=list)
    rows: int = 0
    uneven: bool = False

    def take(self, number: int, record: dict[str, Value], faults: FileFaults) -> None:
        members = dict(flat(record))
        for name, value in members.items():
            kind = kind_of(value)
            if kind == DEEP:
                faults.add(text("source.too_deep", limit=DEEPEST), number, name)
            self.columns.setdefault(name, JsonColumn()).kinds.setdefault(kind, number)
            if kind == LIST_OF_OBJECTS:
                self.lists.setdefault(name, ListColumns()).take(number, value)
        self.keys.take(members)
        self.rows += 1
        if self.uneven or number != self.rows:
            self.numbers = self.numbers if self.uneven else list(range(1, self.rows))
            self.uneven = True
            self.numbers.append(number)

    @property
    def schema(self) -> dict[str, pl.DataType]:
        return {name: column.dtype for name, column in self.columns.items() if column.dtype is not None}

    def tables(self, parent: str) -> dict[str, ListColumns]:
        """Return the lists that become tables beside the one called ``parent``."""
        fit = (
            (name, held)
            for name, held in self.lists.items()
            if self.columns[name].is_table and held.schema and fits(parent, name, held)
        )
        return dict(islice(fit, MOST_LISTS))


def _parent(found: _Found, file: _File) -> Parent | None:
    """Return how the rows of lists name their records; None if nothing names them, or there are none."""
    stem, resource = file.path.stem, file.path.name
    key = found.keys.name
    if not found.tables(stem):
        return None
    if key is not None:
        return Parent(stem, resource, key, found.schema[key], _origin(resource, key))
    row = line_column(found.columns) if file.in_lines else None
    return (
        Parent(stem, resource, row, pl.Int64(), Source(resource=resource, file_property=_LINE_NUMBERS)) if row else None
    )


def _origin(resource: str, name: str) -> Source:
    return Source(resource=resource, json_path=f"$.{name}") if "." in name else Source(resource=resource, column=name)


def _written(found: _Found, file: _File, parent: Parent | None, scratch: Path) -> tuple[SourceTable, ...]:
    """Return the table of the records and those of their lists, all written in a second reading."""
    schema, path = found.schema, file.path
    numbered = parent is not None and parent.key not in schema
    whole = {**({parent.key: parent.dtype} if parent is not None and numbered else {}), **schema}
    main = Spool(whole, scratch)
    lists = (
        [
            ListTable(parent, name, held.schema, scratch)
            for name, held in found.tables(path.stem).items()
            if parent is not None
        ]
        if parent is not None
        else []
    )
    for number, record in _records(file, FileFaults(path.name)):
        members = dict(flat(record))
        row = [spelled(members.get(name), dtype) for name, dtype in schema.items()]
        main.take([number, *row] if numbered else row)
        for one in lists:
            key = number if numbered else spelled(members[one.parent.key], one.parent.dtype)
            one.take(number, key, members.get(one.column))
    kept = main.close()
    lines = (
        found.numbers.__getitem__
        if file.in_lines and found.uneven
        else (lambda row: row + 1)
        if file.in_lines
        else None
    )
    origins = {name: _origin(path.name, name) for name in schema if "." in name}
    declared = (parent.key,) if parent is not None and numbered else ()
    if parent is not None and numbered:
        origins[parent.key] = parent.source
    table = SourceTable(
        path.stem, kept.frame, kept.rows, path.name, lines, key=declared, required=frozenset(declared), origins=origins
    )
    return (table, *(one.close() for one in lists))


def _said(found: _Found, file: _File, parent: Parent | None) -> Iterator[Text]:
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


def _list_said(file: str, column: str, held: ListColumns, parent: Parent) -> Iterator[Text]:
    table = table_name(parent.name, column)
    yield text("source.taken.list_table", file=file, column=column, table=table, key=f"{parent.name}.{parent.key}")
    for inner in held.left_out:
        yield text("source.taken.list_inside", file=file, column=f"{column}.{inner}", table=table)


def _records(file: _File, faults: FileFaults) -> Numbered:
    """Yield (line or number, object); anything but an object is noted and left out."""
    if not file.in_lines:
        yield from _of_list(file.path, file.encoding, faults)
        return
    with file.path.open(encoding=file.encoding.codec) as stream:
        number = 0
        while line := stream.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE and not line.endswith("\n"):
                faults.add(text("source.long_line", limit=format_bytes(LONGEST_LINE)), number)
                return
            if line.strip():
                yield from _objects([_parse(line, number, faults)], number, faults)


def _of_list(path: Path, encoding: Encoding, faults: FileFaults) -> Numbered:
    if path.stat().st_size > LARGEST_LIST:
        raise refuse(path.name, text("source.large_json", limit=format_bytes(LARGEST_LIST)))
    whole = _parse(path.read_text(encoding.codec), None, faults)
    if isinstance(whole, list):
        for number, value in enumerate(whole, 1):
            yield from _objects([value], number, faults)
    elif whole is not _BROKEN:
        faults.add(text("source.no_json_list"))


def _objects(values: Iterable[Value], number: int, faults: FileFaults) -> Numbered:
    for value in values:
        if isinstance(value, dict) and value is not _BROKEN:
            yield number, value
        elif value is not _BROKEN:
            faults.add(text("source.no_object", found=json.dumps(value, ensure_ascii=False)[:60]), number)


_BROKEN: dict[str, Value] = {}


def _parse(content: str, line: int | None, faults: FileFaults) -> Value:
    try:
        value: Value = json.loads(content, object_pairs_hook=_members, parse_constant=_refuse_constant)
        return value
    except json.JSONDecodeError as error:
        faults.add(text("source.no_json", column=error.colno, reason=error.msg), line or error.lineno)
    except _DoubleKeyError as error:
        faults.add(text("source.double_member"), line, str(error.args[0])[:80])
    except RecursionError:
        faults.add(text("source.too_deep", limit=DEEPEST), line)
    except ValueError as error:  # NaN, Infinity, integers of thousands of digits
        faults.add(text("source.no_json", column=1, reason=str(error)[:80]), line)
    return _BROKEN


class _DoubleKeyError(Exception):
    """A name that occurs twice in an object."""


def _members(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _DoubleKeyError(next(name for name in names if names.count(name) > 1))
    return found


def _refuse_constant(name: str) -> Value:
    raise ValueError(f"{name} is no JSON number")
