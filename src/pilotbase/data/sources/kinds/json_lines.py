"""JSON Lines, one object a line (.jsonl, .ndjson), and a JSON file that is one list of objects (.json).

Objects inside objects become columns with dotted names. The file is read twice: first for what is wrong, and which
kinds of value each name has in the whole file; then into Parquet.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from pilotbase.data.sources.encodings import Encoding, find_encoding
from pilotbase.data.sources.faults import Faults, check_names, refuse
from pilotbase.data.sources.files import file_object, require_file
from pilotbase.data.sources.flattening import DEEPEST
from pilotbase.data.sources.source import Asked, OpenedSource, SourceTable
from pilotbase.data.sources.spool import spool
from pilotbase.documents.dataset import Source
from pilotbase.documents.quantities import spell_bytes
from pilotbase.documents.texts import Text, text

LONGEST_LINE = 16 << 20
LARGEST_LIST = 256 << 20
"""Bytes of a .json file, which is read at once; lines may go on as long as they like."""
_LINES = (".jsonl", ".ndjson")
_INT64 = range(-(2**63), 2**63)

Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]
Numbered = Iterator[tuple[int, dict[str, Value]]]


class _JsonLines:
    def reads(self, place: str) -> bool:
        return Path(place).suffix.lower() in (*_LINES, ".json")

    def read(self, place: str, asked: Asked, scratch: Path) -> OpenedSource:
        path = Path(place)
        require_file(path)
        encoding = find_encoding(path, asked.encoding)
        in_lines = path.suffix.lower() in _LINES
        faults = Faults(path.name)
        found = _Found()
        for number, record in _records(path, encoding, in_lines, faults):
            found.take(number, record, faults)
        if not found.rows and not faults:
            faults.add(text("source.no_rows_at_all"))
        check_names(list(found.columns), faults, None)
        faults.require_none()
        schema = {name: column.dtype for name, column in found.columns.items() if column.dtype is not None}
        rows = (
            [_spelled(flat.get(name), schema[name]) for name in schema]
            for flat in (dict(_flat(record)) for _, record in _records(path, encoding, in_lines, faults))
        )
        kept = spool(rows, schema, scratch)
        lines = found.numbers.__getitem__ if in_lines and found.uneven else (lambda row: row + 1) if in_lines else None
        nested = {name: Source(resource=path.name, json_path=f"$.{name}") for name in schema if "." in name}
        table = SourceTable(path.stem, kept.frame, kept.rows, path.name, lines, origins=nested)
        media = "application/jsonlines" if in_lines else "application/json"
        return OpenedSource((table,), (file_object(path, media),), tuple(found.said(path.name, encoding)))


READER = _JsonLines()


@dataclass
class _Column:
    """Which kinds of value stand under a name."""

    kinds: dict[str, int] = field(default_factory=dict)
    """Kind → the line where it stands first."""

    @property
    def dtype(self) -> pl.DataType | None:
        """What holds all of them; None for what is no column (lists of objects)."""
        kinds = set(self.kinds) - {"null"}
        if kinds <= {"int"}:
            return pl.Int64() if kinds else pl.String()
        if kinds <= {"int", "float"}:
            return pl.Float64()
        if kinds == {"bool"}:
            return pl.Boolean()
        if any(kind.startswith("list") for kind in kinds):
            return pl.List(pl.String()) if kinds <= {"list", "list of texts"} else None
        return pl.String()


@dataclass
class _Found:
    """What was found on the first way through a file."""

    columns: dict[str, _Column] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)
    rows: int = 0
    uneven: bool = False

    def take(self, number: int, record: dict[str, Value], faults: Faults) -> None:
        for name, value in _flat(record):
            kinds = self.columns.setdefault(name, _Column()).kinds
            kind = _kind(value)
            if kind == "deep":
                faults.add(text("source.too_deep", limit=DEEPEST), number, name)
            kinds.setdefault(kind, number)
        self.rows += 1
        if self.uneven or number != self.rows:
            self.numbers = self.numbers if self.uneven else list(range(1, self.rows))
            self.uneven = True
            self.numbers.append(number)

    def said(self, file: str, encoding: Encoding) -> Iterator[Text]:
        if not encoding.is_utf8:
            yield text("source.taken.encoding", file=file, encoding=encoding.shown)
        nested = [name for name in self.columns if "." in name]
        if nested:
            yield text("source.taken.nested", file=file, columns=", ".join(nested[:5]), count=len(nested))
        for name, column in self.columns.items():
            kinds = {kind: line for kind, line in column.kinds.items() if kind != "null"}
            if column.dtype is None:
                yield text("source.taken.list", file=file, column=name)
            elif len(kinds) > 1 and column.dtype == pl.String():
                places = ", ".join(f"{kind}: {line}" for kind, line in kinds.items())
                yield text("source.taken.mixed", file=file, column=name, places=places)


def _records(path: Path, encoding: Encoding, in_lines: bool, faults: Faults) -> Numbered:
    """Yield (line or number, object); what is no object is noted and left out."""
    if not in_lines:
        yield from _of_list(path, encoding, faults)
        return
    with path.open(encoding=encoding.codec) as stream:
        number = 0
        while line := stream.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE and not line.endswith("\n"):
                faults.add(text("source.long_line", limit=spell_bytes(LONGEST_LINE)), number)
                return
            if line.strip():
                yield from _objects([_parse(line, number, faults)], number, faults)


def _of_list(path: Path, encoding: Encoding, faults: Faults) -> Numbered:
    if path.stat().st_size > LARGEST_LIST:
        raise refuse(path.name, text("source.large_json", limit=spell_bytes(LARGEST_LIST)))
    whole = _parse(path.read_text(encoding.codec), None, faults)
    if isinstance(whole, list):
        for number, value in enumerate(whole, 1):
            yield from _objects([value], number, faults)
    elif whole is not _BROKEN:
        faults.add(text("source.no_json_list"))


def _objects(values: Iterable[Value], number: int, faults: Faults) -> Numbered:
    for value in values:
        if isinstance(value, dict) and value is not _BROKEN:
            yield number, value
        elif value is not _BROKEN:
            faults.add(text("source.no_object", found=json.dumps(value, ensure_ascii=False)[:60]), number)


_BROKEN: dict[str, Value] = {}


def _parse(content: str, line: int | None, faults: Faults) -> Value:
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
    """A name that an object has twice."""


def _members(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _DoubleKeyError(next(name for name in names if names.count(name) > 1))
    return found


def _refuse_constant(name: str) -> Value:
    raise ValueError(f"{name} is no JSON number")


def _flat(record: dict[str, Value], above: str = "", depth: int = 0) -> Iterator[tuple[str, Value]]:
    for name, value in record.items():
        if isinstance(value, dict) and depth < DEEPEST:
            yield from _flat(value, f"{above}{name}.", depth + 1)
        else:
            yield above + name, value


def _kind(value: Value) -> str:
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
        return "list of objects" if kinds & {dict, list} else "list of texts" if kinds else "list"
    return "deep" if isinstance(value, dict) else "text"


def _spelled(value: Value, dtype: pl.DataType) -> object:
    if value is None:
        return None
    if isinstance(dtype, pl.List):
        items = value if isinstance(value, list) else [value]
        return [item if isinstance(item, str) else json.dumps(item, ensure_ascii=False) for item in items]
    if dtype == pl.String():
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return float(value) if dtype == pl.Float64() and isinstance(value, int) else value
