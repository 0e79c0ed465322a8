"""The one queue of the store: jobs, mails and messages are rows of a lane, claimed by a fenced lease.

    queued ──▶ running ──▶ done | failed | cancelled
       ▲          │
       └──────────┘ put back, at once or after a delay

A claim finds the first row of its lane through the index, regardless of how many wait. A row whose worker is silent
comes before a new one. A queued row can be claimed, and a running one taken over, from ``ready_at`` on; an ended row
has none. Each claim raises the row's token, and each write by a worker names it, so a replaced worker cannot write
any more. Safety never depends on the clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, literal, or_, select, update

from pilotbase.documents.hashes import canonical_json
from pilotbase.documents.texts import Text
from pilotbase.workspace import tables
from pilotbase.workspace.columns import UtcMoment
from pilotbase.workspace.failures import StaleLeaseError

_rows = tables.work.c
_first = tables.work.alias("first")
OPEN = _rows.ready_at.is_not(None)


class WorkState(StrEnum):
    """The state of a row; names: text ``job.state.<value>``."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class WorkRequest:
    """Work to do, and for whom. At most one row per lane, kind and key is open at a time."""

    lane: str
    kind: str
    key: str
    payload: Mapping[str, str]
    organisation: str = ""
    person: str = ""


@dataclass(frozen=True)
class Holder:
    """A worker that claims: its name, and the seconds of silence after which another can take over."""

    name: str
    seconds: int


@dataclass(frozen=True)
class WorkLease:
    """The right to write to one row, proven by ``token``."""

    identity: int
    token: int
    tries: int
    """Number of claims of the row, including this one."""
    holder: Holder


@dataclass(frozen=True)
class Retry:
    """The one retry rule: after each delay in seconds, then never, or ``forever`` with the last delay."""

    delays: tuple[int, ...]
    forever: bool = False

    def after(self, tries: int) -> timedelta | None:
        """Return how long to wait after ``tries`` tries; None: give up."""
        if tries > len(self.delays) and not self.forever:
            return None
        return timedelta(seconds=self.delays[min(tries, len(self.delays)) - 1])


def put(connection: Connection, order: WorkRequest, now: datetime, ready_at: datetime | None = None) -> int:
    """Queue work from ``ready_at`` on and return its number; work that is already open is not queued twice."""
    same = (_rows.lane == order.lane, _rows.kind == order.kind, _rows.key == order.key)
    known = connection.scalar(select(_rows.identity).where(*same, OPEN, ~_rows.stopping))
    if known is not None:
        return int(known)
    before = connection.scalar(select(func.max(_rows.attempt)).where(*same)) or 0
    values = {
        **{name: getattr(order, name) for name in ("lane", "kind", "key", "organisation", "person")},
        "payload": canonical_json(dict(order.payload)),
        "state": WorkState.QUEUED.value,
        "ready_at": ready_at or now,
        "attempt": before + 1,
        "queued_at": now,
    }
    key = connection.execute(insert(tables.work).values(values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def claim(
    connection: Connection, lane: str, holder: Holder, now: datetime, longest: int = 0
) -> tuple[Row[Any], WorkLease] | None:
    """Return the next row of ``lane`` with the right to write to it, or None.

    A holder resumes its own rows at once. ``longest``: the longest delay in seconds of rows in this lane; a row that is
    due later was queued before the clock was set back, so it is due now.
    """
    _restart(connection, lane, now)
    first, latest = _first.c, now + timedelta(seconds=longest)
    silent = _first_of(first.identity, lane, WorkState.RUNNING, or_(first.holder == holder.name, first.ready_at <= now))
    queued = _first_of(first.identity, lane, WorkState.QUEUED)
    taken = {
        "state": WorkState.RUNNING.value,
        "ready_at": now + timedelta(seconds=holder.seconds),
        "beat_at": now,
        "started_at": func.coalesce(_rows.started_at, literal(now, UtcMoment)),
        "tries": _rows.tries + 1,
        "token": _rows.token + 1,
        "holder": holder.name,
    }
    due = or_(_rows.ready_at <= now, _rows.ready_at > latest)
    for next_one in ((_rows.identity == silent,), (_rows.identity == queued, due)):
        row = connection.execute(update(tables.work).where(*next_one).values(taken).returning(*tables.work.c)).first()
        if row is not None:
            return row, WorkLease(row.identity, row.token, row.tries, holder)
    return None


def beat(connection: Connection, held: WorkLease, now: datetime, **values: object) -> Row[Any]:
    """Renew the lease, write ``values`` and return the row; raises `StaleLeaseError` for a replaced lease."""
    alive = {"beat_at": now, "ready_at": now + timedelta(seconds=held.holder.seconds)}
    return _write(connection, held, alive | values)


def end(connection: Connection, held: WorkLease, state: WorkState, reason: Text | None, now: datetime) -> None:
    """End a row; raises `StaleLeaseError` as `beat`."""
    ended = {"state": state.value, "ready_at": None, "ended_at": now, "progress": None}
    _write(connection, held, ended | _because(reason))


def put_back(connection: Connection, held: WorkLease, reason: Text | None, ready_at: datetime) -> None:
    """Queue a row again from ``ready_at`` on; raises `StaleLeaseError` as `beat`."""
    waits = {"state": WorkState.QUEUED.value, "ready_at": ready_at, "holder": "", "progress": None}
    _write(connection, held, waits | _because(reason))


def fail(connection: Connection, held: WorkLease, reason: Text | None, retry: Retry, now: datetime) -> WorkState:
    """Put a row back as ``retry`` says, or end it as failed; return its state; raises as `beat`."""
    delay = retry.after(held.tries)
    if delay is None:
        end(connection, held, WorkState.FAILED, reason, now)
        return WorkState.FAILED
    put_back(connection, held, reason, now + delay)
    return WorkState.QUEUED


def drop(connection: Connection, held: WorkLease) -> None:
    """Remove a finished row that nothing needs to show; raises `StaleLeaseError` as `beat`."""
    if connection.execute(delete(tables.work).where(*_own(held))).rowcount == 0:
        raise _stale(held)


def last_in(connection: Connection, lane: str, now: datetime) -> datetime:
    """Return a moment not before any in a lane, so that a clock that was set back moves nothing to the front."""
    waiting = select(func.max(_rows.ready_at)).where(_rows.lane == lane, _rows.state == WorkState.QUEUED.value, OPEN)
    newest: datetime | None = connection.scalar(waiting)
    return now if newest is None or newest < now else newest + timedelta(microseconds=1)


def cancel(connection: Connection, reason: Text | None, now: datetime, *where: ColumnElement[bool]) -> None:
    """End the queued ones of the rows ``where``."""
    ended = {"state": WorkState.CANCELLED.value, "ready_at": None, "ended_at": now, **_because(reason)}
    connection.execute(update(tables.work).where(_rows.state == WorkState.QUEUED.value, *where).values(ended))


def queue_again(connection: Connection, now: datetime, *where: ColumnElement[bool]) -> int:
    """Queue the rows ``where`` again, starting with the first try; return how many there are."""
    values = {"state": WorkState.QUEUED.value, "ready_at": now, "tries": 0, "reason": None, "ended_at": None}
    return connection.execute(update(tables.work).where(*where).values(values)).rowcount


def waits(lane: str | ColumnElement[str], now: datetime, longest: int) -> ColumnElement[bool]:
    """Return the condition that `claim` would find a row in ``lane``: two index look-ups."""
    silent, queued = (_first_of(_first.c.ready_at, lane, state) for state in (WorkState.RUNNING, WorkState.QUEUED))
    return or_(silent <= now, queued <= now, queued > now + timedelta(seconds=longest))


def _first_of(
    column: ColumnElement[Any], lane: str | ColumnElement[str], state: WorkState, *where: ColumnElement[bool]
) -> Any:
    """Return a column of the first row, found through the index; running rows, which ``where`` may limit, are few."""
    rows = _first.c
    found = select(column).where(rows.lane == lane, rows.state == state.value, rows.ready_at.is_not(None), *where)
    return found.order_by(rows.ready_at, rows.identity).limit(1).scalar_subquery()


def _restart(connection: Connection, lane: str, now: datetime) -> None:
    """Restart leases from before the clock was set back, so that nobody waits longer than one lease."""
    ahead = (_rows.lane == lane, _rows.state == WorkState.RUNNING.value, OPEN, _rows.beat_at > now)
    for row in connection.execute(select(_rows.identity, _rows.ready_at, _rows.beat_at).where(*ahead)).all():
        again = {"ready_at": now + (row.ready_at - row.beat_at), "beat_at": now}
        connection.execute(update(tables.work).where(_rows.identity == row.identity).values(again))


def _write(connection: Connection, held: WorkLease, values: Mapping[str, object]) -> Row[Any]:
    changed = update(tables.work).where(*_own(held)).values(dict(values)).returning(*tables.work.c)
    row = connection.execute(changed).first()
    if row is None:
        raise _stale(held)
    return row


def _own(held: WorkLease) -> tuple[ColumnElement[bool], ...]:
    return (_rows.identity == held.identity, _rows.token == held.token, _rows.state == WorkState.RUNNING.value)


def _stale(held: WorkLease) -> StaleLeaseError:
    return StaleLeaseError("workspace.lease_lost", name=f"work:{held.identity}", holder=held.holder.name)


def _because(reason: Text | None) -> dict[str, Any]:
    return {} if reason is None else {"reason": canonical_json(reason.model_dump())}
