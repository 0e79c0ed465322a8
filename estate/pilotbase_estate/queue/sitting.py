"""One seat as its holder sees it: where it is requested, kept by signs of life, requested again when lost.

Safe to share between threads. Nothing here blocks: to wait, call `SeatHolder.tend` again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from pilotbase.worker.providers import OwnWork
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.failures import StaleLeaseError
from pilotbase.workspace.leases import Lease
from pilotbase.workspace.store import View
from pilotbase_estate.backends.backend import Metered
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.resources import MILLI, Resources
from pilotbase_estate.documents.vocabularies import JobKind
from pilotbase_estate.queue import seats
from pilotbase_estate.queue.pools import pools
from pilotbase_estate.queue.rows import Ending
from pilotbase_estate.queue.submitting import JobRequest


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


KEEP_SECONDS = seats.SILENT_SECONDS / 4
_LAST_PART, _LAST_SECONDS = 0.1, 1.5 * seats.SILENT_SECONDS


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

        Raises as `seats.take_seat` if the request could never be met.
        """
        with self._lock:
            if self._held is not None and self._is_kept(self._held):
                return None
            place = self._place()
            if place is None:
                return None
            lease = seats.take_seat(place.view, place.asking, self._name)
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
                seats.leave(held.place.view, held.lease, metered, ending)

    def _is_kept(self, held: _Held) -> bool:
        """Give a sign of life if one is due, and return whether the seat is ours; an unneeded one is given back."""
        now = held.place.view.store.clock()
        if timedelta(0) <= now - held.heard < timedelta(seconds=KEEP_SECONDS):
            return True
        if self._place() is None:
            self.leave(Metered())
            return False
        try:
            kept = seats.keep(held.place.view, held.lease)
        except StaleLeaseError:
            kept = False
        held.heard = now
        if not kept:
            self._held = None
        return kept
