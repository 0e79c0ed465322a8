"""A pool with two organisations, and a backend whose jobs end when the test says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.limits import EndReason, Limits
from pilotbase.documents.vocabularies import Role
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.store import Store, View
from pilotbase_estate.backends.backend import (
    AttemptPhase,
    BackendAwayError,
    BackendNode,
    EndCause,
    JobSpec,
    LogPart,
    MemberAttempt,
    Metered,
    ProgramWork,
    Status,
)
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.resources import Resources
from pilotbase_estate.queue import rows
from pilotbase_estate.queue.dispatching import Dispatcher
from pilotbase_estate.queue.pools import set_pool
from pilotbase_estate.queue.rows import JobRow
from pilotbase_estate.queue.submitting import JobRequest, submit
from pilotbase_estate.queue.turns import Members, Prepared

OPERATOR = Actor("base", frozenset({Role.OPERATOR}))
POOL = Pool.model_validate(
    {
        "document": "pool/1",
        "name": "shared",
        "title": "Shared",
        "machines": [{"name": "node", "count": 2, "capacity": {"cpu": 5}}],
        "quotas": [
            {"organisation": "mill", "guarantee": {"cpu": 7}},
            {"organisation": "port", "guarantee": {"cpu": 3}},
        ],
        "minimum_run": "1 min",
    }
)
USED = Metered(wall_ms=4000, cpu_ms=3000, memory_mib_ms=2000, memory_peak_bytes=1)


@dataclass
class Scripted:
    """A backend that starts what it is told to, once, and ends it when the test says so."""

    standing: dict[MemberAttempt, Status] = field(default_factory=dict)
    starts: list[MemberAttempt] = field(default_factory=list)
    refuses: bool = False
    away: bool = False
    goes_at_start: bool = False
    engine: str = "local"
    holds_room = True
    nodes: tuple[BackendNode, ...] = (BackendNode("node-1", {"cpu": 5000}), BackendNode("node-2", {"cpu": 5000}))

    def capacity(self) -> list[BackendNode]:
        if self.away:
            raise BackendAwayError
        return list(self.nodes)

    def start(self, spec: JobSpec) -> None:
        if self.goes_at_start:
            self.goes_at_start, self.away = False, True
        if self.away:
            raise BackendAwayError
        if self.refuses:
            raise PilotbaseError("compute.node_silent", job=spec.attempt.name, seconds=1)
        if spec.attempt not in self.standing:
            self.starts.append(spec.attempt)
            self.standing[spec.attempt] = Status(AttemptPhase.RUNNING)

    def poll(self, attempt: MemberAttempt) -> Status:
        if self.away:
            raise BackendAwayError
        return self.standing.get(attempt, Status(AttemptPhase.UNKNOWN))

    def stop(self, attempt: MemberAttempt, grace_seconds: float) -> None:
        if self.poll(attempt).phase is AttemptPhase.RUNNING:
            self.end(attempt, EndCause.STOPPED, EndReason.CANCELLED)

    def logs(self, attempt: MemberAttempt, offset: int) -> LogPart:
        return LogPart(b"", offset)

    def output(self, attempt: MemberAttempt) -> bytes | None:
        return None

    def forget(self, attempt: MemberAttempt) -> None:
        self.standing.pop(attempt, None)

    def end(
        self, attempt: MemberAttempt, cause: EndCause = EndCause.RAN, box: EndReason | None = EndReason.FINISHED
    ) -> None:
        code = 0 if box is EndReason.FINISHED else None
        self.standing[attempt] = Status(AttemptPhase.ENDED, cause, box, exit_code=code, metered=USED)


def works(job: JobRow) -> Prepared:
    return Prepared(ProgramWork(Path(job.work), ("main.py",)), Limits())


class Hall:
    """A base with the pool, its dispatcher, and people who ask for it."""

    def __init__(self, store: Store, backend: Scripted | None = None) -> None:
        self.store, self.backend = store, backend or Scripted()
        self.view, self.pool = store.as_actor(OPERATOR), POOL
        set_pool(self.view, POOL)
        self.dispatcher = self.another("first")

    def another(self, name: str) -> Dispatcher:
        return Dispatcher(self.view, "shared", Members(self.backend, works), name)

    def person(self, organisation: str, name: str = "li") -> View:
        return self.store.as_actor(Actor(organisation, frozenset({Role.SUPPLIER}), name))

    def ask(self, organisation: str, cpu: float = 1, seconds: float = 600, **more: object) -> str:
        asking = JobRequest("shared", Resources.model_validate({"cpu": cpu}), seconds, **{"work": "/work", **more})  # type: ignore[arg-type]
        return submit(self.person(organisation), asking).name

    def job(self, name: str) -> JobRow:
        with self.view.reading() as connection:
            found = rows.find_job(connection, name)
        assert found is not None
        return found

    def attempts(self, name: str) -> list[rows.AttemptRow]:
        with self.view.reading() as connection:
            return rows.attempts_of(connection, name)
