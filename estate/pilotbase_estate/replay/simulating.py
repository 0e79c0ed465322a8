"""A trace replayed against a scheduler: jobs come when they came, run as long as they ran, start when admitted.

An evicted job loses its work and comes back at once, with its full run ahead. Jobs that no node could ever hold are
reported separately, and do not wait.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pilotbase_estate.documents.resources import Vector, total
from pilotbase_estate.placing.fleet import Fleet
from pilotbase_estate.replay.traces import Trace, TraceJob

_END, _COME = 0, 1
"""At the same moment, ends are handled first."""


@dataclass(frozen=True)
class SchedulerActions:
    """What a scheduler does at a moment: jobs that start and jobs that are evicted, by their number in the trace."""

    starts: Sequence[int] = ()
    evictions: Sequence[int] = ()


class Scheduler(Protocol):
    """Admits jobs; keeps what it needs to know of them, and the fleet that it fills."""

    @property
    def fleet(self) -> Fleet: ...

    def submit(self, number: int, job: TraceJob, now: float) -> bool:
        """Take a job into the queue and return whether it could ever run."""
        ...

    def end(self, number: int, now: float) -> None:
        """Note that a running job has ended."""
        ...

    def turn(self, now: float) -> SchedulerActions:
        """Return what starts and what is evicted now; the scheduler counts it as done."""
        ...

    def wakes(self, now: float) -> float | None:
        """Return when the scheduler wants its next turn if nothing comes or ends; None: not before that."""
        ...


@dataclass
class Ran:
    """The outcome of one job; times in seconds of the trace."""

    job: TraceJob
    impossible: bool = False
    started: float | None = None
    """When it last started."""
    ended: float | None = None
    evictions: int = 0
    lost: float = 0.0
    """Seconds of runs that were lost."""

    @property
    def waited(self) -> float:
        """Return how long it did not run usefully from submission to its end; NaN if it never ran."""
        if self.ended is None:
            return float("nan")
        return self.ended - self.job.submitted - self.job.runs


@dataclass(frozen=True)
class Moment:
    """What is held from a moment on, until the next."""

    at: float
    held: dict[str, dict[str, int]]
    """Organisation → vector."""
    waiting: dict[str, int]
    """Organisation → jobs that wait."""


@dataclass(frozen=True)
class Course:
    """The result of a scheduler on a trace."""

    ran: list[Ran]
    moments: list[Moment]
    capacity: Vector
    fragments: list[tuple[float, float]] = field(default_factory=list)
    """Moment → share of the free GPUs that typical jobs can't use, at a few hundred moments."""


Look = Callable[[float, Fleet], None]


def simulate(trace: Trace, scheduler: Scheduler, look: Look = lambda *_: None) -> Course:
    """Return the course of ``trace`` under ``scheduler``; ``look`` is shown the fleet after each turn."""
    state = _Play(trace, scheduler)
    while state.events or state.wake is not None:
        now = state.next_moment()
        state.hear(now)
        state.take(scheduler.turn(now), now)
        wake = scheduler.wakes(now)
        state.wake = wake if wake is not None and wake > now else None
        state.note(now)
        look(now, scheduler.fleet)
    return Course(state.ran, state.moments, total(trace.nodes.values()))


class _Play:
    """The events to come, and the outcome of each job so far."""

    def __init__(self, trace: Trace, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.ran = [Ran(job) for job in trace.jobs]
        self.moments: list[Moment] = []
        self.wake: float | None = None
        self.events = [(job.submitted, _COME, number, 0) for number, job in enumerate(trace.jobs)]
        heapq.heapify(self.events)
        self._held: dict[str, dict[str, int]] = {}
        self._waiting: dict[str, int] = {}

    def next_moment(self) -> float:
        """Return when the next event is."""
        coming = self.events[0][0] if self.events else float("inf")
        return min(coming, self.wake if self.wake is not None else coming)

    def hear(self, now: float) -> None:
        """Tell the scheduler everything that comes and ends at this moment."""
        while self.events and self.events[0][0] <= now:
            _, what, number, evictions = heapq.heappop(self.events)
            ran = self.ran[number]
            if what == _COME:
                ran.impossible = not self._scheduler.submit(number, ran.job, now)
                self._wait(ran.job, 0 if ran.impossible else 1)
            elif ran.evictions == evictions:
                ran.ended = now
                self._scheduler.end(number, now)
                self._hold(ran.job, -1)

    def take(self, turn: SchedulerActions, now: float) -> None:
        """Note which jobs are evicted and which start."""
        for number in turn.evictions:
            ran = self.ran[number]
            assert ran.started is not None
            ran.evictions, ran.lost, ran.started = ran.evictions + 1, ran.lost + now - ran.started, None
            self._hold(ran.job, -1)
            self._wait(ran.job, 1)
        for number in turn.starts:
            ran = self.ran[number]
            ran.started = now
            heapq.heappush(self.events, (now + ran.job.runs, _END, number, ran.evictions))
            self._hold(ran.job, 1)
            self._wait(ran.job, -1)

    def note(self, now: float) -> None:
        """Keep what is held and who waits."""
        held = {name: dict(vector) for name, vector in self._held.items() if any(vector.values())}
        moment = Moment(now, held, {name: count for name, count in self._waiting.items() if count})
        if self.moments and self.moments[-1].at == now:
            self.moments[-1] = moment
        else:
            self.moments.append(moment)

    def _hold(self, job: TraceJob, sign: int) -> None:
        held = self._held.setdefault(job.organisation, {})
        for name, amount in job.demand.items():
            held[name] = held.get(name, 0) + sign * amount * job.members

    def _wait(self, job: TraceJob, count: int) -> None:
        self._waiting[job.organisation] = self._waiting.get(job.organisation, 0) + count
