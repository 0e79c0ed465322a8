"""The rows of a store as JSON lines, spelled alike for SQLite and PostgreSQL: what one gave, the other takes.

The first line of a table names its columns; each line after it is one row. Bytes are ``{"b": base64}``; times stand as
the microseconds that the column holds.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, MetaData, Table, func, insert, inspect, select, text

from pilotbase.documents.errors import InvalidProofError
from pilotbase.workspace import tables

COPIES = frozenset({"listing_search"})
"""Tables that only repeat others, and are made anew from them."""
_AT_ONCE = 500


def stored_tables(connection: Connection) -> list[Table]:
    """Return the tables of the store as this database has them, which may be those of an older version, in order."""
    there = set(inspect(connection).get_table_names())
    names = [table.name for table in tables.metadata.sorted_tables if table.name in there - COPIES]
    known = MetaData()
    known.reflect(connection, only=names)
    return [known.tables[name] for name in names]


def dump_rows(connection: Connection, table: Table) -> Iterator[bytes]:
    """Yield the lines of ``table``, in the order of its key."""
    yield _line([column.name for column in table.columns])
    rows = select(table).order_by(*table.primary_key.columns)
    for row in connection.execution_options(yield_per=_AT_ONCE).execute(rows):
        yield _line([_spelled(value) for value in row])


def load_rows(connection: Connection, table: Table, lines: Iterable[bytes]) -> int:
    """Insert the rows that ``lines`` spell into the empty ``table`` and return how many.

    Raises:
        InvalidProofError: they are not rows of this table.
    """
    read = (_read(line, table) for line in lines)
    columns = next(read, [])
    if not columns or set(columns) - set(table.columns.keys()):
        raise InvalidProofError("backup.not_rows", table=table.name)
    count = 0
    while chunk := list(islice(read, _AT_ONCE)):
        if any(len(row) != len(columns) for row in chunk):
            raise InvalidProofError("backup.not_rows", table=table.name)
        connection.execute(insert(table), [dict(zip(columns, map(_value, row), strict=True)) for row in chunk])
        count += len(chunk)
    _go_on_counting(connection, table)
    return count


def _go_on_counting(connection: Connection, table: Table) -> None:
    """Let PostgreSQL number new rows after those that were inserted with their numbers; SQLite does of itself."""
    (key, *more) = table.primary_key.columns
    if connection.dialect.name != "postgresql" or more or not isinstance(key.type, BigInteger | Integer):
        return
    counter = connection.scalar(text("SELECT pg_get_serial_sequence(:t, :c)"), {"t": table.name, "c": key.name})
    newest = connection.scalar(select(func.max(key)))
    if counter is not None and newest is not None:
        connection.execute(text("SELECT setval(:counter, :newest)"), {"counter": counter, "newest": newest})


def _line(values: list[Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _spelled(value: Any) -> Any:
    return {"b": base64.b64encode(value).decode()} if isinstance(value, bytes | memoryview) else value


def _read(line: bytes, table: Table) -> list[Any]:
    try:
        values = json.loads(line)
    except ValueError:
        values = None
    if not isinstance(values, list):
        raise InvalidProofError("backup.not_rows", table=table.name)
    return values


def _value(spelled: Any) -> Any:
    return base64.b64decode(spelled["b"]) if isinstance(spelled, dict) else spelled
