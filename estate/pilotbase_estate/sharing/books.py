"""What runs and waits in a pool, kept up to date with every start and end, so that no decision recounts it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

from pilotbase_estate.documents.pool import Pool, Quota
from pilotbase_estate.documents.resources import Vector, counted
from pilotbase_estate.sharing.accounts import Account
from pilotbase_estate.sharing.amounts import add, times_fitting
from pilotbase_estate.sharing.asks import Asks
from pilotbase_estate.sharing.holds import NodeHold, hold_again
from pilotbase_estate.sharing.jobs import Pending, PoolState, QueuedJob, Recent, Running
from pilotbase_estate.sharing.machines import Free, FreeMachines
from pilotbase_estate.sharing.promises import CapacityGuarantees

LEAST_RUN = 1.0
"""Seconds that a job runs in any pool: a decision never evicts what it has just started."""


class Accounts:
    """The jobs of a pool by organisation, by machine and by end, and what is left beside the promises."""

    def __init__(self, pool: Pool, state: PoolState, now: float, there: Mapping[str, Vector] | None = None) -> None:
        self.pool = pool
        self.minimum_run = max(pool.minimum_run, LEAST_RUN)
        self.machines = FreeMachines(pool, there)
        quotas = {quota.organisation: quota for quota in pool.quotas}
        for running in state.running:  # an organisation that lost its quota keeps what runs
            quotas.setdefault(running.job.organisation, Quota(organisation=running.job.organisation))
        none = Recent(0.0, now)
        self.accounts = {
            name: Account(quota, pool, state.recent.get(name, none)) for name, quota in sorted(quotas.items())
        }
        self.promises = CapacityGuarantees(pool)
        self.asks = Asks(tuple(counted(pool.capacity)), tuple(self.machines.free.values()))
        self.prospects = StartForecast(self.machines, self.asks)
        self._columns = {node: column for column, node in enumerate(self.machines.free)}
        self.hold: NodeHold | None = None
        self.running: dict[str, Running] = {}
        self._ends: list[tuple[float, str]] = []
        self._begun: list[tuple[float, str]] = []
        for running in sorted(state.running, key=_cover_order):
            self._take(running, now)
        kept = next((one.job for one in state.pending if state.kept and one.job.name == state.kept.job), None)
        if state.kept is not None and kept is not None and self.machines.free.keys() >= set(state.kept.nodes):
            self.hold = hold_again(state.kept, kept, self.machines, self.running.values())

    def is_firm(self, pending: Pending) -> bool:
        """Return whether nobody may evict a job: it may not be evicted at all, or was evicted often enough.

        A job that could never run without borrowing can still be evicted to restore a guarantee.
        """
        job = pending.job
        if job.preemptible and pending.evictions < self.pool.evictions_at_most:
            return False
        return not job.preemptible or self.promises.can_be_firm(self.accounts[job.organisation], job)

    def wait(self, pending: Pending) -> None:
        """Note that a job waits."""
        self.accounts[pending.job.organisation].line.add(pending)
        self.asks.add(pending.job)

    def leave(self, job: QueuedJob) -> Pending:
        """Note that a job no longer waits and return it; raises `KeyError`."""
        self.asks.remove(job)
        if self.hold is not None and self.hold.job.name == job.name:
            self.keep(None)
        return self.accounts[job.organisation].line.remove(job.name)

    def start(self, pending: Pending, nodes: tuple[str, ...], now: float) -> Running:
        """Note that a waiting job starts."""
        self.leave(pending.job)
        return self._take(Running(pending.job, nodes, now, pending.evictions), now)

    def keep(self, hold: NodeHold | None) -> None:
        """Note for which job machines are kept from now on."""
        self.hold = hold
        self.asks.let_go()

    def stop(self, name: str, now: float, covering: bool = True) -> Running:
        """Note that a job no longer runs and return it; raises `KeyError`.

        ``covering``: the part of the guarantee that it leaves protects others at once; otherwise when `cover_more` is
        called.
        """
        running = self.running.pop(name)
        account = self.accounts[running.job.organisation]
        account.give_back(running, now)
        self.machines.move(running.nodes, running.job, 1)
        if self.hold is not None:
            self.hold.moved(running, 1)
        del self._begun[bisect_left(self._begun, (running.started, name))]
        del self._ends[bisect_left(self._ends, (running.ends, name))]
        if running.protected:
            self.promises.protect(account, self._held(running), -1)
            if covering:
                self.cover_more(account)
        return running

    def cover_more(self, account: Account) -> None:
        """Protect what has come within the guarantee, in the order of starts."""
        for running in sorted(account.lent.values(), key=_cover_order):
            if self.promises.covers(account, running.job, self._held(running)):
                self.promises.protect(account, self._held(running), 1)
                self.running[running.job.name] = _protected(running, True)
                account.protect(self.running[running.job.name])

    def look_at_machines(self) -> None:
        """Recompute what fits, on machines that have changed."""
        if not self.machines.changed:
            return
        for node in sorted(self.machines.changed):
            free = self.machines.free[node]
            self.asks.changed(self._columns[node], free, free if self.hold is None else self.hold.beside[node])
        self.machines.changed.clear()

    def by_end(self) -> Iterator[Running]:
        """Yield what runs, in the order of ends."""
        return (self.running[name] for _, name in self._ends)

    def has_run(self, running: Running, now: float) -> bool:
        """Return whether a job has run its minimum time."""
        return now >= running.started + self.minimum_run

    def next_has_run(self, now: float) -> float | None:
        """Return when the next job has run its minimum time; None: all have."""
        minimum = self.minimum_run
        young = bisect_right(self._begun, now - minimum, key=lambda entry: entry[0])
        return self._begun[young][0] + minimum if young < len(self._begun) else None

    def yields(self, running: Running, now: float) -> bool:
        """Return whether a job may be evicted when no guarantee requires it."""
        often = running.evictions >= self.pool.evictions_at_most
        return running.job.preemptible and not often and self.has_run(running, now)

    def _take(self, running: Running, now: float) -> Running:
        job = running.job
        account = self.accounts[job.organisation]
        if running.protected is None:
            firm = self.is_firm(Pending(job, running.evictions))
            running = _protected(running, firm or self.promises.covers(account, job, self._held(running)))
        if running.protected:
            self.promises.protect(account, self._held(running), 1)
        account.take(running, now)
        self.running[job.name] = running
        self.machines.move(running.nodes, job, -1)
        if self.hold is not None:
            self.hold.moved(running, -1)
        insort(self._begun, (running.started, job.name))
        insort(self._ends, (running.ends, job.name))
        return running

    def _held(self, running: Running) -> Vector:
        return self.machines.held_in_all(running.job, running.nodes)


def _cover_order(running: Running) -> tuple[bool, int, float, str]:
    job = running.job
    return job.preemptible, -job.priority, running.started, job.name


def _protected(running: Running, protected: bool) -> Running:
    return Running(running.job, running.nodes, running.started, running.evictions, protected)


class StartForecast:
    """The last prospect of each organisation's jobs: if all candidates do not suffice, no order need be tried.

    Most waiting jobs request more than could be freed, in decision after decision. So the number of members that would
    fit is kept, and only machines that have changed are recounted.
    """

    def __init__(self, machines: FreeMachines, asks: Asks) -> None:
        self._machines, self._asks = machines, asks
        self._kept: dict[tuple[str, str], tuple[Hashable, Prospect]] = {}

    def of_own(self, claimant: Account, job: QueuedJob) -> bool:
        """Return whether jobs of its own organisation with a lower priority could make room for a job."""
        of = job.ask, job.priority, claimant.changes
        return self._is_enough(("own", claimant.name), of, job, lambda: claimant.lower(job))

    def for_share(self, givers: Sequence[Account], claimant: Account, job: QueuedJob) -> bool:
        """Return whether organisations could make room and still keep at least the share that the claimant then has."""
        if not givers:
            return False
        of = job.ask, claimant.changes, *((giver.name, giver.changes) for giver in givers)

        def given() -> Iterable[Running]:
            after = claimant.share_with(job.total)
            return (running for giver in givers for running in giver.can_give(after))

        return self._is_enough(("share", claimant.name), of, job, given)

    def _is_enough(
        self, key: tuple[str, str], of: Hashable, job: QueuedJob, ended: Callable[[], Iterable[Running]]
    ) -> bool:
        kept = self._kept.get(key)
        if kept is None or kept[0] != of:
            kept = self._kept[key] = of, Prospect(self._machines, job, ended())
        return self._asks.fitting(job.ask) + kept[1].more() >= job.members


class Prospect:
    """How many more members of a job would fit if none of ``ended`` ran, as sums on each machine show."""

    def __init__(self, machines: FreeMachines, job: QueuedJob, ended: Iterable[Running]) -> None:
        self._machines, self._asked, self._most = machines, job.each, job.members
        self._freed: Free = {}
        for running in ended:
            for node in running.nodes:
                if node in machines.free:
                    add(self._freed.setdefault(node, {}), machines.held(running.job, node))
        self._more = dict.fromkeys(self._freed, 0)
        self._seen = -1

    def more(self) -> int:
        """Return how many."""
        moved = self._machines.moved
        for node, freed in self._freed.items():
            if moved[node] > self._seen:
                self._more[node] = self._more_on(self._machines.free[node], freed)
        self._seen = self._machines.moves
        return sum(self._more.values())

    def _more_on(self, free: Vector, freed: Vector) -> int:
        after = dict(free)
        add(after, freed)
        return times_fitting(self._asked, after, self._most) - times_fitting(self._asked, free, self._most)
