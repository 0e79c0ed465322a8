"""Moulds: what the real path writes for one record, to be cast many thousands of times with other words.

`take` runs the real steps in a small store and keeps every row that they added, in every table except the log's and the
text index, which is rebuilt from the rows. A `Mould` knows where the words were; `cast` puts others in, and recomputes
digests. So a cast is, row for row, what the real path writes for those words; `bench_hub` checks this (`differences`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, LargeBinary, Table

from pilotbase.workspace import tables
from pilotbase.workspace.store import Store

Words = Mapping[str, str]
Row = tuple[object, ...]
_SEQUENCED = ("sequence",)
_LEFT_OUT = ("log_entries", "log_nodes", "log_checkpoints", "log_payloads", "listing_search")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_CELL, _ROW = "\x01", "\x02"
FILLED: tuple[Table, ...] = tuple(table for table in tables.metadata.sorted_tables if table.name not in _LEFT_OUT)


@dataclass(frozen=True)
class Mould:
    """Rows of one record with gaps for words: ``%(name)s``, and ``%(d0)s`` for the digest of the first document."""

    documents: tuple[tuple[str, str], ...]
    """Gap of the digest, and the document's JSON with gaps, in the order of storing."""
    rows: str
    shapes: tuple[tuple[str, tuple[Callable[[str, int], object], ...]], ...]
    """For each row: its table, and how each of its cells is read."""
    length: int
    """How many positions of the change feed it takes."""

    def cast(self, words: Words, start: int) -> Iterator[tuple[str, Row]]:
        """Yield (table, row) for ``words``, in the order in which foreign keys allow, from position ``start`` on."""
        gaps = dict(words)
        for gap, body in self.documents:
            gaps[gap] = "sha256:" + hashlib.sha256((body % gaps).encode()).hexdigest()
        for (table, readers), line in zip(self.shapes, (self.rows % gaps).split(_ROW), strict=True):
            yield table, tuple([read(cell, start) for read, cell in zip(readers, line.split(_CELL), strict=True)])


def take(store: Store, words: Words, steps: Callable[[], None]) -> Mould:
    """Return the mould of what ``steps`` writes into ``store``; ``words``: gap → the word that is in it now."""
    with store.database.read() as connection:
        before, start = _all(connection), _position(connection)
    steps()
    with store.database.read() as connection:
        after, end = _all(connection), _position(connection)
    added = [(table, row) for table in FILLED for row in after[table.name] if row not in set(before[table.name])]
    bodies = sorted((row for table, row in added if table is tables.documents), key=_sequence_of_document)
    gaps = {word: f"%({gap})s" for gap, word in words.items()}
    documents = []
    for number, row in enumerate(bodies):
        cells = dict(zip(tables.documents.c.keys(), row, strict=True))
        documents.append((f"d{number}", _gapped(bytes(cells["body"]).decode(), gaps)))
        gaps[str(cells["digest"])] = f"%(d{number})s"
    lines = [_gapped(_CELL.join(_spelled(cell) for cell in row), gaps) for _, row in added]
    shapes = tuple((table.name, tuple(_readers(table, row, start))) for table, row in added)
    return Mould(tuple(documents), _ROW.join(lines), shapes, end - start)


def differences(store: Store, mould: Mould, words: Words, steps: Callable[[], None]) -> list[str]:
    """Return in which rows a cast for ``words`` differs from what the real path (``steps``) writes for them."""
    with store.database.read() as connection:
        before, start = _all(connection), _position(connection)
    steps()
    with store.database.read() as connection:
        after = _all(connection)
    real = {(table.name, row) for table in FILLED for row in set(after[table.name]) - set(before[table.name])}
    return [str(one) for one in real ^ set(mould.cast(words, start))]


def _all(connection: Connection) -> dict[str, list[Row]]:
    found = {}
    for table in FILLED:
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        rows = connection.exec_driver_sql(f"SELECT {names} FROM {table.name}")
        found[table.name] = [tuple(row) for row in rows]
    return found


def _position(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT coalesce(max(sequence), 0) FROM changes").scalar_one())


def _sequence_of_document(row: Row) -> int:
    return int(str(row[list(tables.documents.c.keys()).index("sequence")]))


def _gapped(line: str, gaps: Words) -> str:
    line = line.replace("%", "%%")
    for word in sorted(gaps, key=len, reverse=True):
        line = line.replace(word, gaps[word])
    return line


def _spelled(cell: object) -> str:
    return cell.decode() if isinstance(cell, bytes) else "" if cell is None else str(cell)


def _readers(table: Table, row: Row, start: int) -> Iterator[Callable[[str, int], object]]:
    """Yield for each cell of ``row`` how a cast reads it: text, bytes, a number, or a position of the feed."""
    for column, cell in zip(table.columns, row, strict=True):
        if cell is None:
            yield lambda line, position: None
        elif isinstance(column.type, LargeBinary):
            yield lambda line, position: line.encode()
        elif column.name in _SEQUENCED:
            assert isinstance(cell, int)
            yield lambda line, position, ahead=cell - start: position + ahead  # type: ignore[misc]
        elif isinstance(cell, int):
            yield lambda line, position, same=cell: same  # type: ignore[misc]
        else:
            yield lambda line, position: line
