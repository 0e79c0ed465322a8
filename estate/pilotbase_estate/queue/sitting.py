"""One seat as its holder sees it: where it is requested, kept by signs of life, requested again when lost.

Safe to share between threads. Nothing here blocks: to wait, call `SeatHolder.tend` again.

Seats: room in a pool for work that a process of the base does itself, such as a trial's scorer or a service's boxes.

A seat is a job without work for a backend. It stays in the line as long as its request is repeated. Once it is
admitted, the process doing the work keeps it by signs of life, and gives it back with its usage. A silent seat counts
as lost, and its room is given to others. Nobody is evicted from a seat, so a seat is admitted for good or not at all.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from pilotbase.documents.limits import EndReason
from pilotbase.worker.providers import OwnWork
from pilotbase.workspace import leases
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.failures import StaleLeaseError
from pilotbase.workspace.leases import Lease
from pilotbase.workspace.store import View
from pilotbase_estate.backends.backend import AttemptPhase, EndCause, Metered, Status
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.resources import MILLI, Resources
from pilotbase_estate.documents.vocabularies import JobKind
from pilotbase_estate.queue import rows
from pilotbase_estate.queue.pools import pools
from pilotbase_estate.queue.rows import Ending, JobRow, QueueState
from pilotbase_estate.queue.submitting import NO_TIES, JobRequest, submit
from pilotbase_estate.vouchers.rules import Ties

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


@dataclass(frozen=True)
class SeatRequest:
    """Where to request a seat: ``view`` is that of the organisation whose quota it counts against."""

    view: View
    asking: JobRequest


def place_for(view: View, work: OwnWork) -> SeatRequest | None:
    """Return where to request a seat, as the operator ``view``; None: no pool seats such work.

    Of the pools that do, the first by name in which the organisation has a quota; otherwise the first, on the base's
    own quota.
    """
    found = [(pool, needs) for pool in pools(view) if (needs := _needs(pool, work.kind)) is not None]
    if not found:
        return None
    own = view.actor.organisation
    ranked = [
        (pool, needs, organisation)
        for organisation in (work.organisation, own)
        for pool, needs in found
        if any(quota.organisation == organisation for quota in pool.quotas)
    ]
    pool, needs, organisation = ranked[0] if ranked else (*found[0], own)
    return SeatRequest(view.as_actor(Actor(organisation, frozenset())), _asking(pool, needs, work))


def _needs(pool: Pool, kind: str) -> Resources | None:
    """Return what the operator has set as the need of a box for such work; None: such work takes no seat here."""
    if pool.seats is None:
        return None
    return pool.seats.trials if kind == "trial" else pool.seats.services


def _asking(pool: Pool, needs: Resources, work: OwnWork) -> JobRequest:
    limits = {"cpu": work.threads() * MILLI, "memory": work.memory_bytes}
    known = {name: amount for name, amount in limits.items() if name in pool.capacity}
    longest = float(pool.longest_job)
    return JobRequest(
        pool.name,
        Resources.of({**known, **needs.vector}),
        longest if work.seconds is None else min(work.seconds, longest),
        kind=JobKind(work.kind),
        members=work.boxes,
        subject=work.subject,
    )


KEEP_SECONDS = SILENT_SECONDS / 4
_LAST_PART, _LAST_SECONDS = 0.1, 1.5 * SILENT_SECONDS


@dataclass
class _Held:
    place: SeatRequest
    lease: Lease
    since: datetime
    heard: datetime


class SeatHolder:
    """Holds one seat under ``name``; ``place`` says where to request it now, None: none is needed."""

    def __init__(self, place: Callable[[], SeatRequest | None], name: str) -> None:
        self._place, self._name = place, name
        self._lock = threading.RLock()
        self._held: _Held | None = None

    @property
    def holds_one(self) -> bool:
        """Return whether there is a seat, or none is needed."""
        return self._held is not None

    @property
    def is_nearly_over(self) -> bool:
        """Return whether the seat's requested time has nearly run out: it is then given up and requested again."""
        held = self._held
        if held is None:
            return False
        whole = held.place.asking.max_seconds
        over = whole - min(_LAST_SECONDS, whole * _LAST_PART)
        return (held.place.view.store.clock() - held.since).total_seconds() > over

    def tend(self) -> SeatRequest | None:
        """Return the place where the seat still waits; None: the seat is there, or none is needed.

        Raises as `take_seat` if the request could never be met.
        """
        with self._lock:
            if self._held is not None and self._is_kept(self._held):
                return None
            place = self._place()
            if place is None:
                return None
            lease = take_seat(place.view, place.asking, self._name)
            if lease is None:
                return place
            now = place.view.store.clock()
            self._held = _Held(place, lease, now, now)
            return None

    def leave(self, metered: Metered, ending: Ending = Ending.DONE) -> None:
        """Give the seat back, if there is one, with its usage."""
        with self._lock:
            held, self._held = self._held, None
        if held is not None:
            with suppress(StaleLeaseError):  # it was lost before
                leave(held.place.view, held.lease, metered, ending)

    def _is_kept(self, held: _Held) -> bool:
        """Give a sign of life if one is due, and return whether the seat is ours; an unneeded one is given back."""
        now = held.place.view.store.clock()
        if timedelta(0) <= now - held.heard < timedelta(seconds=KEEP_SECONDS):
            return True
        if self._place() is None:
            self.leave(Metered())
            return False
        try:
            kept = keep(held.place.view, held.lease)
        except StaleLeaseError:
            kept = False
        held.heard = now
        if not kept:
            self._held = None
        return kept
