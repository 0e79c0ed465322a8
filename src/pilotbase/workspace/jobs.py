"""Jobs: the lane of the queue (`work`) for people's orders; those who ordered the work see each of its steps.

A worker that dies leaves a running job whose lease runs out; the next worker takes it over with the same attempt. A
handler must therefore be able to continue from what its stage has committed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import ColumnElement, Connection, Row, and_, exists, func, literal, or_, select, update

from pilotbase.documents.api.shapes import filled
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import canonical_json
from pilotbase.documents.progress import Progress
from pilotbase.documents.subjects import record_head
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.workspace import leases, tables, work
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import Store, View
from pilotbase.workspace.transaction import Transaction

_rows = tables.work.c
LANE = "jobs"
_OURS = _rows.lane == LANE
_Words = TypeVar("_Words")
_PAYLOAD = TypeAdapter(dict[str, str])
_PROGRESS = TypeAdapter(Progress)
_REASON = TypeAdapter(Text)
WORKERS = "workers"
"""Name of the lease that records signs of life of workers without a job."""
JobState = work.WorkState


class Payload(dict[str, str]):
    """The words that a job was ordered with; a missing word fails the job, with an explanation."""

    def __missing__(self, word: str) -> str:
        raise InputError("job.unreadable")


@dataclass(frozen=True)
class Job:
    """One piece of work, ordered by a person for an organisation."""

    identity: int
    kind: str
    subject: str
    payload: Mapping[str, str]
    organisation: str
    person: str | None
    state: JobState
    attempt: int
    """Increases when the same work of a subject is ordered again after it failed or was cancelled."""
    stopping: bool
    progress: Progress | None
    reason: Text | None
    """Why it waits, failed or was cancelled."""
    queued_at: datetime
    started_at: datetime | None
    beat_at: datetime | None
    """When its worker was last heard of."""
    ended_at: datetime | None
    ahead: int = 0
    """The number of queued jobs before it."""
    readable: bool = True
    """Whether its payload is readable; a job with an unreadable payload is shown, and fails when its turn comes."""

    @property
    def ended(self) -> bool:
        return self.state not in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True)
class ClaimedJob:
    """A job with its worker's right to write to it."""

    job: Job
    held: work.WorkLease


def enqueue(change: Transaction, kind: WorkKind, subject: str, payload: Mapping[str, str]) -> int:
    """Queue work in the transaction that orders it and return its number; one job of a kind and subject at a time."""
    order = work.WorkRequest(LANE, kind, subject, payload, change.actor.organisation, change.actor.person or "")
    return work.put(change.connection, order, change.now)


def stop(change: Transaction, subject: str, reason: Text) -> None:
    """Cancel what is queued for ``subject``; a running job gets the order to stop at its next sign of life."""
    of_subject = (_OURS, _rows.key == subject)
    work.cancel(change.connection, reason, change.now, *of_subject)
    told = {"stopping": True, "reason": canonical_json(reason.model_dump())}
    running = _rows.state == JobState.RUNNING.value
    change.connection.execute(update(tables.work).where(*of_subject, running).values(told))


def claim(view: View, holder: str, seconds: int) -> ClaimedJob | None:
    """Return the next job for the worker ``holder``, leased for this many seconds, or None.

    A job whose worker has died comes before a new one, and keeps its attempt.
    """
    with view.store.database.write() as connection:
        now = view.store.clock()
        _note_alive(connection, seconds, now)
        claimed = work.claim(connection, LANE, work.Holder(holder, seconds), now)
    return None if claimed is None else ClaimedJob(_job(claimed[0], 0), claimed[1])


def _note_alive(connection: Connection, seconds: int, now: datetime) -> None:
    """Keep, for three lease times, that a worker has looked for work: the last one to do so holds the lease for all."""
    row = connection.scalar(select(tables.leases.c.renewed_at).where(tables.leases.c.name == WORKERS))
    if row is None or not timedelta() <= now - row < timedelta(seconds=seconds / 3):
        leases.acquire(connection, WORKERS, WORKERS, seconds, now)


def beat(view: View, claimed: ClaimedJob, progress: Progress | None = None) -> bool:
    """Give a sign of life and return whether the job is to stop; raises `StaleLeaseError` for a replaced worker."""
    values: dict[str, bytes] = {}
    if progress is not None:
        spelled = {"stage": progress.stage.model_dump(), "done": progress.done, "total": progress.total}
        values["progress"] = canonical_json(spelled)
    with view.store.database.write() as connection:
        return bool(work.beat(connection, claimed.held, view.store.clock(), **values).stopping)


def finish(view: View, claimed: ClaimedJob, state: JobState, reason: Text | None = None) -> None:
    """End the job, or let it wait (``queued``) to be claimed again; raises `StaleLeaseError` for a replaced worker."""
    with view.store.database.write() as connection:
        now = view.store.clock()
        if state is JobState.QUEUED:
            work.put_back(connection, claimed.held, reason, work.last_in(connection, LANE, now))
        else:
            work.end(connection, claimed.held, state, reason, now)


def jobs_of(view: View, subject: str) -> list[Job]:
    """Return the jobs of a record that ``view`` sees, newest first; raises `NotFoundError` if it sees no record."""
    if view.head(record_head(subject)) is None:
        raise NotFoundError("workspace.not_found", name=subject)
    return _newest_first(view, subject)


def jobs_under(view: View, head: str) -> list[Job]:
    """Return the jobs on the document of a head, ordered by anyone, newest first; none if the actor may not see it."""
    return [] if view.head(head) is None else _newest_first(view, head)


def ordered_jobs(view: View, subject: str) -> list[Job]:
    """Return the jobs on ``subject`` that this very person has ordered for this organisation, newest first."""
    own = (_rows.organisation == view.actor.organisation, _rows.person == (view.actor.person or ""))
    return _newest_first(view, subject, *own)


def jobs_ordered_for(view: View, subject: str) -> list[Job]:
    """Return the jobs on ``subject`` that anyone has ordered for the actor's organisation, newest first."""
    return _newest_first(view, subject, _rows.organisation == view.actor.organisation)


def live_jobs(view: View) -> list[Job]:
    """Return queued and running jobs, in the order of claiming, on records that ``view`` sees.

    Jobs that people have ordered for themselves alone are on no record, but count in the queue.
    """
    of_record = exists().where(tables.heads.c.name == literal(record_head("")) + _rows.key)
    rows = select(tables.work, of_record.label("of_record")).where(_OURS, work.OPEN)
    seen, ahead = [], 0
    with view.reading() as connection:
        here = View(view.store, view.actor, connection)
        for row in connection.execute(rows.order_by(_rows.state.desc(), _rows.ready_at, _rows.identity)).all():
            if row.of_record and (view.actor.sees_all or here.head(record_head(row.key)) is not None):
                seen.append(_job(row, ahead))
            ahead += row.state == JobState.QUEUED
    return seen


def _newest_first(view: View, subject: str, *where: ColumnElement[bool]) -> list[Job]:
    rows = select(tables.work).where(_OURS, _rows.key == subject, *where).order_by(_rows.identity.desc())
    with view.reading() as connection:
        return [_job(row, _ahead_of(connection, row)) for row in connection.execute(rows).all()]


def _ahead_of(connection: Connection, row: Row[Any]) -> int:
    """Return how many queued jobs `claim` would take before this one."""
    if row.state != JobState.QUEUED:
        return 0
    first = or_(_rows.ready_at < row.ready_at, and_(_rows.ready_at == row.ready_at, _rows.identity < row.identity))
    counted = select(func.count()).where(_OURS, _rows.state == JobState.QUEUED.value, work.OPEN, first)
    return connection.scalar(counted) or 0


def _job(row: Row[Any], ahead: int) -> Job:
    payload = _words(_PAYLOAD, row.payload)
    progress, reason = _words(_PROGRESS, row.progress), _words(_REASON, row.reason)
    return filled(
        Job,
        row,
        subject=row.key,
        payload=Payload(payload or {}),
        person=row.person or None,
        state=JobState(row.state),
        stopping=bool(row.stopping),
        progress=progress,
        reason=reason,
        ahead=ahead,
        readable=payload is not None,
    )


def _words(kind: TypeAdapter[_Words], kept: bytes | None) -> _Words | None:
    """Return a column's JSON value, or None if it is of another kind: no row may break its reader."""
    try:
        return kind.validate_json(kept) if kept else None
    except ValidationError:
        return None


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
