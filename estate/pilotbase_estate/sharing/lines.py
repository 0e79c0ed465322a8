"""Who waits in an organisation, in order: by time of submission, moved forward for a higher priority.

A job with a priority higher by one goes before those that came up to one ``priority_step`` earlier. So the order never
has to be recomputed, and however many urgent jobs come, after a bounded time none of them goes before a waiting job.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Hashable, Iterator, Set
from heapq import heapify, heappop
from itertools import islice
from typing import NamedTuple

from pilotbase_estate.sharing.jobs import Ask, Pending, QueuedJob


class QueuePosition(NamedTuple):
    """A job's place in the line; smaller goes first."""

    rank: float
    submitted: float
    name: str


class OrganisationQueue:
    """The waiting jobs of one organisation, in lanes of one shape: what one job of a lane lacks, all lack."""

    def __init__(self, step: float) -> None:
        self._step = step
        self._lanes: dict[Hashable, list[QueuePosition]] = {}
        self._heads: list[QueuePosition] = []
        """The first of each lane, in order."""
        self._heads_of: dict[Ask, list[QueuePosition]] = {}
        self._waiting: dict[str, Pending] = {}
        self._newcomers: list[Pending] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, name: object) -> bool:
        return name in self._waiting

    def add(self, pending: Pending) -> None:
        """Add a job."""
        place, lane = self._place(pending.job), self._lanes.setdefault(_shape(pending), [])
        self._waiting[pending.job.name] = pending
        self._newcomers.append(pending)
        if not lane or place < lane[0]:
            if lane:
                self._forget_head(lane[0], pending.job)
            self._note_head(place, pending.job)
        insort(lane, place)

    def remove(self, name: str) -> Pending:
        """Remove a job and return it; raises `KeyError`."""
        pending = self._waiting.pop(name)
        place, shape = self._place(pending.job), _shape(pending)
        lane = self._lanes[shape]
        if place == lane[0]:
            self._forget_head(place, pending.job)
            if len(lane) > 1:
                self._note_head(lane[1], pending.job)
        del lane[bisect_left(lane, place)]
        if not lane:
            del self._lanes[shape]
        return pending

    def newcomers(self) -> list[Pending]:
        """Return what has come since the last call."""
        came, self._newcomers = self._newcomers, []
        return came

    def first(self, most: int) -> Iterator[Pending]:
        """Yield the first of each lane, in order, of ``most`` lanes; restarted after a job was removed."""
        return (self._waiting[place.name] for place in islice(self._heads, most))

    def first_of(self, asks: Set[Ask], most: int) -> Iterator[Pending]:
        """Yield the first of all, and the first of each lane that requests one of ``asks``, in order, as `first`."""
        first, heads = self._heads[0], self._heads_of
        asked = heads.keys() & asks if asks else ()
        there = [place for ask in asked for place in heads[ask][:most] if place is not first]
        yield self._waiting[first.name]
        heapify(there)
        for _ in range(min(len(there), most - 1)):
            yield self._waiting[heappop(there).name]

    def precedes(self, one: QueuedJob, other: QueuedJob) -> bool:
        """Return whether a job goes before another one."""
        return self._place(one) < self._place(other)

    def in_order(self) -> list[Pending]:
        """Return all that wait, in order."""
        return sorted(self._waiting.values(), key=lambda pending: self._place(pending.job))

    def _place(self, job: QueuedJob) -> QueuePosition:
        return QueuePosition(job.submitted - self._step * job.priority, job.submitted, job.name)

    def _note_head(self, place: QueuePosition, job: QueuedJob) -> None:
        insort(self._heads, place)
        insort(self._heads_of.setdefault(job.ask, []), place)

    def _forget_head(self, place: QueuePosition, job: QueuedJob) -> None:
        del self._heads[bisect_left(self._heads, place)]
        heads = self._heads_of[job.ask]
        del heads[bisect_left(heads, place)]
        if not heads:
            del self._heads_of[job.ask]


def _shape(pending: Pending) -> Hashable:
    return pending.job.shape, pending.evictions
