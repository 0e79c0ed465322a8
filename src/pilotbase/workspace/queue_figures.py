"""Figures of the queue for those who watch it: counts and ages, nothing of what the jobs are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from pilotbase.workspace import tables
from pilotbase.workspace.jobs import JobState
from pilotbase.workspace.store import Store

_jobs = tables.jobs.c


@dataclass(frozen=True)
class QueueFigures:
    """How many jobs stand where; how long the oldest of them has waited, and no sign of life has come from a worker."""

    by_state: Mapping[str, int]
    oldest_seconds: float
    """0 where nothing waits."""
    silent_seconds: float
    """Of the running job that was heard of the longest ago; 0 where none runs."""


def queue_figures(store: Store) -> QueueFigures:
    """Return the figures of the whole queue; for operators only, for the counts are not public."""
    now = store.clock()
    count = select(_jobs.state, func.count(), func.min(_jobs.queued_at), func.min(_jobs.beat_at)).group_by(_jobs.state)
    with store.database.read() as connection:
        rows = {row[0]: row for row in connection.execute(count)}
    queued, running = rows.get(JobState.QUEUED.value), rows.get(JobState.RUNNING.value)
    return QueueFigures(
        by_state={state.value: rows[state.value][1] if state.value in rows else 0 for state in JobState},
        oldest_seconds=_age(queued[2] if queued else None, now),
        silent_seconds=_age(running[3] if running else None, now),
    )


def _age(moment: datetime | None, now: datetime) -> float:
    """Return the seconds since ``moment``; a clock that was set back makes nothing younger than now."""
    return 0.0 if moment is None else max((now - moment).total_seconds(), 0.0)
