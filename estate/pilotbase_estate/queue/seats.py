"""Seats: room in a pool for work that a process of the base does itself, such as a trial's scorer or a service's boxes.

A seat is a job without work for a backend. It stays in the line as long as its request is repeated. Once it is
admitted, the process doing the work keeps it by signs of life, and gives it back with its usage. A silent seat counts
as lost, and its room is given to others. Nobody is evicted from a seat, so a seat is admitted for good or not at all.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from pilotbase.documents.limits import EndReason
from pilotbase.workspace import leases
from pilotbase.workspace.failures import StaleLeaseError
from pilotbase.workspace.leases import Lease
from pilotbase.workspace.store import View
from pilotbase_estate.backends.backend import AttemptPhase, EndCause, Metered, Status
from pilotbase_estate.queue import rows
from pilotbase_estate.queue.rows import Ending, JobRow, QueueState
from pilotbase_estate.queue.submitting import NO_TIES, JobRequest, submit
from pilotbase_estate.vouchers.relations import Ties

SILENT_SECONDS = 60
"""How long a seat may go without a sign of life."""
ASKED_SECONDS = 20
"""How long a waiting seat stays in the line after its last request: a seat is given only to someone who is there."""


def take_seat(view: View, asking: JobRequest, holder: str, ties: Ties = NO_TIES) -> Lease | None:
    """Request a seat about ``asking.subject``, or look up the earlier request; return its lease once admitted.

    None: it waits. Raises as `submit`.
    """
    job = submit(view, replace(asking, work="", preemptible=False), ties)
    if job.state is not QueueState.RUNNING:
        view.acquire(_asked(job.name), holder, ASKED_SECONDS)
        return None
    with view.reading() as connection:
        left = rows.attempts_of(connection, job.name)[-1].ending is not None
    return None if left else view.acquire(_name(job.name, job.attempt), holder, SILENT_SECONDS)


def keep(view: View, lease: Lease) -> bool:
    """Give a sign of life and return whether the seat may be kept; raises `StaleLeaseError` if another holds it."""
    view.renew(lease)
    job, attempt = _of(lease)
    with view.reading() as connection:
        found = rows.find_job(connection, job)
    return found is not None and found.state is QueueState.RUNNING and found.attempt == attempt


def leave(view: View, lease: Lease, metered: Metered, ending: Ending = Ending.DONE) -> None:
    """Give a seat back with its usage; raises `StaleLeaseError`."""
    job, attempt = _of(lease)
    with view.store.database.write() as connection:
        leases.require(connection, lease)
        if not rows.tell_ending(connection, job, attempt, ending, metered):
            raise StaleLeaseError("workspace.lease_lost", name=lease.name, holder=lease.holder)
        leases.release(connection, lease)


def forgo(view: View, job: str) -> bool:
    """Withdraw the request for a seat that still waits; returns whether it did wait."""
    with view.transaction("compute.cancelled") as change:
        found = rows.find_job(change.connection, job)
        if found is None or not found.is_seat or found.state is not QueueState.WAITING:
            return False
        rows.update_job(change.connection, job, state=QueueState.CANCELLED.value, reason=None, ended_at=change.now)
        change.record("compute.cancelled", [f"compute-job:{job}"])
    return True


def unasked(connection: Connection, pool: str, now: datetime) -> set[str]:
    """Return the names of the seats that wait for a pool without a recent request."""
    waiting = rows.names_waiting(connection, pool, seats=True)
    return {name for name in waiting if not leases.is_running(connection, _asked(name), now)}


def status_of(view: View, job: JobRow, now: datetime) -> tuple[Status, Ending | None]:
    """Return the state of the work on a seat, and how it ended, as reported by the process doing it."""
    with view.reading() as connection:
        attempt = rows.attempts_of(connection, job.name)[-1]
        alive = leases.is_running(connection, _name(job.name, job.attempt), now)
    if attempt.ending is not None:
        box = EndReason.FINISHED if attempt.ending is Ending.DONE else None
        return Status(AttemptPhase.ENDED, EndCause.RAN, box, metered=attempt.metered), attempt.ending
    if not alive and now > attempt.began_at + timedelta(seconds=SILENT_SECONDS):
        return Status(AttemptPhase.ENDED, EndCause.LOST), None
    return Status(AttemptPhase.RUNNING), None


def _asked(job: str) -> str:
    return f"seat:{job}"


def _name(job: str, attempt: int) -> str:
    return f"seat:{job}/{attempt}"


def _of(lease: Lease) -> tuple[str, int]:
    job, _, attempt = lease.name.removeprefix("seat:").rpartition("/")
    return job, int(attempt)
