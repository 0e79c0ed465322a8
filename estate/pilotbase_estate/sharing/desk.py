"""The desk of a pool: jobs come and end, and the desk decides which start, which are evicted and which wait.

`PoolScheduler` keeps its books from one decision to the next. One that is built afresh from a `PoolState` decides the
same: a decision depends only on pool, state and moment.
"""

from __future__ import annotations

from collections.abc import Mapping

from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.resources import Vector
from pilotbase_estate.sharing.books import Accounts
from pilotbase_estate.sharing.impossible import Empty
from pilotbase_estate.sharing.jobs import Pending, PoolState, QueuedJob, Running, SchedulingDecisions, UnplaceableJob
from pilotbase_estate.sharing.placer import Placer
from pilotbase_estate.sharing.turn import SchedulingCycle


class PoolScheduler:
    """One pool's desk. Decisions count as done, and evicted jobs wait again; report a job that did not start as ended.

    ``there``: machine → what is present of it, if that is less than the pool says: jobs that need more wait for it.
    """

    def __init__(
        self,
        pool: Pool,
        placer: Placer,
        state: PoolState | None = None,
        now: float = 0.0,
        there: Mapping[str, Vector] | None = None,
    ) -> None:
        state = state or PoolState()
        self.pool, self.placer = pool, placer
        self.books = Accounts(pool, state, now, there)
        self.turn = SchedulingCycle(self.books, placer, now)
        """The last decision, which knows what each job waits for."""
        self._empty = Empty(pool, placer)
        refusals = []
        for pending in state.pending:
            error = self._empty.refusal(pending.job)
            if error is None:
                self.books.wait(pending)
            else:
                refusals.append(UnplaceableJob(pending.job.name, error))
        self.refusals = tuple(refusals)

    @property
    def waiting(self) -> int:
        """Return how many jobs wait."""
        return sum(len(account.line) for account in self.books.accounts.values())

    def submit(self, job: QueuedJob, evictions: int = 0) -> None:
        """Queue a job; one that already waits or runs, by its name, is not handed in again.

        Raises:
            RefusedError: it could never run (``pool.larger_than_machine`` and others).
        """
        error = self._empty.refusal(job)
        if error is not None:
            raise error
        if job.name in self.books.running or job.name in self.books.accounts[job.organisation].line:
            return
        self.books.wait(Pending(job, evictions))

    def withdraw(self, job: QueuedJob) -> None:
        """Remove a waiting job; raises `KeyError`."""
        self.books.leave(job)

    def end(self, name: str, now: float) -> Running:
        """Note that a running job has ended and return it; raises `KeyError`."""
        return self.books.stop(name, now)

    def decide(self, now: float) -> SchedulingDecisions:
        """Return what to do at ``now``."""
        self.turn = SchedulingCycle(self.books, self.placer, now)
        return self.turn.take()

    def state(self, now: float) -> PoolState:
        """Return all that a later desk needs to decide as this one would."""
        accounts = self.books.accounts
        return PoolState(
            tuple(self.books.running.values()),
            tuple(pending for account in accounts.values() for pending in account.line.in_order()),
            {name: account.snapshot(now) for name, account in accounts.items()},
            self.books.hold.kept if self.books.hold is not None else None,
        )
