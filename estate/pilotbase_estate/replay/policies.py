"""The policies that a replay can compare, by name, and the scheduler of each.

The sharing of a pool is one: the same desk that decides in a live pool, on the clock of a trace. If a replay is given
no pool, each organisation of the trace is guaranteed an equal part of every dimension. Labels, maintenance windows and
jobs that may not be evicted are treated as in a live pool. Jobs without a stated maximum time are assumed to have known
how long they would run. The desk counts GPUs by machine: to measure fragments, an admitted job is put on the fullest
GPU that has room, and is split if only the machine's total suffices.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from pilotbase.documents.api.shapes import filled
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.quantities import MOST_SECONDS
from pilotbase_estate.documents.pool import Machines, Pool, Quota
from pilotbase_estate.documents.pool_replay import Policy
from pilotbase_estate.documents.resources import ANY_GPU, MILLI, Resources, Vector, dominant_share, minus, plus, total
from pilotbase_estate.placing.fgd import Fragmentation, FragmentationDescent, typical_kinds
from pilotbase_estate.placing.fleet import (
    BestFit,
    FirstFitPolicy,
    Fleet,
    NodeDemand,
    Placement,
    Random,
    Spot,
    read_ask,
    spot_on,
)
from pilotbase_estate.replay.simulating import Scheduler, SchedulerActions, merged_gpus
from pilotbase_estate.replay.traces import Trace, TraceJob
from pilotbase_estate.sharing.explaining import PoolScheduler
from pilotbase_estate.sharing.impossible import FirstFit
from pilotbase_estate.sharing.jobs import QueuedJob

_SHORTEST = 1.0
_EPOCH = datetime.fromtimestamp(0, UTC)


class Shared:
    """The desk of a pool as a scheduler."""

    def __init__(self, pool: Pool) -> None:
        self._desk = PoolScheduler(pool, FirstFit())
        self.fleet = Fleet.of(pool.capacities)
        self._numbers = {name: number for number, name in enumerate(self.fleet.names)}
        self._demands: dict[int, Vector] = {}
        self._held: dict[int, list[tuple[Spot, NodeDemand]]] = {}
        self._again: float | None = None

    def submit(self, number: int, job: TraceJob, now: float) -> bool:
        try:
            self._desk.submit(_job(number, job, now))
        except RefusedError:
            return False
        self._demands[number] = job.demand
        return True

    def end(self, number: int, now: float) -> None:
        self._desk.end(str(number), now)
        self._free(number)

    def turn(self, now: float) -> SchedulerActions:
        decided = self._desk.decide(now)
        self._again = decided.again_at
        for evicted in decided.evictions:
            self._free(int(evicted.job))
        for start in decided.starts:
            self._seat(int(start.job), start.nodes)
        return SchedulerActions([int(one.job) for one in decided.starts], [int(one.job) for one in decided.evictions])

    def wakes(self, now: float) -> float | None:
        return self._again

    def _seat(self, number: int, nodes: Sequence[str]) -> None:
        ask = read_ask(self._demands[number])
        held = self._held[number] = []
        for name in nodes:
            for spot, part in _pieces(self.fleet, ask, self._numbers[name]):
                self.fleet.take(spot, part)
                held.append((spot, part))

    def _free(self, number: int) -> None:
        for spot, part in self._held.pop(number):
            self.fleet.give_back(spot, part)


def _pieces(fleet: Fleet, ask: NodeDemand, node: int) -> list[tuple[Spot, NodeDemand]]:
    """Return which GPUs of a node a member holds, and how much of each."""
    spot = spot_on(fleet, ask, node)
    if len(spot.gpus) == ask.gpus:
        return [(spot, ask)]
    lacking, found = ask.gpus * ask.gpu_milli, [(Spot(node), NodeDemand(ask.vector))]
    of_kind = fleet.of_kind(fleet.gpu_kinds[node], ask.gpu_kind)
    for gpu in sorted(map(int, of_kind.nonzero()[0]), key=lambda one: -int(fleet.gpu_free[node, one])):
        part = min(int(fleet.gpu_free[node, gpu]), lacking)
        if part > 0:
            found.append((Spot(node, (gpu,)), NodeDemand({}, 1, part, ask.gpu_kind)))
            lacking -= part
    return found


def pool_of_trace(trace: Trace) -> Pool:
    """Return a pool of a trace's nodes in which each organisation is guaranteed an equal part."""
    organisations = sorted({job.organisation for job in trace.jobs})
    capacity = total(trace.nodes.values())
    part = {name: _part(name, amount, len(organisations)) for name, amount in capacity.items()}
    longest = max((_longest(job) for job in trace.jobs), default=_SHORTEST)
    return Pool(
        name="trace",
        title="trace",
        machines=_machines(trace),
        quotas=tuple(Quota(organisation=name, guarantee=Resources.of(part)) for name in organisations),
        shared_gpus=True,
        longest_job=longest,
        minimum_run=min(600.0, longest),
    )


def on_clock(pool: Pool, began: datetime | None) -> Pool:
    """Return a pool with maintenance windows on the clock of a trace that began at a moment; None: without windows."""
    if began is None:
        return pool.model_copy(update={"maintenance": ()})
    windows = tuple(
        one.model_copy(update={"starts": _EPOCH + (one.starts - began), "ends": _EPOCH + (one.ends - began)})
        for one in pool.maintenance
    )
    return pool.model_copy(update={"maintenance": windows})


def any_gpus(trace: Trace) -> Trace:
    """Return a trace whose GPUs are all of one kind if a job of it takes any, because sharing counts by kind."""
    if not any(ANY_GPU in job.demand for job in trace.jobs):
        return trace
    nodes = {name: merged_gpus(vector, ANY_GPU) for name, vector in trace.nodes.items()}
    jobs = tuple(replace(job, demand=merged_gpus(job.demand, ANY_GPU)) for job in trace.jobs)
    return replace(trace, nodes=nodes, jobs=jobs)


def _machines(trace: Trace) -> tuple[Machines, ...]:
    """Return the nodes, identical ones together."""
    alike = Counter(
        (tuple(sorted(vector.items())), tuple(sorted(trace.labels.get(name, {}).items())))
        for name, vector in trace.nodes.items()
    )
    return tuple(
        Machines(name=f"kind-{number}", count=count, capacity=Resources.of(dict(vector)), labels=dict(labels))
        for number, ((vector, labels), count) in enumerate(sorted(alike.items()))
    )


def _part(name: str, amount: int, organisations: int) -> int:
    part = amount // organisations
    return part // MILLI * MILLI if name.startswith("gpu/") else part


def _job(number: int, job: TraceJob, now: float) -> QueuedJob:
    person, longest = job.person or job.organisation, _longest(job)
    return filled(QueuedJob, job, name=str(number), person=person, max_seconds=longest, submitted=now)


def _longest(job: TraceJob) -> float:
    """Return how long a job may take; one that ran longer than any pool allows requests the most that a pool allows."""
    return min(max(job.longest if job.longest is not None else job.runs, _SHORTEST), MOST_SECONDS)


@dataclass(frozen=True)
class PolicyContext:
    """What policies need besides a trace."""

    pool: Pool | None = None
    """Whose rules ``shared`` follows; None: equal guarantees of all there is."""
    seed: int = 0
    before: Pool | None = None
    """The pool as it is, if ``pool`` is a proposed one: ``shared`` is replayed on it, too."""


ALONE = PolicyContext()
"""A trace and nothing else."""


def require_quotas(trace: Trace, pool: Pool) -> None:
    """Require a pool whose rules can be replayed on a trace.

    Raises:
        InputError: ``replay.no_quota`` or ``replay.made_up_no_quota``: the trace has organisations that the pool does
            not name; ``replay.any_gpu``: it asks for GPUs of any kind, and the pool promises them by kind.
    """
    organisations = {job.organisation for job in trace.jobs}
    if trace.made_up_organisations and unnamed(organisations, pool):
        raise InputError("replay.made_up_no_quota", pool=pool.name, found=unnamed(organisations, pool))
    require_named(organisations, pool)
    kinds = [name for name in pool.capacity if name.startswith("gpu/") and name != ANY_GPU]
    if kinds and any(ANY_GPU in job.demand for job in trace.jobs):
        raise InputError("replay.any_gpu", pool=pool.name, found=", ".join(sorted(kinds)))


def require_named(organisations: Iterable[str], pool: Pool) -> None:
    """Require a pool that has a quota for each organisation; raises `InputError` ``replay.no_quota``."""
    if found := unnamed(organisations, pool):
        raise InputError("replay.no_quota", pool=pool.name, found=found)


def unnamed(organisations: Iterable[str], pool: Pool) -> str:
    """Return the first organisations for which a pool has no quota; empty if it names all."""
    return ", ".join(sorted(set(organisations) - {quota.organisation for quota in pool.quotas})[:10])


def scheduler_of(policy: Policy, trace: Trace, setting: PolicyContext) -> tuple[Trace, Scheduler]:
    """Return the trace as a policy counts it, and the policy over its empty nodes."""
    return _SCHEDULERS[policy](trace, setting)


def placement_of(policy: Policy, trace: Trace, generator: np.random.Generator) -> Placement:
    """Return a policy's placement; raises `KeyError` for a policy that is not one."""
    return PLACEMENTS[policy](trace, generator)


def fragmentation_of(trace: Trace) -> Fragmentation:
    """Return what counts as a fragment for the jobs of a trace."""
    return Fragmentation(typical_kinds(read_ask(job.demand) for job in trace.jobs))


_Made = tuple[Trace, Scheduler]


def _fifo(placed: Policy) -> Callable[[Trace, PolicyContext], _Made]:
    def make(trace: Trace, setting: PolicyContext) -> _Made:
        placement = placement_of(placed, trace, np.random.default_rng(setting.seed))
        return trace, Fifo(SeatMap(trace.nodes, placement))

    return make


def _drf(trace: Trace, setting: PolicyContext) -> _Made:
    weights = {quota.organisation: float(quota.weight) for quota in setting.pool.quotas} if setting.pool else None
    return trace, Drf(SeatMap(trace.nodes, BestFit()), trace.nodes, weights)


def _shared(trace: Trace, setting: PolicyContext) -> _Made:
    counted = any_gpus(trace)
    return counted, Shared(on_clock(setting.pool, trace.began) if setting.pool else pool_of_trace(counted))


PLACEMENTS: Mapping[Policy, Callable[[Trace, np.random.Generator], Placement]] = {
    Policy.RANDOM: lambda _, generator: Random(generator),
    Policy.BEST_FIT: lambda *_: BestFit(),
    Policy.FGD: lambda trace, _: FragmentationDescent(fragmentation_of(trace)),
}
"""Policies that differ by their placement."""
_SCHEDULERS: Mapping[Policy, Callable[[Trace, PolicyContext], _Made]] = {
    Policy.FIFO: _fifo(Policy.BEST_FIT),
    Policy.DRF: _drf,
    Policy.SHARED: _shared,
    Policy.BEST_FIT: _fifo(Policy.BEST_FIT),
    Policy.FGD: _fifo(Policy.FGD),
    Policy.RANDOM: _fifo(Policy.RANDOM),
}


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
