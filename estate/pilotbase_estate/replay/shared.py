"""The sharing of a pool as a policy to replay: the same desk that decides in a live pool, on the clock of a trace.

If a replay is given no pool, each organisation of the trace is guaranteed an equal part of every dimension. Labels,
maintenance windows and jobs that may not be evicted are treated as in a live pool. Jobs without a stated maximum time
are assumed to have known how long they would run. The desk counts GPUs by machine: to measure fragments, an admitted
job is put on the fullest GPU that has room, and is split if only the machine's total suffices.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from pilotbase.documents.api.shapes import filled
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.quantities import MOST_SECONDS
from pilotbase_estate.documents.pool import Machines, Pool, Quota
from pilotbase_estate.documents.resources import ANY_GPU, MILLI, Resources, Vector, total
from pilotbase_estate.placing.fleet import Fleet, NodeDemand, Spot, read_ask, spot_on
from pilotbase_estate.replay.simulating import SchedulerActions, merged_gpus
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
