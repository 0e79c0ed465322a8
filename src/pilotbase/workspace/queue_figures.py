"""Figures of the queue for monitoring: counts and ages, without the contents of jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from pilotbase.workspace import tables
from pilotbase.workspace.jobs import LANE, WORKERS, JobState
from pilotbase.workspace.store import Store

_jobs = tables.work.c


@dataclass(frozen=True)
class QueueFigures:
    """The number of jobs in each state; how long the oldest of them has waited, and workers have been silent."""

    by_state: Mapping[str, int]
    oldest_seconds: float
    """0 if nothing waits."""
    silent_seconds: float
    """Seconds since the oldest sign of life of a running job; 0 if none runs."""
    heard_at: datetime | None
    """When any worker last gave a sign of life; None: never."""
    heard: bool
    """Whether that was within a lease; if not, nothing takes the waiting jobs."""

    @property
    def live(self) -> int:
        """Return how many jobs wait or run."""
        return self.by_state[JobState.QUEUED] + self.by_state[JobState.RUNNING]


def queue_figures(store: Store) -> QueueFigures:
    """Return the figures of the whole queue; for operators only, since the counts are not public."""
    now = store.clock()
    beats = func.min(_jobs.beat_at), func.max(_jobs.beat_at)
    count = select(_jobs.state, func.count(), func.min(_jobs.queued_at), *beats)
    count = count.where(_jobs.lane == LANE).group_by(_jobs.state)
    idle = select(tables.leases.c.renewed_at, tables.leases.c.seconds).where(tables.leases.c.name == WORKERS)
    with store.database.read() as connection:
        rows = {row[0]: row for row in connection.execute(count)}
        asked = connection.execute(idle).one_or_none()
    queued, running = rows.get(JobState.QUEUED.value), rows.get(JobState.RUNNING.value)
    signs = [asked.renewed_at if asked else None, running[4] if running else None]
    heard_at = max(filter(None, signs), default=None)
    return QueueFigures(
        by_state={state.value: rows[state.value][1] if state.value in rows else 0 for state in JobState},
        oldest_seconds=_age(queued[2] if queued else None, now),
        silent_seconds=_age(running[3] if running else None, now),
        heard_at=heard_at,
        heard=asked is not None and heard_at is not None and _age(heard_at, now) <= asked.seconds,
    )


def _age(moment: datetime | None, now: datetime) -> float:
    """Return the seconds since ``moment``; if the clock was set back, at least 0."""
    return 0.0 if moment is None else max((now - moment).total_seconds(), 0.0)
