"""The database behind the store: SQLite (WAL) or PostgreSQL, one writer at a time in both.

A write transaction of SQLite begins IMMEDIATE; one of PostgreSQL first takes an advisory lock. So both give the same
guarantees: write transactions run one after the other, data that a transaction reads cannot change under it, and the
numbers of log and change feed have no gaps and appear in order.

Every call of a service checks whether anything has changed since, so the check must cost next to nothing. Every state
change is an entry of the log, so the number of entries shows it. SQLite offers a still cheaper check, whether another
connection has committed at all: ``PRAGMA data_version``, which reads shared memory only (sqlite.org/pragma.html).
"""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.documents.extras import packages_of
from pilotbase.workspace.failures import BusyError, DiskFullError, UnreachableError

BUSY_SECONDS = 30
CONNECTIONS = 40
"""Most connections that one process opens; PostgreSQL has a hundred for all."""
_POOL = {"pool_size": 10, "max_overflow": CONNECTIONS - 10, "pool_timeout": BUSY_SECONDS}
_WRITER_LOCK = 0x70696C6F74
_WRITES = "pilotbase_writes"
_PG_LOCK_TIMEOUT, _PG_DISK_FULL = "55P03", "53100"
SQLITE_FULL = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE", "SQLITE_IOERR_FSYNC")
"""Names of the SQLite errors for a failed write."""
_PG_CUT_OFF = ("08", "57P0", "53300")
"""SQLSTATE of connection failures, of a server that stops, starts or recovers, and of one without free connections."""
_PAGE_COST = 1.1
"""Disks no longer spin. At PostgreSQL's own 4 it reads the whole index of words past its terms (`text_index`)."""
_NEWEST = "SELECT max(number) FROM log_entries"


class Database:
    """Connections to one database, with the pragmas and locks that the store's promises need."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._process = os.getpid()
        self._engine = _sqlite_engine(url) if url.startswith("sqlite") else _postgres_engine(url)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection in the one write transaction; commits at the end, rolls back on any exception.

        Raises:
            BusyError: another writer held the database, or others all connections, for longer than the busy timeout.
            UnreachableError: the database is not there; a commit that was under way may have succeeded or not.
            PilotbaseError: disk full or not writable; nothing was written.
        """
        with self.translated(), self._current_engine().connect() as plain:
            connection = plain.execution_options(**{_WRITES: True})
            is_postgres = connection.dialect.name == "postgresql"
            if is_postgres:
                # A repeatable-read snapshot would be taken before the lock is granted, and so be stale.
                connection = connection.execution_options(isolation_level="READ COMMITTED")
            with connection.begin():
                if is_postgres:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _WRITER_LOCK})
                yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection that sees one state of the database."""
        with self.translated(), self._current_engine().connect() as connection, connection.begin():
            yield connection

    def connect_apart(self) -> Connection:
        """Return a separate connection that keeps no transaction open; the caller closes it."""
        return self._current_engine().connect().execution_options(isolation_level="AUTOCOMMIT")

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @property
    def is_sqlite(self) -> bool:
        return self._engine.dialect.name == "sqlite"

    def _current_engine(self) -> Engine:
        if self._process != os.getpid():
            # Connections inherited by fork belong to the parent: forget them without closing.
            self._engine.dispose(close=False)
            self._process = os.getpid()
        return self._engine

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn driver errors within the block into our own errors."""
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:
            raise _as_failure(error, self.place) from error
        except PoolTimeoutError as error:
            raise BusyError("workspace.busy", path=self.place, seconds=BUSY_SECONDS) from error

    @property
    def place(self) -> str:
        """Where the database is, without a password."""
        return self._engine.url.render_as_string(hide_password=True).removeprefix("sqlite:///")


def machine_failure(error: OSError, path: Path | str) -> PilotbaseError:
    """Return the error that explains to a user what the operating system refused at ``path``."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return DiskFullError("workspace.disk_full", path=path)
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return PilotbaseError("workspace.not_writable", path=path)
    return PilotbaseError("workspace.machine_failed", path=path, reason=error.strerror or str(error))


class Freshness:
    """Reads the number of log entries, over a connection of its own. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._connection: Connection | None = None
        self._version: tuple[int] | None = None
        self._entries = 0

    def entries(self) -> int:
        """Return the number of entries of the log; raises `PilotbaseError` when the database cannot be reached."""
        with self._lock, self._database.translated():
            try:
                return self._read()
            except Exception:
                self._drop()
                raise

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        with self._lock:
            self._drop()

    def _read(self) -> int:
        if self._connection is None or self._process != os.getpid():
            self._connection, self._process, self._version = self._database.connect_apart(), os.getpid(), None
        if self._database.is_sqlite:
            driver: Any = self._connection.connection.driver_connection
            version = driver.execute("PRAGMA data_version").fetchone()
            if version == self._version:
                return self._entries
            self._version = version
            (newest,) = driver.execute(_NEWEST).fetchone()
        else:
            newest = self._connection.exec_driver_sql(_NEWEST).scalar()
        self._entries = 0 if newest is None else int(newest) + 1
        return self._entries

    def _drop(self) -> None:
        if self._connection is not None and self._process == os.getpid():
            self._connection.close()
        self._connection = None


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}, **_POOL)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _postgres_engine(url: str) -> Engine:
    if find_spec("psycopg") is None:
        raise InputError("workspace.no_driver", packages=packages_of("postgres"))
    return create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        isolation_level="REPEATABLE READ",
        pool_pre_ping=True,
        connect_args={"options": f"-c lock_timeout={BUSY_SECONDS}s -c random_page_cost={_PAGE_COST}"},
        **_POOL,
    )


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # we send BEGIN ourselves
    _enter_wal(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _enter_wal(connection: sqlite3.Connection) -> None:
    """If two processes open a new database at once, SQLite refuses one of them without waiting, so wait here."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _as_failure(error: DBAPIError | sqlite3.Error, place: str) -> PilotbaseError:
    cause = error.orig if isinstance(error, DBAPIError) else error
    name = str(getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")) or name == _PG_LOCK_TIMEOUT:
        return BusyError("workspace.busy", path=place, seconds=BUSY_SECONDS)
    if name.startswith(SQLITE_FULL) or name == _PG_DISK_FULL or _index_is_cut_short(cause):
        return DiskFullError("workspace.disk_full", path=place)
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return PilotbaseError("workspace.not_writable", path=place)
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return PilotbaseError("workspace.store_damaged", path=place)
    if _is_cut_off(error, name):
        return UnreachableError("workspace.database_unreachable", path=place, reason=str(cause).strip())
    return PilotbaseError("workspace.database_failed", path=place, reason=str(cause).strip())


def _index_is_cut_short(cause: object) -> bool:
    """FTS5 says in words, under a code of its own, that its tables could not be written."""
    words = str(cause)
    return words.startswith("fts5:") and words.endswith(("disk I/O error", "disk is full"))


def _is_cut_off(error: DBAPIError | sqlite3.Error, state: str) -> bool:
    """Return whether the server was lost or refused the connection, rather than the statement."""
    if not isinstance(error, DBAPIError) or isinstance(error.orig, sqlite3.Error):
        return False
    return (
        error.connection_invalidated
        or state.startswith(_PG_CUT_OFF)
        or (not state and isinstance(error, OperationalError))
    )
