"""Queueing orders of peers, for comparison: first come first served, and dominant resource fairness."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from pilotbase_estate.documents.resources import Vector, dominant_share, minus, plus, total
from pilotbase_estate.placing.fleet import Fleet, NodeDemand, Spot, read_ask
from pilotbase_estate.placing.policies import FirstFitPolicy, Placement
from pilotbase_estate.replay.simulating import SchedulerActions
from pilotbase_estate.replay.traces import TraceJob


class SeatMap:
    """The fleet, and which spots each running job has."""

    def __init__(self, nodes: Mapping[str, Vector], placement: Placement) -> None:
        self.fleet, self._placement = Fleet.of(nodes), placement
        self._empty = Fleet.of(nodes)
        self._asks: dict[int, tuple[NodeDemand, int]] = {}
        self._spots: dict[int, tuple[Spot, ...]] = {}

    def admit(self, number: int, job: TraceJob) -> bool:
        """Parse a job's request and return whether the empty fleet could hold it.

        Members are identical, so any placement finds room for the same number; the fleet's own placement may have a
        memory.
        """
        ask = read_ask(job.demand)
        self._asks[number] = ask, job.members
        spots = place_gang(self._empty, FirstFitPolicy(), ask, job.members)
        release_gang(self._empty, ask, spots or ())
        return spots is not None

    def seat(self, number: int) -> bool:
        """Start a job if its members fit, and return whether they did."""
        ask, members = self._asks[number]
        spots = place_gang(self.fleet, self._placement, ask, members)
        if spots is not None:
            self._spots[number] = spots
        return spots is not None

    def free(self, number: int) -> None:
        """Give back the spots of a job."""
        release_gang(self.fleet, self._asks[number][0], self._spots.pop(number))


class _Scheduler:
    """A scheduler over a fleet, which acts only when something comes or ends."""

    def __init__(self, seats: SeatMap) -> None:
        self.seats = seats

    @property
    def fleet(self) -> Fleet:
        return self.seats.fleet

    def wakes(self, now: float) -> float | None:
        return None


class Fifo(_Scheduler):
    """First come, first served: nobody starts before the first job that waits."""

    def __init__(self, seats: SeatMap) -> None:
        super().__init__(seats)
        self.queue: deque[int] = deque()

    def submit(self, number: int, job: TraceJob, now: float) -> bool:
        possible = self.seats.admit(number, job)
        if possible:
            self.queue.append(number)
        return possible

    def end(self, number: int, now: float) -> None:
        self.seats.free(number)

    def turn(self, now: float) -> SchedulerActions:
        started = []
        while self.queue and self.seats.seat(self.queue[0]):
            started.append(self.queue.popleft())
        return SchedulerActions(started)


class Drf(_Scheduler):
    """Dominant resource fairness (Ghodsi et al., NSDI 2011, Algorithm 1): the lowest dominant share is next.

    An organisation whose first job does not fit is skipped for this turn.
    """

    def __init__(self, seats: SeatMap, nodes: Mapping[str, Vector], weights: Mapping[str, float] | None = None) -> None:
        super().__init__(seats)
        self._capacity, self._weights = total(nodes.values()), weights or {}
        self._queues: dict[str, deque[int]] = {}
        self._jobs: dict[int, TraceJob] = {}
        self._held: dict[str, dict[str, int]] = {}

    def submit(self, number: int, job: TraceJob, now: float) -> bool:
        self._jobs[number] = job
        possible = self.seats.admit(number, job)
        if possible:
            self._queues.setdefault(job.organisation, deque()).append(number)
        return possible

    def end(self, number: int, now: float) -> None:
        job = self._jobs[number]
        self._held[job.organisation] = minus(self._held[job.organisation], job.demand, job.members)
        self.seats.free(number)

    def turn(self, now: float) -> SchedulerActions:
        started: list[int] = []
        trying = {name for name, queue in self._queues.items() if queue}
        while trying:
            name = min(trying, key=lambda one: (self._share(one), one))
            number = self._queues[name][0]
            if not self.seats.seat(number):
                trying.discard(name)
                continue
            job = self._jobs[self._queues[name].popleft()]
            self._held[name] = plus(self._held.get(name, {}), job.demand, job.members)
            started.append(number)
            if not self._queues[name]:
                trying.discard(name)
        return SchedulerActions(started)

    def _share(self, organisation: str) -> float:
        return dominant_share(self._held.get(organisation, {}), self._capacity) / self._weights.get(organisation, 1.0)


def place_gang(fleet: Fleet, placement: Placement, ask: NodeDemand, members: int) -> tuple[Spot, ...] | None:
    """Return where each member runs, all taken from the fleet; None, with nothing taken, if they do not all fit."""
    spots: list[Spot] = []
    for _ in range(members):
        spot = placement.choose(fleet, ask)
        if spot is None:
            release_gang(fleet, ask, tuple(spots))
            return None
        fleet.take(spot, ask)
        spots.append(spot)
    return tuple(spots)


def release_gang(fleet: Fleet, ask: NodeDemand, spots: tuple[Spot, ...]) -> None:
    """Give back what the members held."""
    for spot in spots:
        fleet.give_back(spot, ask)
