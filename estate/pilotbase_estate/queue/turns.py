"""A pool's machines and turns: what they hold now, and what the next decision depends on.

If nodes are named after machines, each is compared with its own. If there is only one machine, it stands in for all the
machines of a pool, as far as its capacity goes. Missing capacity is given to nobody, and no job is refused for it: jobs
wait.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from pilotbase_estate.backends.backend import BackendNode
from pilotbase_estate.backends.ray_cluster import OWN_NODE
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.resources import Vector, minus
from pilotbase_estate.queue.rows import JobRow, QueueState
from pilotbase_estate.sharing.jobs import Pending, PoolState, QueuedJob, Recent, Running, RunningJob
from pilotbase_estate.workspace.tables import compute_turns

_UNSEEN = ("disk",)
"""What no node reports."""


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
