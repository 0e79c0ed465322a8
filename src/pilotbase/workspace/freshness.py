"""Has anything been changed since? Asked at every call of a service, so it must cost next to nothing.

Every state change is an entry of the log, so the number of entries tells. SQLite says still cheaper whether another
connection has committed at all: ``PRAGMA data_version``, which reads shared memory only (sqlite.org/pragma.html).
"""

from __future__ import annotations

import os
import threading
from typing import Any

from sqlalchemy import Connection

from pilotbase.workspace.engine import Database

_NEWEST = "SELECT max(number) FROM log_entries"


class Freshness:
    """Reads how far the log has come, over a connection of its own. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._connection: Connection | None = None
        self._version: tuple[int] | None = None
        self._entries = 0

    def entries(self) -> int:
        """Return the number of entries of the log; raises `PilotbaseError` when the database cannot be asked."""
        with self._lock, self._database.translated():
            try:
                return self._read()
            except Exception:
                self._drop()
                raise

    def close(self) -> None:
        """Close the connection; the next question opens another."""
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
