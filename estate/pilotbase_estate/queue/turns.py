"""What the order of turns depends on besides the jobs, kept so that another process decides as this one would."""

from __future__ import annotations

import json
from dataclasses import asdict

from sqlalchemy import Connection, delete, insert, select

from pilotbase_estate.queue.rows import JobRow, QueueState
from pilotbase_estate.sharing.jobs import Pending, QueuedJob, Recent, Running, RunningJob
from pilotbase_estate.sharing.jobs import PoolState as Standing
from pilotbase_estate.workspace import compute_tables

_turns = compute_tables.compute_turns.c


def keep(connection: Connection, pool: str, standing: Standing) -> None:
    """Keep what organisations recently had, for whom machines are kept, and from whom nothing can be taken back."""
    recent = {name: [one.share, one.at] for name, one in standing.recent.items()}
    kept = {
        "kept": asdict(standing.kept) if standing.kept is not None else None,
        "protected": {one.job.name: one.protected for one in standing.running if one.protected is not None},
    }
    row = connection.execute(select(_turns.kept).where(_turns.pool == pool)).one_or_none()
    if row is not None and "machines" in (before := json.loads(row.kept)):
        kept["machines"] = before["machines"]
    connection.execute(delete(compute_tables.compute_turns).where(_turns.pool == pool))
    values = {"pool": pool, "recent": json.dumps(recent, sort_keys=True), "kept": json.dumps(kept)}
    connection.execute(insert(compute_tables.compute_turns).values(values))


def standing_of(connection: Connection, pool: str, live: list[JobRow]) -> Standing:
    """Return all that the next decision about a pool depends on."""
    row = connection.execute(select(compute_tables.compute_turns).where(_turns.pool == pool)).one_or_none()
    recent = {name: Recent(*one) for name, one in json.loads(row.recent).items()} if row is not None else {}
    held = json.loads(row.kept) if row is not None else {"kept": None, "protected": {}}
    kept, protected = held["kept"], held["protected"]
    running = [job for job in live if job.state is not QueueState.WAITING]
    return Standing(
        running=tuple(running_of(job, protected.get(job.name)) for job in running),
        pending=tuple(
            Pending(QueuedJob.of(job.asked), job.evictions) for job in live if job.state is QueueState.WAITING
        ),
        recent=recent,
        kept=None if kept is None else RunningJob(kept["job"], kept["at"], tuple(kept["nodes"])),
    )


def running_of(job: JobRow, protected: bool | None) -> Running:
    """Return a started job, as sharing sees it."""
    assert job.started_at is not None
    return Running(QueuedJob.of(job.asked), job.nodes, job.started_at.timestamp(), job.evictions, protected)
