"""A pool's machines and turns: what they hold now, and what the next decision depends on.

If nodes are named after machines, each is compared with its own. If there is only one machine, it stands in for all the
machines of a pool, as far as its capacity goes. Missing capacity is given to nobody, and no job is refused for it: jobs
wait.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from pilotbase.documents.limits import Limits
from pilotbase_estate.backends.backend import (
    AttemptPhase,
    BackendNode,
    ComputeBackend,
    EndCause,
    JobSpec,
    MemberAttempt,
    ProgramWork,
    Status,
)
from pilotbase_estate.backends.ray_cluster import OWN_NODE
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.resources import Vector, minus
from pilotbase_estate.queue.rows import JobRow, QueueState
from pilotbase_estate.sharing.jobs import Pending, PoolState, QueuedJob, Recent, Running, RunningJob
from pilotbase_estate.workspace.tables import compute_turns

_UNSEEN = ("disk",)
"""What no node reports."""
GRACE_SECONDS = 5.0


@dataclass(frozen=True)
class There:
    """What is missing of a pool's machines."""

    away: bool = False
    """Nothing answers: the state of running jobs is unknown, and nothing starts."""
    missing: tuple[str, ...] = ()
    """Machines without a node."""
    smaller: Mapping[str, Vector] = field(default_factory=dict)
    """Machine → what its node has of each dimension in which it has less than the document says."""

    def capacities(self, pool: Pool) -> Mapping[str, Vector]:
        """Return machine → what is present of it, in every dimension that the document names."""
        return {name: self._of(name, declared) for name, declared in pool.capacities.items()}

    def _of(self, name: str, declared: Vector) -> Vector:
        if name in self.missing:
            return dict.fromkeys(declared, 0)
        return {**declared, **self.smaller.get(name, {})}


ALL_THERE = There()


def held_against(pool: Pool, nodes: Iterable[BackendNode]) -> There:
    """Return what of a pool's machines is missing, given the nodes that are present."""
    known = {node.name: node.capacity for node in nodes}
    if known.keys() == {OWN_NODE}:
        known = _dealt(pool, known[OWN_NODE])
    missing = tuple(name for name in pool.capacities if name not in known)
    found = {name: _lacking(declared, known.get(name, declared)) for name, declared in pool.capacities.items()}
    return There(missing=missing, smaller={name: has for name, has in found.items() if has})


def _dealt(pool: Pool, left: Vector) -> dict[str, Vector]:
    """Return what one machine contributes to each machine of a pool, in the order of the document."""
    found: dict[str, Vector] = {}
    for name, declared in pool.capacities.items():
        found[name] = {one: min(amount, left.get(one, 0)) for one, amount in declared.items() if one not in _UNSEEN}
        left = minus(left, found[name])
    return found


def _lacking(declared: Vector, has: Vector) -> Vector:
    """Return what a node has of each dimension in which it has less than declared."""
    seen = (name for name in declared if name not in _UNSEEN)
    return {name: has.get(name, 0) for name in seen if has.get(name, 0) < declared[name]}


def keep(connection: Connection, pool: str, standing: PoolState) -> None:
    """Keep what organisations recently had, for whom machines are kept, and from whom nothing can be taken back."""
    protected = {one.job.name: one.protected for one in standing.running if one.protected is not None}
    kept = asdict(standing.kept) if standing.kept is not None else None
    _write(connection, pool, dict(standing.recent), kept=kept, protected=protected)


def keep_there(connection: Connection, pool: str, there: There) -> None:
    """Keep what is missing of a pool's machines."""
    told = {"away": there.away, "missing": there.missing, "smaller": there.smaller}
    _write(connection, pool, None, machines=told)


def there_of(connection: Connection, pool: str) -> There:
    """Return what was missing of a pool's machines when they were last checked."""
    told = _read(connection, pool)[1].get("machines")
    return There() if told is None else There(told["away"], tuple(told["missing"]), told["smaller"])


def standing_of(connection: Connection, pool: str, live: list[JobRow]) -> PoolState:
    """Return all that the next decision about a pool depends on."""
    recent, told = _read(connection, pool)
    kept, protected = told["kept"], told["protected"]
    waiting = [job for job in live if job.state is QueueState.WAITING]
    running = [job for job in live if job.state is not QueueState.WAITING]
    return PoolState(
        running=tuple(running_of(job, protected.get(job.name)) for job in running),
        pending=tuple(Pending(QueuedJob.of(job.asked), job.evictions) for job in waiting),
        recent={name: Recent(*one) for name, one in recent.items()},
        kept=None if kept is None else RunningJob(kept["job"], kept["at"], tuple(kept["nodes"])),
    )


def running_of(job: JobRow, protected: bool | None) -> Running:
    """Return a started job, as sharing sees it."""
    assert job.started_at is not None
    return Running(QueuedJob.of(job.asked), job.nodes, job.started_at.timestamp(), job.evictions, protected)


def _read(connection: Connection, pool: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a pool's recent use by organisation, and what else is kept."""
    row = connection.execute(select(compute_turns).where(compute_turns.c.pool == pool)).one_or_none()
    return ({}, {"kept": None, "protected": {}}) if row is None else (json.loads(row.recent), json.loads(row.kept))


def _write(connection: Connection, pool: str, recent: dict[str, Any] | None, **news: object) -> None:
    """Replace parts of what is kept; ``recent`` None: recent use stays."""
    before, told = _read(connection, pool)
    values = {
        "recent": json.dumps(before if recent is None else recent, sort_keys=True),
        "kept": json.dumps(told | news),
    }
    connection.execute(delete(compute_turns).where(compute_turns.c.pool == pool))
    connection.execute(insert(compute_turns).values(pool=pool, **values))


@dataclass(frozen=True)
class Prepared:
    """What a backend is given to do for a job."""

    work: ProgramWork
    limits: Limits
    uid: int | None = None


Works = Callable[[JobRow], Prepared]
"""Reads `JobRow.work`.

It raises `InputError`, `RefusedError` or `NotFoundError` if the job itself is at fault, and other errors if the machine
is.
"""


@dataclass(frozen=True)
class Members:
    """The members of jobs, on a backend."""

    backend: ComputeBackend
    works: Works

    def start(self, job: JobRow) -> None:
        """Start every member on its node, unless it was started before; raises as `Works` and the backend do."""
        prepared = self.works(job)
        known = {node.name for node in self.backend.capacity()}
        for attempt, node in zip(attempts_of(job), job.nodes, strict=True):
            self.backend.start(
                JobSpec(
                    attempt=attempt,
                    work=prepared.work,
                    demand=job.asked.demand.vector,
                    members=job.asked.members,
                    limits=_limits(job, prepared.limits),
                    uid=prepared.uid,
                    node=node if node in known else None,
                )
            )

    def all_started(self, job: JobRow) -> bool:
        """Return whether the backend knows every member: not if the process that recorded the job died first."""
        return all(self.backend.poll(attempt).phase is not AttemptPhase.UNKNOWN for attempt in attempts_of(job))

    def stop(self, job: JobRow) -> None:
        """End every member that runs."""
        for attempt in attempts_of(job):
            self.backend.stop(attempt, GRACE_SECONDS)

    def statuses(self, job: JobRow) -> list[Status]:
        """Return the state of the members. One that has failed ends the others; one that is no longer known is lost."""
        found = self._asked(job)
        if any(_has_failed(status) for status in found):
            self.stop(job)
            found = self._asked(job)
        return found

    def _asked(self, job: JobRow) -> list[Status]:
        found = [self.backend.poll(attempt) for attempt in attempts_of(job)]
        return [
            Status(AttemptPhase.ENDED, EndCause.LOST) if one.phase is AttemptPhase.UNKNOWN else one for one in found
        ]


def attempts_of(job: JobRow) -> list[MemberAttempt]:
    """Return the job's present attempt, by member."""
    return [MemberAttempt(job.name, job.attempt, member) for member in range(job.asked.members)]


def _has_failed(status: Status) -> bool:
    return status.phase is AttemptPhase.ENDED and (status.cause is not EndCause.RAN or status.exit_code != 0)


def _limits(job: JobRow, limits: Limits) -> Limits:
    """Return the limits of one member's box, which follow from its request."""
    demand = job.asked.demand.vector
    asked: dict[str, object] = {"wall_seconds": min(limits.wall_seconds, job.asked.max_seconds)}
    if "memory" in demand:
        asked["memory_bytes"] = demand["memory"]
    if demand.get("cpu"):
        asked["cpu_seconds"] = max(1, round(job.asked.max_seconds * demand["cpu"] / 1000))
    return Limits.model_validate({**limits.model_dump(), **asked})
