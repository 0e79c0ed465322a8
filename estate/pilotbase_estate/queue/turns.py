"""What the order of turns depends on besides the jobs, kept so that another process decides as this one would.

Also what is missing of a pool's machines, as last checked, for the next decision or page.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from pilotbase_estate.queue.machines import There
from pilotbase_estate.queue.rows import JobRow, QueueState
from pilotbase_estate.sharing.jobs import Pending, PoolState, QueuedJob, Recent, Running, RunningJob
from pilotbase_estate.workspace.compute_tables import compute_turns


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
