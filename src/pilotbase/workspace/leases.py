"""Fenced leases: one holder at a time, and a holder that was replaced cannot write any more.

Safety never depends on the clock: every change of holder raises the token, and a write names its token. The clock only
decides when a silent holder may be replaced. A clock that jumps back makes nobody wait longer than the lease lasts: the
first to notice restarts the lease at the new time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from pilotbase.workspace import tables
from pilotbase.workspace.failures import StaleLeaseError

_leases = tables.leases.c


@dataclass(frozen=True)
class Lease:
    """The right to act on ``name``, proven by ``token``."""

    name: str
    holder: str
    token: int
    seconds: int


def acquire(connection: Connection, name: str, holder: str, seconds: int, now: datetime) -> Lease | None:
    """Return a lease of ``seconds`` on ``name``, or None while another holder's is running.

    Called again by the running holder, it gives a new token: the holder may be a new process of the same name.
    """
    row = connection.execute(select(tables.leases).where(_leases.name == name)).one_or_none()
    if row is None:
        connection.execute(
            insert(tables.leases).values(name=name, holder=holder, token=1, seconds=seconds, renewed_at=now)
        )
        return Lease(name, holder, 1, seconds)
    if row.renewed_at is not None and row.holder != holder:
        if now < row.renewed_at:
            connection.execute(update(tables.leases).where(_leases.name == name).values(renewed_at=now))
            return None
        if now < row.renewed_at + timedelta(seconds=row.seconds):
            return None
    token = row.token + 1
    changed = {"holder": holder, "token": token, "seconds": seconds, "renewed_at": now}
    connection.execute(update(tables.leases).where(_leases.name == name).values(changed))
    return Lease(name, holder, token, seconds)


def renew(connection: Connection, lease: Lease, now: datetime) -> None:
    """Let ``lease`` run from ``now`` again; raises `StaleLeaseError`."""
    _update(connection, lease, now)


def release(connection: Connection, lease: Lease) -> None:
    """End ``lease``; raises `StaleLeaseError` when it was no longer held."""
    _update(connection, lease, None)


def require(connection: Connection, lease: Lease) -> None:
    """Return if nobody has taken over since ``lease`` was given; raises `StaleLeaseError`.

    An expired lease that nobody took still counts: its work is still the only one.
    """
    held = select(_leases.token).where(_leases.name == lease.name, _leases.renewed_at.is_not(None))
    if connection.scalar(held) != lease.token:
        raise StaleLeaseError("workspace.lease_lost", name=lease.name, holder=lease.holder)


def is_running(connection: Connection, name: str, now: datetime) -> bool:
    """Return whether somebody holds ``name`` and has given a sign of life in time."""
    row = connection.execute(select(tables.leases).where(_leases.name == name)).one_or_none()
    return row is not None and row.renewed_at is not None and now < row.renewed_at + timedelta(seconds=row.seconds)


def _update(connection: Connection, lease: Lease, renewed_at: datetime | None) -> None:
    require(connection, lease)
    connection.execute(update(tables.leases).where(_leases.name == lease.name).values(renewed_at=renewed_at))
