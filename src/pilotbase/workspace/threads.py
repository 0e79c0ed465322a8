"""The present state of threads: to list, count and read, by those who see their subjects.

An actor who sees the subject of a thread now sees the thread; a private one is seen only by its asker and the owner of
the subject. Visitors, who act for no organisation, see none. The thread itself is the document.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, false, func, or_, select, true

from pilotbase.documents.errors import InputError
from pilotbase.workspace import tables
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.columns import set_row
from pilotbase.workspace.listings import MAXIMUM_PAGE, cut_to
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

_rows, _listings = tables.threads.c, tables.listings.c


@dataclass(frozen=True)
class ThreadRow:
    """A thread in lists; ``organisation`` is the asker, ``owner`` owns the subject."""

    identity: str
    subject: str
    organisation: str
    private: bool
    answered: bool
    digest: str
    owner: str


def put_thread(change: Transaction, row: ThreadRow) -> None:
    """Write the row of a thread, as the newest of all."""
    latest = change.connection.scalar(select(func.max(tables.changes.c.sequence))) or 0
    set_row(change.connection, tables.threads, {"identity": row.identity}, {**row.__dict__, "sequence": latest})


def list_threads(
    view: View, subject: str | None = None, after: str | None = None, limit: int = 50
) -> tuple[list[ThreadRow], str | None]:
    """Return threads that ``view`` sees, about ``subject`` or all, latest change first, and where to read on.

    Raises:
        InputError: there is no thread ``after`` for this actor.
    """
    limit = max(1, min(limit, MAXIMUM_PAGE))
    with view.reading() as connection:
        rows = _about(subject, view.actor)
        if after is not None:
            rows = rows.where(_rows.sequence < _sequence_of(connection, view.actor, after))
        found = [_row(row) for row in connection.execute(rows.order_by(_rows.sequence.desc()).limit(limit + 1))]
    return found[:limit], found[limit - 1].identity if len(found) > limit else None


def every_thread(view: View) -> list[ThreadRow]:
    """Return all threads that ``view`` sees."""
    with view.reading() as connection:
        return [_row(row) for row in connection.execute(seen_threads(view.actor))]


def count_threads(view: View, subject: str | None = None) -> int:
    """Return the number of threads that ``view`` sees, about ``subject`` or all."""
    with view.reading() as connection:
        return connection.scalar(select(func.count()).select_from(_about(subject, view.actor).subquery())) or 0


def find_thread(view: View, identity: str) -> ThreadRow | None:
    """Return one thread, or None if the actor sees none."""
    with view.reading() as connection:
        row = connection.execute(seen_threads(view.actor).where(_rows.identity == identity)).first()
    return None if row is None else _row(row)


def seen_threads(actor: Actor) -> Select[Any]:
    """Return the rows of the threads that ``actor`` sees."""
    rows = select(tables.threads).join(tables.listings, _listings.subject == _rows.subject)
    return cut_to(rows, actor).where(_shared_with(actor))


def _shared_with(actor: Actor) -> ColumnElement[bool]:
    if not actor.organisation:
        return false()
    if actor.sees_all:
        return true()
    return or_(_rows.private.is_(False), _rows.organisation == actor.organisation, _rows.owner == actor.organisation)


def _about(subject: str | None, actor: Actor) -> Select[Any]:
    rows = seen_threads(actor)
    return rows if subject is None else rows.where(_rows.subject == subject)


def _sequence_of(connection: Connection, actor: Actor, identity: str) -> int:
    seen = seen_threads(actor).with_only_columns(_rows.sequence).where(_rows.identity == identity)
    sequence = connection.scalar(seen)
    if sequence is None:
        raise InputError("workspace.no_such_page", after=identity)
    return int(sequence)


def _row(row: Any) -> ThreadRow:
    return ThreadRow(**{one.name: getattr(row, one.name) for one in fields(ThreadRow)})
