"""The dispatcher of a pool: hears what has ended, lets in what may start, and starts it. One at a time for each pool.

What is decided is written, under the dispatcher's lease, before it is done; what is done can be done again. So who dies
at any step leaves rows from which the next one goes on: a job that is written as running and is not known to its
backend is started there, once, under the attempt's number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from pilotbase.compute.backends.backend import Attempt, Cause, ComputeBackend, JobSpec, Phase, Status, Work
from pilotbase.compute.queue import rows, seats, turns
from pilotbase.compute.queue.ending import Next, ending_of, next_of, sum_of
from pilotbase.compute.queue.paying import pay
from pilotbase.compute.queue.pools import pool_of
from pilotbase.compute.queue.rows import Ending, JobRow, State
from pilotbase.compute.queue.submitting import NO_TIES, PLACER
from pilotbase.compute.sharing.desk import Desk
from pilotbase.compute.sharing.jobs import Job
from pilotbase.compute.vouchers.relations import Ties
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.limits import Limits
from pilotbase.workspace.leases import Lease
from pilotbase.workspace.store import View

LEASE_SECONDS = 30
GRACE_SECONDS = 5.0
LATE_SECONDS = 5.0
"""So much longer than it said a job may take before it is ended from outside: its box ends it first."""


@dataclass(frozen=True)
class Prepared:
    """What a backend is given to do for a job."""

    work: Work
    limits: Limits
    uid: int | None = None


Works = Callable[[JobRow], Prepared]
"""Reads `JobRow.work`; raises `PilotbaseError` where its files are not to be had."""


@dataclass(frozen=True)
class Means:
    """With what a dispatcher does its work."""

    backend: ComputeBackend
    works: Works
    ties: Callable[[], Ties] = lambda: NO_TIES
    """Which organisations belong together, for vouchers."""


@dataclass(frozen=True)
class Turned:
    """What one turn did: names of jobs."""

    ended: tuple[str, ...] = ()
    started: tuple[str, ...] = ()
    evicted: tuple[str, ...] = ()
    again_at: float | None = None


class Dispatcher:
    """Keeps the desk of one pool; ``name`` holds its lease."""

    def __init__(self, view: View, pool: str, means: Means, name: str) -> None:
        self._view, self._pool, self._name = view, pool, name
        self._backend, self._works, self._ties = means.backend, means.works, means.ties
        self._lease: Lease | None = None
        self._desk: Desk | None = None
        self._known: tuple[str, set[str]] = ("", set())

    @property
    def desk(self) -> Desk | None:
        """The desk after the last turn, which knows why each job waits; None: another dispatcher has the pool."""
        return self._desk

    def turn(self) -> Turned | None:
        """Do what is to be done now and return it; None: another dispatcher has the pool."""
        if not self._holds_lease():
            self._desk = None
            return None
        self._bring_up_to_date()
        ended = [job.name for job in self._running() if self._hear(job)]
        self._take_new()
        assert self._desk is not None
        decided = self._desk.decide(self._now())
        evicted = [one.job for one in decided.evictions if self._evict(one.job)]
        started = [one.job for one in decided.starts if self._start(one.job, one.nodes)]
        self._keep()
        return Turned(tuple(ended), tuple(started), tuple(evicted), decided.again_at)

    def leave(self) -> None:
        """Let another dispatcher have the pool at once."""
        if self._lease is not None:
            self._view.release(self._lease)
            self._lease = self._desk = None

    def _holds_lease(self) -> bool:
        self._lease = self._view.acquire(f"pool:{self._pool}", self._name, LEASE_SECONDS)
        return self._lease is not None

    def _bring_up_to_date(self) -> None:
        """Make the desk anew where it is not ours from before, or the pool is another version."""
        digest, pool = pool_of(self._view, self._pool)
        if self._desk is not None and self._known[0] == digest:
            return
        with self._view.reading() as connection:
            live = rows.jobs_in(connection, self._pool)
            standing = turns.standing_of(connection, self._pool, live)
        self._desk = Desk(pool, PLACER, standing, self._now())
        self._known = digest, {job.name for job in live}
        for job in live:
            if job.state is not State.WAITING and not job.is_seat:
                self._start_members(job)
        for refusal in self._desk.refusals:
            self._give_up(refusal.job, refusal.error)

    def _running(self) -> list[JobRow]:
        with self._view.reading() as connection:
            return rows.jobs_in(connection, self._pool, (State.RUNNING, State.STOPPING))

    def _take_new(self) -> None:
        """Let what was handed in since the last turn wait at the desk, and what was taken back leave it."""
        assert self._desk is not None
        with self._view.reading() as connection:
            waiting = {job.name: job for job in rows.jobs_in(connection, self._pool, (State.WAITING,))}
        for account in self._desk.books.accounts.values():
            for pending in list(account.line.in_order()):
                if pending.job.name not in waiting:
                    self._desk.withdraw(pending.job)
        for name, job in waiting.items():
            if name not in self._known[1]:
                self._known[1].add(name)
                try:
                    self._desk.submit(Job.of(job.asked), job.evictions)
                except PilotbaseError as error:
                    self._give_up(name, error)

    def _hear(self, job: JobRow) -> bool:
        """Look how a running job stands and return whether it has ended."""
        wanted = self._wanted_end(job)
        if job.is_seat:
            statuses = [seats.status_of(self._view, job, self._view.store.clock())]
        else:
            if wanted is not None:
                self._stop_members(job)
            statuses = self._statuses(job)
            if any(_failed(status) for status in statuses):
                self._stop_members(job)
                statuses = self._statuses(job)
        if any(status.phase is not Phase.ENDED for status in statuses):
            return False
        self._end(job, statuses, ending_of(statuses, wanted))
        return True

    def _wanted_end(self, job: JobRow) -> Ending | None:
        assert job.started_at is not None
        if job.state is State.STOPPING:
            return Ending.CANCELLED
        return Ending.LATE if self._now() > job.started_at.timestamp() + job.asked.max_seconds + LATE_SECONDS else None

    def _statuses(self, job: JobRow) -> list[Status]:
        """Return how the members of a started job stand; what its backend does not know any more is lost."""
        found = [self._backend.poll(attempt) for attempt in _members(job)]
        return [Status(Phase.ENDED, Cause.LOST) if one.phase is Phase.UNKNOWN else one for one in found]

    def _end(self, job: JobRow, statuses: Sequence[Status], ending: Ending, at_desk: bool = True) -> None:
        """Write how an attempt has ended and what follows, then let the desk know.

        ``at_desk``: the desk counts it as running; otherwise as evicted, so that it waits there again.
        """
        follows = next_of(job, ending, statuses)
        with self._view.transaction("compute.attempt_ended") as change:
            change.require_lease(self._required())
            rows.end_attempt(change.connection, job, ending, sum_of(statuses), change.now)
            follows = pay(self._view.within(change), change, job, follows, sum_of(statuses), self._ties())
            self._move(change.connection, job, follows)
            facts = {"attempt": job.attempt, "ending": ending.value}
            change.record("compute.attempt_ended", [f"compute-job:{job.name}"], facts)
        assert self._desk is not None
        if at_desk:
            self._desk.end(job.name, self._now())
            if follows.state is State.WAITING:
                self._desk.submit(Job.of(job.asked), job.evictions)
        elif follows.state is not State.WAITING:
            self._desk.withdraw(Job.of(job.asked))

    def _move(self, connection: Connection, job: JobRow, follows: Next) -> None:
        over = follows.state not in rows.LIVE
        rows.update_job(
            connection,
            job.name,
            state=follows.state.value,
            reason=follows.reason,
            losses=job.losses + follows.losses,
            evictions=job.evictions + follows.evictions,
            nodes=(),
            ended_at=self._view.store.clock() if over else None,
        )

    def _evict(self, name: str) -> bool:
        """End a job for another one; the desk has taken it for evicted already."""
        job = self._job(name)
        self._stop_members(job)
        statuses = self._statuses(job)
        self._end(job, statuses, ending_of(statuses, Ending.EVICTED), at_desk=False)
        return True

    def _start(self, name: str, nodes: tuple[str, ...]) -> bool:
        """Write that a job runs, then let it; returns whether it does."""
        job = self._job(name)
        with self._view.transaction("compute.attempt_begun") as change:
            change.require_lease(self._required())
            now = change.now
            rows.insert_attempt(change.connection, job, nodes, now)
            begun = {"state": State.RUNNING.value, "attempt": job.attempt + 1, "started_at": now, "reason": None}
            rows.update_job(change.connection, name, nodes=nodes, **begun)
        started = replace(job, state=State.RUNNING, attempt=job.attempt + 1, nodes=nodes, started_at=now, reason=None)
        return job.is_seat or self._start_members(started)

    def _start_members(self, job: JobRow) -> bool:
        """Have every member started on its node; a job that cannot be is taken for lost."""
        try:
            prepared = self._works(job)
            known = {node.name for node in self._backend.capacity()}
            for attempt, node in zip(_members(job), job.nodes, strict=True):
                self._backend.start(
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
        except PilotbaseError as error:
            self._stop_members(job)
            self._end(job, [Status(Phase.ENDED, Cause.FAILED, detail=str(error))], Ending.LOST)
            return False
        return True

    def _stop_members(self, job: JobRow) -> None:
        for attempt in _members(job):
            self._backend.stop(attempt, GRACE_SECONDS)

    def _give_up(self, name: str, error: PilotbaseError) -> None:
        """End a job that could never run as the pool is now."""
        with self._view.transaction("compute.given_up") as change:
            change.require_lease(self._required())
            job = rows.find_job(change.connection, name)
            if job is None or job.state is not State.WAITING:
                return
            over = {"state": State.FAILED.value, "reason": error.text, "ended_at": change.now}
            rows.update_job(change.connection, name, **over)
            follows = Next(State.FAILED, error.text, paid=False)
            waiting = replace(job, attempt=job.attempt + 1)
            pay(self._view.within(change), change, waiting, follows, sum_of([]), self._ties())

    def _job(self, name: str) -> JobRow:
        with self._view.reading() as connection:
            found = rows.find_job(connection, name)
        assert found is not None
        return found

    def _keep(self) -> None:
        """Keep what the next decision rests on, so that another dispatcher decides as this one would."""
        assert self._desk is not None
        with self._view.store.database.write() as connection:
            turns.keep(connection, self._pool, self._desk.state(self._now()))

    def _required(self) -> Lease:
        assert self._lease is not None
        return self._lease

    def _now(self) -> float:
        return self._view.store.clock().timestamp()


def _members(job: JobRow) -> list[Attempt]:
    return [Attempt(job.name, job.attempt, member) for member in range(job.asked.members)]


def _failed(status: Status) -> bool:
    """Tell whether a member has ended otherwise than it should: then the others end too."""
    return status.phase is Phase.ENDED and (status.cause is not Cause.RAN or status.exit_code != 0)


def _limits(job: JobRow, limits: Limits) -> Limits:
    """Return the limits of one member's box: what was asked for bounds it."""
    demand = job.asked.demand.vector
    asked: dict[str, object] = {"wall_seconds": min(limits.wall_seconds, job.asked.max_seconds)}
    if "memory" in demand:
        asked["memory_bytes"] = demand["memory"]
    if demand.get("cpu"):
        asked["cpu_seconds"] = max(1, round(job.asked.max_seconds * demand["cpu"] / 1000))
    return Limits.model_validate({**limits.model_dump(), **asked})
