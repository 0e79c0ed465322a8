"""Jobs and attempts as rows, and how they are found and moved."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select, update

from pilotbase.documents.api.shapes import filled
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.texts import Text
from pilotbase_estate.backends.backend import Metered
from pilotbase_estate.documents.pool import ComputeJob
from pilotbase_estate.documents.resources import Vector
from pilotbase_estate.workspace import tables

_jobs, _attempts = tables.compute_jobs.c, tables.compute_attempts.c


class QueueState(StrEnum):
    """A job's state; names: text ``pool.state.<value>``."""

    WAITING = "waiting"
    RUNNING = "running"
    STOPPING = "stopping"
    """It runs, and its end was requested."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE = (QueueState.WAITING, QueueState.RUNNING, QueueState.STOPPING)
OVER = (QueueState.DONE, QueueState.FAILED, QueueState.CANCELLED)


class Ending(StrEnum):
    """How an attempt ended; names: text ``pool.ending.<value>``."""

    DONE = "done"
    FAILED = "failed"
    """By its own fault, or at a limit."""
    LATE = "late"
    """It took longer than its stated time."""
    EVICTED = "evicted"
    LOST = "lost"
    """Its machine or process disappeared, or could not be set up: not its own fault."""
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class JobRow:
    """A job's row; see `tables.compute_jobs`."""

    asked: ComputeJob
    work: str
    subject: str
    voucher: str
    state: QueueState
    attempt: int
    losses: int
    evictions: int
    nodes: tuple[str, ...]
    reason: Text | None
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def name(self) -> str:
        return self.asked.name

    @property
    def is_seat(self) -> bool:
        """Return whether a process of the base does the work itself."""
        return not self.work

    @property
    def thing(self) -> str:
        """The thing that it is about, '': jobs about one thing differ in what follows an ``@`` in their subject."""
        return self.subject.partition("@")[0]


@dataclass(frozen=True)
class AttemptRow:
    """One attempt; see `tables.compute_attempts`."""

    job: str
    number: int
    pool: str
    organisation: str
    held: Vector
    nodes: tuple[str, ...]
    ending: Ending | None
    metered: Metered
    began_at: datetime
    ended_at: datetime | None


class OtherEngineError(RefusedError):
    """Jobs run on an engine other than this worker's."""


def insert_job(connection: Connection, asked: ComputeJob, work: str, subject: str, voucher: str) -> None:
    """Write a new job that waits."""
    values = {
        **{name: getattr(asked, name) for name in ("name", "pool", "organisation", "person")},
        "kind": asked.kind.value,
        "subject": subject,
        "state": QueueState.WAITING.value,
        "asked": asked.canonical().decode(),
        "work": work,
        "voucher": voucher,
        **dict.fromkeys(("attempt", "losses", "evictions"), 0),
        "nodes": "[]",
        "reason": "",
        "submitted_at": asked.submitted,
    }
    connection.execute(insert(tables.compute_jobs).values(values))


def find_job(connection: Connection, name: str) -> JobRow | None:
    """Return a job; None: there is none."""
    return next(iter(_jobs_where(connection, _jobs.name == name)), None)


def jobs_in(connection: Connection, pool: str, states: Iterable[QueueState] = LIVE) -> list[JobRow]:
    """Return the jobs of a pool in these states, in the order of submission."""
    return _jobs_where(connection, _jobs.pool == pool, _is(states))


def jobs_between(connection: Connection, pool: str, since: datetime, until: datetime) -> list[JobRow]:
    """Return the jobs of a pool that were handed in between two moments, in the order of submission."""
    return _jobs_where(connection, *_handed_in(pool, since, until))


def ended_by_organisation(connection: Connection, pool: str, since: datetime, until: datetime) -> dict[str, int]:
    """Return how many jobs, handed in to a pool between two moments, each organisation ran to their end."""
    ended = (*_handed_in(pool, since, until), _is(OVER), _jobs.attempt > 0)
    counted = select(_jobs.organisation, func.count()).where(*ended).group_by(_jobs.organisation)
    return {organisation: int(count) for organisation, count in connection.execute(counted)}


def names_waiting(connection: Connection, pool: str, seats: bool = False) -> set[str]:
    """Return the names of the jobs, or only of the ``seats``, that wait for a pool."""
    wanted = (_jobs.pool == pool, _is([QueueState.WAITING]), *([_jobs.work == ""] if seats else []))
    return set(connection.scalars(select(_jobs.name).where(*wanted)))


def jobs_over(connection: Connection, pool: str, organisation: str, most: int) -> list[JobRow]:
    """Return the newest jobs of a pool that have ended, the last one first; ``organisation`` "": of all."""
    wanted = (
        _jobs.pool == pool,
        _is(OVER),
        *([_jobs.organisation == organisation] if organisation else []),
    )
    rows = select(tables.compute_jobs).where(*wanted).order_by(_jobs.ended_at.desc(), _jobs.name)
    return [_job(row) for row in connection.execute(rows.limit(most))]


def live_job_about(connection: Connection, subject: str) -> JobRow | None:
    """Return the job about a subject that waits or runs; None: there is none."""
    return next(iter(_jobs_where(connection, _jobs.subject == subject, _is(LIVE))), None)


def seats_about(connection: Connection, thing: str) -> list[JobRow]:
    """Return the seats about a thing that wait or are taken: one, or one for each ``THING@PART``."""
    about = (_jobs.subject == thing) | _jobs.subject.startswith(f"{thing}@", autoescape=True)
    return _jobs_where(connection, about, _jobs.work == "", _is(LIVE))


def update_job(connection: Connection, name: str, **values: Any) -> None:
    """Change columns of a job: ``state``, ``attempt``, ``nodes`` …"""
    if "nodes" in values:
        values["nodes"] = json.dumps(list(values["nodes"]))
    if "reason" in values:
        values["reason"] = values["reason"].model_dump_json() if values["reason"] is not None else ""
    connection.execute(update(tables.compute_jobs).where(_jobs.name == name).values(values))


def insert_attempt(
    connection: Connection, job: JobRow, nodes: tuple[str, ...], now: datetime, engine: str = ""
) -> None:
    """Record that the next attempt of a job begins, on an engine; "": a process of the base does the work."""
    asked = job.asked
    values = {
        "job": job.name,
        "number": job.attempt + 1,
        "pool": asked.pool,
        "organisation": asked.organisation,
        "held": json.dumps(asked.total, sort_keys=True),
        "nodes": json.dumps(list(nodes)),
        "ending": "",
        **_counted(Metered()),
        "began_at": now,
        "engine": engine,
    }
    connection.execute(insert(tables.compute_attempts).values(values))


def end_attempt(connection: Connection, job: JobRow, ending: Ending, metered: Metered, now: datetime) -> None:
    """Record how the running attempt of a job ended, and what it used."""
    here = (_attempts.job == job.name, _attempts.number == job.attempt)
    values = {"ending": ending.value, **_counted(metered), "ended_at": now}
    connection.execute(update(tables.compute_attempts).where(*here).values(values))


def tell_ending(connection: Connection, job: str, number: int, ending: Ending, metered: Metered) -> bool:
    """Record how an attempt ended, as reported by the process doing the work; return whether it was still open.

    `end_attempt` is still due.
    """
    here = (_attempts.job == job, _attempts.number == number, _attempts.ended_at.is_(None))
    values = {"ending": ending.value, **_counted(metered)}
    return connection.execute(update(tables.compute_attempts).where(*here).values(values)).rowcount == 1


def attempts_of(connection: Connection, job: str) -> list[AttemptRow]:
    """Return the attempts of a job, the first one first."""
    rows = select(tables.compute_attempts).where(_attempts.job == job).order_by(_attempts.number)
    return [_attempt(row) for row in connection.execute(rows)]


def attempts_between(connection: Connection, pool: str, since: datetime, until: datetime) -> list[AttemptRow]:
    """Return the attempts of a pool that ran at any time between two moments."""
    ran = (_attempts.began_at < until) & (_attempts.ended_at.is_(None) | (_attempts.ended_at > since))
    rows = select(tables.compute_attempts).where(_attempts.pool == pool, ran)
    return [_attempt(row) for row in connection.execute(rows.order_by(_attempts.began_at))]


def require_own(connection: Connection, engine: str, pool: str = "") -> None:
    """Require that all that runs in a pool, or in any, runs on ``engine``, as far as it is known.

    A worker that looked for an attempt on the wrong engine would call it lost, and run it twice. Seats do not count:
    the process that does their work holds their boxes, and nothing looks for them.

    Raises:
        OtherEngineError: ``compute.other_engine``.
    """
    runs = _is([QueueState.RUNNING, QueueState.STOPPING])
    elsewhere = _attempts.engine.not_in(["", engine])
    wanted = (runs, elsewhere, _jobs.pool == pool) if pool else (runs, elsewhere)
    same = (_jobs.name == _attempts.job) & (_jobs.attempt == _attempts.number)
    found = select(_jobs.name, _attempts.engine).join_from(tables.compute_jobs, tables.compute_attempts, same)
    running = connection.execute(found.where(*wanted).order_by(_jobs.name)).all()
    if running:
        job, theirs = running[0]
        raise OtherEngineError("compute.other_engine", count=len(running), job=job, running=theirs, own=engine)


def _jobs_where(connection: Connection, *wanted: ColumnElement[bool]) -> list[JobRow]:
    """Return jobs in the order of submission."""
    rows = select(tables.compute_jobs).where(*wanted).order_by(_jobs.submitted_at, _jobs.name)
    return [_job(row) for row in connection.execute(rows)]


def _is(states: Iterable[QueueState]) -> ColumnElement[bool]:
    return _jobs.state.in_([state.value for state in states])


def _counted(metered: Metered) -> dict[str, int]:
    return {name: amount for name, amount in vars(metered).items() if name != "memory_peak_bytes"}


def _handed_in(pool: str, since: datetime, until: datetime) -> tuple[ColumnElement[bool], ...]:
    return _jobs.pool == pool, _jobs.submitted_at >= since, _jobs.submitted_at < until


def _job(row: Row[Any]) -> JobRow:
    return filled(
        JobRow,
        row,
        asked=ComputeJob.model_validate_json(row.asked),
        state=QueueState(row.state),
        nodes=tuple(json.loads(row.nodes)),
        reason=Text.model_validate_json(row.reason) if row.reason else None,
    )


def _attempt(row: Row[Any]) -> AttemptRow:
    return filled(
        AttemptRow,
        row,
        held=json.loads(row.held),
        nodes=tuple(json.loads(row.nodes)),
        ending=Ending(row.ending) if row.ending else None,
        metered=Metered(row.wall_ms, row.cpu_ms, row.memory_mib_ms),
    )
