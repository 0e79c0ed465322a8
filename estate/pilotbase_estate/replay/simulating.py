"""A trace replayed against a scheduler: jobs come when they came, run as long as they ran, start when admitted.

An evicted job loses its work and comes back at once, with its full run ahead. Jobs that no node could ever hold are
reported separately, and do not wait.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

import numpy as np

from pilotbase_estate.documents.pool_replay import FragmentPoint, OrganisationReplay, Policy, PolicyReplay, WaitFigures
from pilotbase_estate.documents.resources import Vector, dominant_share, total
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
class SimulatedRun:
    """The result of a scheduler on a trace."""

    ran: list[Ran]
    moments: list[Moment]
    capacity: Vector
    fragments: list[tuple[float, float]] = field(default_factory=list)
    """Moment → share of the free GPUs that typical jobs can't use, at a few hundred moments."""


Look = Callable[[float, Fleet], None]


def simulate(trace: Trace, scheduler: Scheduler, look: Look = lambda *_: None) -> SimulatedRun:
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
    return SimulatedRun(state.ran, state.moments, total(trace.nodes.values()))


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


STRETCHES = 240
"""Intervals of the period of submissions, for the picture of use."""


def policy_replay(policy: Policy, course: SimulatedRun, dimension: str) -> PolicyReplay:
    """Return the figures of a course, with use over time given for ``dimension``."""
    capacity, first = merged_gpus(course.capacity), course.ran[0].job.submitted
    stretches = _stretches(course)
    shares = _mean_shares(stretches, capacity)
    looked = [share for _, share in course.fragments]
    names = sorted({ran.job.organisation for ran in course.ran})
    waits = {name: _waits([ran for ran in course.ran if ran.job.organisation == name]) for name in names}
    return PolicyReplay(
        policy=policy,
        utilisation=_utilisation(stretches, capacity),
        jain=jain_index(list(shares.values())),
        organisations=tuple(
            OrganisationReplay(organisation=name, share=shares.get(name, 0.0), waits=one) for name, one in waits.items()
        ),
        waits=_waits(course.ran),
        fragmentation=float(np.mean(looked)) if looked else None,
        evictions=sum(ran.evictions for ran in course.ran),
        lost_seconds=sum(ran.lost for ran in course.ran),
        impossible=sum(ran.impossible for ran in course.ran),
        unfinished=sum(ran.ended is None and not ran.impossible for ran in course.ran),
        used=used_over_time(course, dimension, STRETCHES),
        fragments=tuple(FragmentPoint(at=at - first, share=share) for at, share in course.fragments),
    )


def used_over_time(course: SimulatedRun, dimension: str, parts: int) -> tuple[float, ...]:
    """Return the share of a dimension held in each of ``parts`` equal intervals of the period of submissions.

    ``gpu`` is all kinds together; empty if all jobs came at once.
    """
    whole = merged_gpus(course.capacity).get(dimension, 0)
    first, last = course.ran[0].job.submitted, course.ran[-1].job.submitted
    if not whole or last <= first:
        return ()
    width, found = (last - first) / parts, [0.0] * parts
    for seconds, moment in _stretches(course):
        amount = merged_gpus(total(moment.held.values())).get(dimension, 0)
        begins, ends = moment.at - first, moment.at - first + seconds
        for part in range(int(begins / width), min(int(ends / width) + 1, parts)):
            overlap = min(ends, (part + 1) * width) - max(begins, part * width)
            found[part] += max(overlap, 0.0) * amount
    return tuple(held / (width * whole) for held in found)


def jain_index(shares: Sequence[float]) -> float:
    """Return (Σx)² / (n·Σx²): 1 if all are equal, 1/n if one has all; 1 if there is nothing to share.

    Source: Jain, Chiu and Hawe, DEC-TR-301, 1984.
    """
    squares = sum(share * share for share in shares)
    return sum(shares) ** 2 / (len(shares) * squares) if squares > 0 else 1.0


def merged_gpus(vector: Vector, called: str = "gpu") -> dict[str, int]:
    """Return a vector with GPUs of all kinds as one dimension, because a job that takes any kind counts for none."""
    found = {name: amount for name, amount in vector.items() if not name.startswith("gpu/")}
    gpus = sum(amount for name, amount in vector.items() if name.startswith("gpu/"))
    return {**found, called: gpus} if gpus else found


def _stretches(course: SimulatedRun) -> list[tuple[float, Moment]]:
    """Return how many seconds each moment lasted, until the last job came."""
    last = max((ran.job.submitted for ran in course.ran), default=0.0)
    pairs = [(min(after.at, last) - now.at, now) for now, after in pairwise(course.moments) if now.at < last]
    return [(seconds, moment) for seconds, moment in pairs if seconds > 0]


def _utilisation(stretches: list[tuple[float, Moment]], capacity: Vector) -> dict[str, float]:
    seconds = sum(length for length, _ in stretches)
    held = {name: 0.0 for name, whole in capacity.items() if whole}
    for length, moment in stretches:
        for name, amount in merged_gpus(total(moment.held.values())).items():
            held[name] = held.get(name, 0.0) + length * amount
    return {name: held[name] / (seconds * whole) if seconds else 0.0 for name, whole in capacity.items() if whole}


def _mean_shares(stretches: list[tuple[float, Moment]], capacity: Vector) -> dict[str, float]:
    held: dict[str, float] = {}
    there: dict[str, float] = {}
    for length, moment in stretches:
        for name in moment.held.keys() | moment.waiting.keys():
            share = dominant_share(merged_gpus(moment.held.get(name, {})), capacity)
            held[name] = held.get(name, 0.0) + length * share
            there[name] = there.get(name, 0.0) + length
    return {name: held[name] / there[name] for name in sorted(held)}


def _waits(ran: Sequence[Ran]) -> WaitFigures:
    possible = [one for one in ran if not one.impossible]
    waited = [one.waited for one in possible if one.ended is not None]
    if not waited:
        return WaitFigures(jobs=len(possible), ended=0)
    median, p90, longest = (float(value) for value in np.quantile(waited, [0.5, 0.9, 1.0]))
    return WaitFigures(jobs=len(possible), ended=len(waited), median=median, p90=p90, longest=longest)
