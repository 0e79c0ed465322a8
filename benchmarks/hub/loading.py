"""Insert many rows into a store at once: below the store's own writes, on either database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Protocol

import psycopg

from benchmarks.hub.moulds import FILLED, Row

Rows = Mapping[str, Sequence[Row]]
_COLUMNS = {table.name: ", ".join(f'"{column.name}"' for column in table.columns) for table in FILLED}
_POSITION = "SELECT coalesce(max(sequence), 0) FROM changes"


class Load(Protocol):
    """An open bulk load."""

    def position(self) -> int:
        """Return the newest position of the change feed."""
        ...

    def insert(self, rows: Rows) -> None:
        """Insert rows: table → rows."""
        ...


@contextmanager
def loading(url: str) -> Iterator[Load]:
    """Yield a bulk load into the store at ``url``."""
    if url.startswith("sqlite:///"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
            for pragma in ("journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-1000000"):
                connection.execute(f"PRAGMA {pragma}")
            connection.execute("BEGIN")
            yield _Sqlite(connection)
            connection.execute("COMMIT")
        return
    with psycopg.connect(url) as server:
        server.execute("SET session_replication_role = replica")  # the construction guarantees foreign keys
        yield _Postgres(server)
        server.execute("SELECT setval(pg_get_serial_sequence('changes', 'sequence'), max(sequence)) FROM changes")


def settle(url: str) -> None:
    """Do for PostgreSQL what its autovacuum would do within minutes; SQLite needs nothing of the kind."""
    if not url.startswith("sqlite:///"):
        with psycopg.connect(url, autocommit=True) as server:
            server.execute("VACUUM ANALYZE")


class _Sqlite:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def position(self) -> int:
        return int(self._connection.execute(_POSITION).fetchone()[0])

    def insert(self, rows: Rows) -> None:
        for table, columns in _COLUMNS.items():
            if several := rows.get(table):
                gaps = ", ".join("?" * len(several[0]))
                self._connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({gaps})", several)


class _Postgres:
    def __init__(self, server: psycopg.Connection[Row]) -> None:
        self._server = server

    def position(self) -> int:
        found = self._server.execute(_POSITION).fetchone()
        assert found is not None
        return int(str(found[0]))

    def insert(self, rows: Rows) -> None:
        for table, columns in _COLUMNS.items():
            if several := rows.get(table):
                with self._server.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                    for row in several:
                        copy.write_row(row)
