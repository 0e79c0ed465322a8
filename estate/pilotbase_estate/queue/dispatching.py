"""The dispatcher of a pool: learns what has ended, admits what may start, and starts it. One at a time for each pool.

A decision is written, under the dispatcher's lease, before it is carried out, and carrying it out can be repeated. So a
dispatcher that dies at any step leaves rows from which the next one continues: a job recorded as running but unknown to
its backend is started there, once, under the attempt's number. The desk in memory is a copy of the rows: a turn that
fails discards it, and the next turn rebuilds it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pilotbase.documents.errors import InputError, PilotbaseError, RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.limits import EndReason
from pilotbase.documents.texts import Text, text
from pilotbase.sandbox.box.ends import END_TEXTS
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.leases import Lease
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction
from pilotbase_estate.backends.backend import AttemptPhase, BackendAwayError, EndCause, Metered, Status
from pilotbase_estate.documents.voucher import Usage, UsageSheet
from pilotbase_estate.queue import rows, sitting, turns
from pilotbase_estate.queue.pools import pool_of
from pilotbase_estate.queue.rows import Ending, JobRow, OtherEngineError, QueueState, require_own
from pilotbase_estate.queue.submitting import NO_TIES, PLACER, order_of
from pilotbase_estate.queue.turns import ALL_THERE, Members, There
from pilotbase_estate.sharing.explaining import PoolScheduler
from pilotbase_estate.sharing.jobs import QueuedJob
from pilotbase_estate.vouchers import ledger
from pilotbase_estate.vouchers.rules import Ties
from pilotbase_estate.vouchers.settling import settle

LEASE_SECONDS = 30
SOURCE = "box"
"""The counters of the box that did the work: its control group, or /proc."""
LATE_SECONDS = 5.0
"""How much longer than its stated time a job may take before it is ended from outside: its box ends it first."""
_OWN_FAULT = (InputError, RefusedError, NotFoundError)
"""Errors while preparing or starting a job for which a retry would fail in the same way."""
_GONE = Status(AttemptPhase.ENDED, EndCause.LOST)


@dataclass(frozen=True)
class Turned:
    """What one turn did: names of jobs."""

    ended: tuple[str, ...] = ()
    started: tuple[str, ...] = ()
    evicted: tuple[str, ...] = ()

    @property
    def did_anything(self) -> bool:
        return bool(self.ended or self.started or self.evicted)


class Dispatcher:
    """Keeps the desk of one pool; ``name`` holds its lease. ``ties``: which organisations belong together."""

    def __init__(
        self, view: View, pool: str, members: Members, name: str, ties: Callable[[], Ties] = lambda: NO_TIES
    ) -> None:
        self._view, self._pool, self._members, self._name, self._ties = view, pool, members, name, ties
        self._lease: Lease | None = None
        self.desk: PoolScheduler | None = None
        """The desk after the last turn, which knows why each job waits; None: another dispatcher holds the pool."""
        self._version: tuple[Digest, There] = "", ALL_THERE
        self._waiting: dict[str, QueuedJob] = {}
        """Jobs that wait at the desk."""

    def turn(self, there: There = ALL_THERE) -> Turned | None:
        """Do what is due now and return it; None: another dispatcher holds the pool.

        ``there``: what is missing of its machines.

        Raises:
            BackendAwayError: the next turn continues from the rows.
            OtherEngineError: jobs of the pool run on another engine; the pool is left to that engine's worker.
        """
        desk, self.desk = self.desk, None
        self._lease = self._view.acquire(f"pool:{self._pool}", self._name, LEASE_SECONDS)
        if self._lease is None:
            return None
        self._require_own_engine()
        desk = self._brought_up_to_date(desk, there)
        ended = [job.name for job in self._running() if self._hear(desk, job)]
        self._take_new(desk)
        decided = desk.decide(self._now())
        evicted = [one.job for one in decided.evictions if self._evict(desk, one.job)]
        started = [one.job for one in decided.starts if self._start(desk, one.job, one.nodes)]
        turned = Turned(tuple(ended), tuple(started), tuple(evicted))
        if turned.did_anything or desk.books.running:
            self._keep(desk)
        self.desk = desk
        return turned

    def leave(self) -> None:
        """Release the pool to other dispatchers at once."""
        if self._lease is not None:
            self._view.release(self._lease)
            self._lease = self.desk = None

    def _require_own_engine(self) -> None:
        try:
            with self._view.reading() as connection:
                require_own(connection, self._members.backend.engine, self._pool)
        except OtherEngineError:
            self.leave()
            raise

    def _brought_up_to_date(self, desk: PoolScheduler | None, there: There) -> PoolScheduler:
        """Return the desk, rebuilt if another dispatcher ran since or the pool has changed."""
        digest, pool = pool_of(self._view, self._pool)
        if desk is not None and self._version == (digest, there):
            return desk
        with self._view.reading() as connection:
            live = rows.jobs_in(connection, self._pool)
            standing = turns.standing_of(connection, self._pool, live)
        made = PoolScheduler(pool, PLACER, standing, self._now(), there.capacities(pool))
        self._version = digest, there
        self._waiting = {job.name: QueuedJob.of(job.asked) for job in live if job.state is QueueState.WAITING}
        for refusal in made.refusals:
            del self._waiting[refusal.job]
            self._give_up(refusal.job, refusal.error)
        for job in live:
            if job.state is not QueueState.WAITING and not job.is_seat and not self._members.all_started(job):
                self._start_members(made, job)
        return made

    def _running(self) -> list[JobRow]:
        with self._view.reading() as connection:
            return rows.jobs_in(connection, self._pool, (QueueState.RUNNING, QueueState.STOPPING))

    def _take_new(self, desk: PoolScheduler) -> None:
        """Add what was handed in since the last turn to the desk, and remove what is no longer requested."""
        with self._view.reading() as connection:
            names = rows.names_waiting(connection, self._pool)
            names -= sitting.unasked(connection, self._pool, self._view.store.clock())
            found = (rows.find_job(connection, name) for name in sorted(names - self._waiting.keys()))
            new = [job for job in found if job is not None]
        for name in self._waiting.keys() - names:
            desk.withdraw(self._waiting.pop(name))
        for job in sorted(new, key=lambda one: (one.asked.submitted, one.name)):
            try:
                desk.submit(QueuedJob.of(job.asked), job.evictions)
                self._waiting[job.name] = QueuedJob.of(job.asked)
            except RefusedError as error:
                self._give_up(job.name, error)

    def _hear(self, desk: PoolScheduler, job: JobRow) -> bool:
        """Check a running job and return whether it has ended."""
        wanted = self._wanted_end(job)
        if job.is_seat:
            status, told = sitting.status_of(self._view, job, self._view.store.clock())
            statuses, wanted = [_GONE if wanted is Ending.LATE else status], wanted or told
        else:
            if wanted is not None:
                self._members.stop(job)
            statuses = self._members.statuses(job)
        if any(status.phase is not AttemptPhase.ENDED for status in statuses):
            return False
        self._end(desk, job, statuses, ending_of(statuses, wanted))
        return True

    def _wanted_end(self, job: JobRow) -> Ending | None:
        assert job.started_at is not None
        if job.state is QueueState.STOPPING:
            return Ending.CANCELLED
        return Ending.LATE if self._now() > job.started_at.timestamp() + job.asked.max_seconds + LATE_SECONDS else None

    def _evict(self, desk: PoolScheduler, name: str) -> bool:
        """End a job that was evicted; the desk already queues it again. Returns whether it does wait."""
        job = self._job(name)
        self._members.stop(job)
        statuses = self._members.statuses(job)
        follows = self._written_end(job, statuses, ending_of(statuses, Ending.EVICTED))
        if follows.state is QueueState.WAITING:
            self._waiting[name] = QueuedJob.of(job.asked)
        else:
            desk.withdraw(QueuedJob.of(job.asked))
        return follows.state is QueueState.WAITING

    def _start(self, desk: PoolScheduler, name: str, nodes: tuple[str, ...]) -> bool:
        """Record that a job runs, then start it; returns whether it runs. A job that was just cancelled does not."""
        del self._waiting[name]
        with self._view.transaction("compute.attempt_begun") as change:
            change.require_lease(self._required())
            now, job = change.now, rows.find_job(change.connection, name)
            assert job is not None
            if job.state is QueueState.WAITING:
                engine = "" if job.is_seat else self._members.backend.engine
                rows.insert_attempt(change.connection, job, nodes, now, engine)
                begun = {
                    "state": QueueState.RUNNING.value,
                    "attempt": job.attempt + 1,
                    "started_at": now,
                    "reason": None,
                }
                rows.update_job(change.connection, name, nodes=nodes, **begun)
        if job.state is not QueueState.WAITING:
            desk.end(name, self._now())
            return False
        started = replace(
            job, state=QueueState.RUNNING, attempt=job.attempt + 1, nodes=nodes, started_at=now, reason=None
        )
        return job.is_seat or self._start_members(desk, started)

    def _start_members(self, desk: PoolScheduler, job: JobRow) -> bool:
        """Start every member of a job that is recorded as running; returns whether they run."""
        try:
            self._members.start(job)
        except BackendAwayError:
            raise  # it is unknown whether it runs: the next turn asks again
        except PilotbaseError as error:
            self._members.stop(job)
            own = isinstance(error, _OWN_FAULT)
            status = Status(AttemptPhase.ENDED, EndCause.FAILED, detail=str(error))
            self._end(desk, job, [status], Ending.FAILED if own else Ending.LOST, error.text if own else None)
            return False
        return True

    def _end(
        self, desk: PoolScheduler, job: JobRow, statuses: Sequence[Status], ending: Ending, reason: Text | None = None
    ) -> None:
        """Record how an attempt ended and what follows, then update the desk."""
        follows = self._written_end(job, statuses, ending, reason)
        desk.end(job.name, self._now())
        if follows.state is QueueState.WAITING:
            desk.submit(QueuedJob.of(job.asked), job.evictions)
            self._waiting[job.name] = QueuedJob.of(job.asked)

    def _written_end(self, job: JobRow, statuses: Sequence[Status], ending: Ending, reason: Text | None = None) -> Next:
        """Record how an attempt ended, and return what follows; ``reason`` replaces the usual one.

        A job that was cancelled in the meantime no longer waits.
        """
        metered = sum_of(statuses)
        with self._view.transaction("compute.attempt_ended") as change:
            change.require_lease(self._required())
            now = rows.find_job(change.connection, job.name)
            assert now is not None
            follows = next_of(now, ending, statuses)
            if reason is not None:
                follows = replace(follows, reason=reason)
            rows.end_attempt(change.connection, job, ending, metered, change.now)
            follows = pay(self._view.within(change), change, job, follows, metered, self._ties())
            rows.update_job(
                change.connection,
                job.name,
                state=follows.state.value,
                reason=follows.reason,
                losses=job.losses + follows.losses,
                evictions=job.evictions + follows.evictions,
                nodes=(),
                ended_at=None if follows.state in rows.LIVE else change.now,
            )
            facts = {"attempt": job.attempt, "ending": ending.value}
            change.record("compute.attempt_ended", [f"compute-job:{job.name}"], facts)
        return follows

    def _give_up(self, name: str, error: RefusedError) -> None:
        """End a waiting job that could never run in the pool as it is now."""
        with self._view.transaction("compute.given_up") as change:
            change.require_lease(self._required())
            job = rows.find_job(change.connection, name)
            if job is None or job.state is not QueueState.WAITING:
                return
            over = {"state": QueueState.FAILED.value, "reason": error.text, "ended_at": change.now}
            rows.update_job(change.connection, name, **over)
            next_attempt = replace(job, attempt=job.attempt + 1)
            given_up = Next(QueueState.FAILED, error.text, paid=False)
            pay(self._view.within(change), change, next_attempt, given_up, sum_of([]), self._ties())

    def _job(self, name: str) -> JobRow:
        with self._view.reading() as connection:
            found = rows.find_job(connection, name)
        assert found is not None
        return found

    def _keep(self, desk: PoolScheduler) -> None:
        """Keep what the next decision depends on, so that another dispatcher decides as this one would."""
        with self._view.store.database.write() as connection:
            turns.keep(connection, self._pool, desk.state(self._now()))

    def _required(self) -> Lease:
        assert self._lease is not None
        return self._lease

    def _now(self) -> float:
        return self._view.store.clock().timestamp()


def pay(here: View, change: Transaction, job: JobRow, follows: Next, metered: Metered, ties: Ties) -> Next:
    """Settle an attempt, or release what was set aside for it and set it aside for the next; return what follows.

    In the transaction in which the job moves on.

    If the voucher no longer pays when its job is to be retried, the job ends with the reason.
    """
    if not job.voucher:
        return follows
    if follows.paid:
        settle(here, change, _sheet(job, metered, change))
        return follows
    ledger.release(here, change, job.name, job.attempt)
    if follows.state is not QueueState.WAITING:
        return follows
    try:
        ledger.hold(here, change, order_of(job.asked, job.attempt + 1, job.voucher), ties)
    except PilotbaseError as error:
        return replace(follows, state=QueueState.FAILED, reason=error.text)
    return follows


def _sheet(job: JobRow, metered: Metered, change: Transaction) -> UsageSheet:
    assert job.started_at is not None
    gpus = {name: held for name, held in job.asked.total.items() if name.startswith("gpu/")}  # what is held was used
    usage = Usage(
        source=SOURCE,
        node=job.nodes[0] if job.nodes else SOURCE,
        wall_ms=metered.wall_ms,
        cpu_ms=metered.cpu_ms,
        memory_mib_ms=metered.memory_mib_ms,
        gpu_ms={name.removeprefix("gpu/"): metered.wall_ms * held // 1000 for name, held in gpus.items()},
    )
    return UsageSheet(job=job.name, attempt=job.attempt, started_at=job.started_at, ended_at=change.now, usage=usage)


MOST_LOSSES = 3


@dataclass(frozen=True)
class Next:
    """A job's state after an attempt, and whether the attempt is paid for."""

    state: QueueState
    reason: Text | None
    paid: bool
    losses: int = 0
    evictions: int = 0


def ending_of(statuses: Sequence[Status], wanted: Ending | None) -> Ending:
    """Return how an attempt whose members have all ended did end; ``wanted``: why we ended it, if we did.

    If it was only stopped, and no reason is recorded, a dispatcher evicted it and died before recording that.
    """
    causes = [status.cause for status in statuses]
    boxes = [status.box for status in statuses]
    if all(box is EndReason.FINISHED for box in boxes):
        return Ending.DONE
    if wanted is not None:
        return wanted
    if EndReason.WALL_LIMIT in boxes:
        return Ending.LATE
    if any(cause in (EndCause.LOST, EndCause.FAILED) for cause in causes):
        return Ending.LOST
    by_themselves = [box for box, cause in zip(boxes, causes, strict=True) if cause is EndCause.RAN]
    return Ending.FAILED if any(box is not EndReason.FINISHED for box in by_themselves) else Ending.EVICTED


def next_of(job: JobRow, ending: Ending, statuses: Sequence[Status]) -> Next:
    """Return the state of ``job`` after its attempt has ended that way."""
    if ending is Ending.DONE:
        return Next(QueueState.DONE, None, paid=True)
    if ending is Ending.CANCELLED or (job.state is QueueState.STOPPING and ending in (Ending.EVICTED, Ending.LOST)):
        return Next(QueueState.CANCELLED, job.reason, paid=ending is Ending.CANCELLED)
    if ending is Ending.EVICTED:
        return Next(QueueState.WAITING, text("pool.ending.evicted"), paid=False, evictions=1)
    if ending is Ending.LATE:
        return Next(QueueState.FAILED, text("pool.ending.late"), paid=True)
    if ending is Ending.LOST:
        given_up = job.losses + 1 >= MOST_LOSSES
        state = QueueState.FAILED if given_up else QueueState.WAITING
        reason = text("pool.ending.lost_too_often", times=MOST_LOSSES) if given_up else text("pool.ending.lost")
        return Next(state, reason, paid=False, losses=1)
    return Next(QueueState.FAILED, _own_fault(statuses), paid=True)


def sum_of(statuses: Sequence[Status]) -> Metered:
    """Return what all members used: the longest time by the clock, the sums of the rest."""
    metered = [status.metered for status in statuses]
    return Metered(
        wall_ms=max((one.wall_ms for one in metered), default=0),
        cpu_ms=sum(one.cpu_ms for one in metered),
        memory_mib_ms=sum(one.memory_mib_ms for one in metered),
        memory_peak_bytes=max((one.memory_peak_bytes for one in metered), default=0),
    )


def _own_fault(statuses: Sequence[Status]) -> Text:
    boxes = [status.box for status in statuses if status.box not in (None, EndReason.FINISHED, EndReason.CANCELLED)]
    return END_TEXTS[boxes[0]] if boxes and boxes[0] is not None else text("pool.ending.failed")
