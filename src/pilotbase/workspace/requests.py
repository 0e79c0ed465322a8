"""Requests that were done: what each came to, written with its act, so that it happens once however often it is sent.

An answer may be lost after its act was written: the process is killed, or the line is cut. Whoever sends the request
again then finds here what it came to. Acts whose own document names the request, as a step of a record does, need no
row.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from pilotbase.workspace import tables
from pilotbase.workspace.failures import ConflictError

KEPT = timedelta(days=1)
"""How long a request is known again."""
_rows = tables.requests.c


def outcome_of(connection: Connection, request: str, now: datetime) -> str | None:
    """Return what a request came to: a digest or a name, as its act says; None where it was not done."""
    return connection.scalar(select(_rows.outcome).where(_rows.request == request, _rows.done_at > now - KEPT))


def keep_outcome(connection: Connection, request: str, outcome: str, now: datetime) -> None:
    """Write what a request came to, and forget those that are too old.

    Raises:
        ConflictError: it was done before; who sends it again is told what it came to.
    """
    connection.execute(delete(tables.requests).where(_rows.done_at <= now - KEPT))
    if outcome_of(connection, request, now) is not None:
        raise ConflictError("workspace.request_done")
    connection.execute(insert(tables.requests).values(request=request, outcome=outcome, done_at=now))
