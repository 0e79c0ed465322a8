"""The queue: jobs as plain rows, claimed by a fenced lease, each step of them seen by who ordered the work.

    queued ──▶ running ──▶ done
       │  ▲       ├──────▶ failed      the reason stands in the row
       │  └───────┤ waits              something else must end first: the same attempt, later
       └──────────┴──────▶ cancelled

A worker that dies leaves a running job whose lease runs out; the next worker takes it over with the same attempt. So a
handler must be able to go on from what its stage has committed. Every write of a worker names its lease: one that was
replaced can write no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, Row, and_, exists, func, insert, literal, or_, select, update

from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import canonical_json
from pilotbase.documents.progress import Progress
from pilotbase.documents.subjects import record_head
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.workspace import leases, tables
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.leases import Lease
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

_jobs = tables.jobs.c
_WAITS_SINCE = func.coalesce(_jobs.beat_at, _jobs.queued_at)
_ORDER = (_jobs.state.desc(), _WAITS_SINCE, _jobs.identity)
"""Running before queued; one that was put back comes after those that have not been tried."""
_Words = TypeVar("_Words")
_PAYLOAD = TypeAdapter(dict[str, str])
_PROGRESS = TypeAdapter(Progress)
_REASON = TypeAdapter(Text)
WORKERS = "workers"
"""Name of the lease by which workers without a job are heard of."""


class JobState(StrEnum):
    """Where a job stands; names: text ``job.state.<value>``."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Payload(dict[str, str]):
    """What a job was ordered with; a word that it lacks fails the job, in words."""

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
    """Counts up when the same work of a subject is ordered again after it failed or was cancelled."""
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
    """How many queued jobs come first."""
    readable: bool = True
    """Whether its payload could be read; a job whose payload could not is shown, and fails when its turn comes."""

    @property
    def ended(self) -> bool:
        return self.state not in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True)
class Claim:
    """A job with the lease that its worker holds."""

    job: Job
    lease: Lease


def enqueue(change: Transaction, kind: WorkKind, subject: str, payload: Mapping[str, str]) -> int:
    """Queue work in the transaction that orders it and return its number; one job of a kind and subject at a time."""
    same = (_jobs.kind == kind, _jobs.subject == subject)
    live = (_jobs.state.in_([JobState.QUEUED.value, JobState.RUNNING.value]), ~_jobs.stopping)
    known = change.connection.scalar(select(_jobs.identity).where(*same, *live))
    if known is not None:
        return int(known)
    before = change.connection.scalar(select(func.max(_jobs.attempt)).where(*same)) or 0
    values = {
        "kind": kind,
        "subject": subject,
        "payload": canonical_json(dict(payload)),
        "organisation": change.actor.organisation,
        "person": change.actor.person or "",
        "state": JobState.QUEUED.value,
        "attempt": before + 1,
        "stopping": False,
        "queued_at": change.now,
    }
    key = change.connection.execute(insert(tables.jobs).values(values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def stop(change: Transaction, subject: str, reason: Text) -> None:
    """Cancel what is queued for ``subject``; what runs is told to stop at its next sign of life."""
    queued = (_jobs.subject == subject, _jobs.state == JobState.QUEUED.value)
    ended = {"state": JobState.CANCELLED.value, "reason": _spell(reason), "ended_at": change.now}
    change.connection.execute(update(tables.jobs).where(*queued).values(ended))
    running = (_jobs.subject == subject, _jobs.state == JobState.RUNNING.value)
    told = {"stopping": True, "reason": _spell(reason)}
    change.connection.execute(update(tables.jobs).where(*running).values(told))


def claim(view: View, holder: str, seconds: int) -> Claim | None:
    """Return the next job for the worker ``holder``, leased for so many seconds, or None.

    A job whose worker has died comes before a new one, with the attempt that it had.
    """
    with view.store.database.write() as connection:
        now = view.store.clock()
        _note_alive(connection, seconds, now)
        rows = select(tables.jobs).where(_jobs.state.in_([JobState.RUNNING.value, JobState.QUEUED.value]))
        for row in connection.execute(rows.order_by(*_ORDER)).all():
            lease = leases.acquire(connection, f"job:{row.identity}", holder, seconds, now)
            if lease is not None:
                begun = {"state": JobState.RUNNING.value, "started_at": row.started_at or now, "beat_at": now}
                connection.execute(update(tables.jobs).where(_jobs.identity == row.identity).values(begun))
                return Claim(_read(connection, row.identity), lease)
    return None


def _note_alive(connection: Connection, seconds: int, now: datetime) -> None:
    """Keep, thrice a lease, that a worker has asked for work: whichever did so last holds the lease of all."""
    row = connection.scalar(select(tables.leases.c.renewed_at).where(tables.leases.c.name == WORKERS))
    if row is None or not timedelta() <= now - row < timedelta(seconds=seconds / 3):
        leases.acquire(connection, WORKERS, WORKERS, seconds, now)


def beat(view: View, claimed: Claim, progress: Progress | None = None) -> bool:
    """Give a sign of life and return whether the job is to stop; raises `StaleLeaseError` for one that was replaced."""
    with view.store.database.write() as connection:
        now = view.store.clock()
        leases.renew(connection, claimed.lease, now)
        values: dict[str, Any] = {"beat_at": now}
        if progress is not None:
            spelled = {"stage": progress.stage.model_dump(), "done": progress.done, "total": progress.total}
            values["progress"] = canonical_json(spelled)
        here = _jobs.identity == claimed.job.identity
        connection.execute(update(tables.jobs).where(here).values(values))
        return bool(connection.scalar(select(_jobs.stopping).where(here)))


def finish(view: View, claimed: Claim, state: JobState, reason: Text | None = None) -> None:
    """End the job, or let it wait (``queued``) to be claimed again; raises `StaleLeaseError` for a replaced worker."""
    with view.store.database.write() as connection:
        leases.require(connection, claimed.lease)
        values: dict[str, Any] = {"state": state.value, "progress": None}
        if reason is not None:
            values["reason"] = _spell(reason)
        now = view.store.clock()
        if state is JobState.QUEUED:
            values["beat_at"] = _last_in_queue(connection, now)
        else:
            values["ended_at"] = now
        connection.execute(update(tables.jobs).where(_jobs.identity == claimed.job.identity).values(values))
        leases.release(connection, claimed.lease)


def _last_in_queue(connection: Connection, now: datetime) -> datetime:
    """Return a moment after which nothing waits yet: a clock that was set back lets nothing that waits go first."""
    waiting = func.max(_WAITS_SINCE)
    newest = connection.scalar(select(waiting).where(_jobs.state == JobState.QUEUED.value))
    return now if newest is None or newest < now else newest + timedelta(microseconds=1)


def jobs_of(view: View, subject: str) -> list[Job]:
    """Return the jobs of a record that ``view`` sees, newest first; raises `NotFoundError` where it sees no record."""
    if view.head(record_head(subject)) is None:
        raise NotFoundError("workspace.not_found", name=subject)
    with view.reading() as connection:
        rows = select(_jobs.identity).where(_jobs.subject == subject).order_by(_jobs.identity.desc())
        return [_read(connection, identity) for identity in connection.scalars(rows).all()]


def jobs_under(view: View, head: str) -> list[Job]:
    """Return the jobs on what stands under a head, by whomever, newest first; none where the actor may not see it."""
    if view.head(head) is None:
        return []
    with view.reading() as connection:
        rows = select(_jobs.identity).where(_jobs.subject == head).order_by(_jobs.identity.desc())
        return [_read(connection, identity) for identity in connection.scalars(rows).all()]


def ordered_jobs(view: View, subject: str) -> list[Job]:
    """Return the jobs on ``subject`` that this very person has ordered for this organisation, newest first."""
    own = (_jobs.organisation == view.actor.organisation, _jobs.person == (view.actor.person or ""))
    with view.reading() as connection:
        rows = select(_jobs.identity).where(_jobs.subject == subject, *own).order_by(_jobs.identity.desc())
        return [_read(connection, identity) for identity in connection.scalars(rows).all()]


def jobs_ordered_for(view: View, subject: str) -> list[Job]:
    """Return the jobs on ``subject`` that anybody has ordered for the actor's organisation, newest first."""
    with view.reading() as connection:
        own = (_jobs.subject == subject, _jobs.organisation == view.actor.organisation)
        rows = select(_jobs.identity).where(*own).order_by(_jobs.identity.desc())
        return [_read(connection, identity) for identity in connection.scalars(rows).all()]


def live_jobs(view: View) -> list[Job]:
    """Return what is queued and running, in the order of claiming, on records that ``view`` sees.

    What a person has ordered for themselves alone is on no record.
    """
    with view.reading() as connection:
        of_record = exists().where(tables.heads.c.name == literal(record_head("")) + _jobs.subject)
        rows = select(_jobs.identity, _jobs.subject).where(
            _jobs.state.in_([JobState.RUNNING.value, JobState.QUEUED.value]), of_record
        )
        live = connection.execute(rows.order_by(*_ORDER)).all()
        here = View(view.store, view.actor, connection)
        seen = (row for row in live if view.actor.sees_all or here.head(record_head(row.subject)) is not None)
        return [_read(connection, row.identity) for row in seen]


def _read(connection: Connection, identity: int) -> Job:
    row = connection.execute(select(tables.jobs).where(_jobs.identity == identity)).one()
    return _job(row, _ahead_of(connection, row) if row.state == JobState.QUEUED else 0)


def _ahead_of(connection: Connection, row: Row[Any]) -> int:
    """Return how many queued jobs `claim` would take before this one."""
    since = row.beat_at or row.queued_at
    first = or_(since > _WAITS_SINCE, and_(since == _WAITS_SINCE, _jobs.identity < row.identity))
    counted = select(func.count()).select_from(tables.jobs).where(_jobs.state == JobState.QUEUED.value, first)
    return connection.scalar(counted) or 0


def _job(row: Row[Any], ahead: int) -> Job:
    payload = _words(_PAYLOAD, row.payload)
    progress, reason = _words(_PROGRESS, row.progress), _words(_REASON, row.reason)
    return Job(
        identity=row.identity,
        kind=row.kind,
        subject=row.subject,
        payload=Payload(payload or {}),
        organisation=row.organisation,
        person=row.person or None,
        state=JobState(row.state),
        attempt=row.attempt,
        stopping=bool(row.stopping),
        progress=progress,
        reason=reason,
        queued_at=row.queued_at,
        started_at=row.started_at,
        beat_at=row.beat_at,
        ended_at=row.ended_at,
        ahead=ahead,
        readable=payload is not None,
    )


def _words(kind: TypeAdapter[_Words], kept: bytes | None) -> _Words | None:
    """Return what a column holds as JSON, or None where that is none of its kind: no row may end who reads it."""
    try:
        return kind.validate_json(kept) if kept else None
    except ValidationError:
        return None


def _spell(reason: Text) -> bytes:
    return canonical_json(reason.model_dump())
