"""What runs and waits in a pool, kept up to date with every start and end, so that no decision recounts it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from pilotbase_estate.documents.pool import Pool, Quota
from pilotbase_estate.documents.resources import Vector, counted
from pilotbase_estate.sharing.accounts import Account, CapacityGuarantees, add, times_fitting
from pilotbase_estate.sharing.jobs import Ask, Pending, PoolState, QueuedJob, Recent, Running
from pilotbase_estate.sharing.machines import Free, FreeMachines, NodeHold, hold_again

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


_Whole = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]
_NO_PLACE, _HELD, _OPEN = range(3)
_ANY_NUMBER = 1 << 40
_ARRAYS = ("_each", "_unasked", "_slots", "_fitting", "_members", "_refused", "_kept_out", "_told")


class Asks:
    """The demands of all waiting jobs, each once."""

    def __init__(self, dimensions: Sequence[str], free: Sequence[Vector]) -> None:
        self._dimensions = tuple(dimensions)
        self._free = np.array([self._counted(one) for one in free], dtype=np.int64)
        self._columns: dict[Ask, int] = {}
        self._asks: list[Ask] = []
        self._waiting: dict[Ask, int] = {}
        self._each = np.ones((len(self._dimensions), 64))
        """A member's request in each dimension, 1 where it is zero; there `_unasked` makes any number fit."""
        self._unasked = np.zeros_like(self._each)
        self._slots = np.zeros((len(free), 64), dtype=np.int64)
        self._fitting = np.zeros(64, dtype=np.int64)
        """How many members fit on all machines together."""
        self._members = np.zeros(64, dtype=np.int64)
        self._refused = np.zeros(64, dtype=np.bool_)
        self._kept_out = np.zeros(64, dtype=np.bool_)
        self._told = np.zeros(64, dtype=np.int64)
        self.open: set[Ask] = set()
        """Those that fit."""
        self.held: set[Ask] = set()
        """Those that fit, but not beside the job that machines are kept for."""

    def add(self, job: QueuedJob) -> None:
        """Note that a job waits."""
        ask = job.ask
        self._waiting[ask] = self._waiting.get(ask, 0) + 1
        if ask in self._columns:
            return
        column = self._columns[ask] = len(self._asks)
        self._asks.append(ask)
        if column == len(self._told):
            for name in _ARRAYS:
                array = getattr(self, name)
                setattr(self, name, np.concatenate([array, array], axis=-1))
        amounts = np.array(self._counted(job.each), dtype=np.int64)
        self._each[:, column] = np.maximum(amounts, 1)
        self._unasked[:, column] = np.where(amounts == 0, _ANY_NUMBER, 0)
        self._slots[:, column] = _fitting(self._free.T, self._each[:, [column]], self._unasked[:, [column]])
        self._fitting[column] = self._slots[:, column].sum()
        self._members[column] = job.members
        self._refused[column] = self._kept_out[column] = False
        self._told[column] = _NO_PLACE
        self._tell(np.array([column]))

    def remove(self, job: QueuedJob) -> None:
        """Note that a job no longer waits."""
        ask = job.ask
        self._waiting[ask] -= 1
        if self._waiting[ask]:
            return
        del self._waiting[ask]
        self.open.discard(ask)
        self.held.discard(ask)
        column, last = self._columns.pop(ask), len(self._asks) - 1
        moved = self._asks.pop()
        if column != last:
            self._asks[column], self._columns[moved] = moved, column
            for name in _ARRAYS:
                array = getattr(self, name)
                array[..., column] = array[..., last]

    def may_fit(self, ask: Ask) -> bool:
        """Return whether a demand may fit, as far as sums on each machine show."""
        return ask in self.open or ask in self.held

    def fitting(self, ask: Ask) -> int:
        """Return how many members of a waiting demand fit on all machines."""
        return int(self._fitting[self._columns[ask]])

    def refuse(self, ask: Ask) -> None:
        """Note that the placer found no room, although the sums allow it: until a machine that has some changes."""
        self._refused[self._columns[ask]] = True
        self._tell(np.array([self._columns[ask]]))

    def hold(self, ask: Ask) -> None:
        """Note that a demand doesn't fit beside the job with kept machines; ends when a machine with room changes."""
        self._kept_out[self._columns[ask]] = True
        self._tell(np.array([self._columns[ask]]))

    def let_go(self) -> None:
        """Note that machines are kept for another job, or in another way."""
        there = self._kept_out[: len(self._asks)].nonzero()[0]
        self._kept_out[there] = False
        self._tell(there)

    def changed(self, machine: int, free: Vector, beside: Vector) -> None:
        """Note what is free on a machine now; ``beside``: the part that stays free beside what is kept."""
        there = slice(0, len(self._asks))
        self._free[machine] = self._counted(free)
        before, after = self._slots[machine, there], self._fitting_into(self._free[machine])
        news = after != before
        self._fitting[there] += after - before
        self._slots[machine, there] = after
        if self._refused[there].any():
            news |= self._refused[there]
            self._refused[there] &= after == 0
        if self._kept_out[there].any():
            news |= self._kept_out[there]
            self._kept_out[there] &= self._fitting_into(np.array(self._counted(beside))) == 0
        self._tell(news.nonzero()[0])

    def _counted(self, vector: Vector) -> list[int]:
        return [vector.get(name, 0) for name in self._dimensions]

    def _fitting_into(self, free: _Whole) -> _Whole:
        """Return how many members of each demand fit into what is free of a machine."""
        there = slice(0, len(self._asks))
        return _fitting(free[:, None], self._each[:, there], self._unasked[:, there])

    def _tell(self, columns: npt.NDArray[np.intp]) -> None:
        """Bring the two sets up to date."""
        finds = (self._fitting[columns] >= self._members[columns]) & ~self._refused[columns]
        now = finds * (_OPEN - self._kept_out[columns])
        news = (now != self._told[columns]).nonzero()[0]
        told = dict(zip([self._asks[column] for column in columns[news]], now[news].tolist(), strict=True))
        # New sets: one that was emptied is as slow to iterate as when it was full.
        self.open = self.open.difference(told) | {ask for ask, state in told.items() if state == _OPEN}
        self.held = self.held.difference(told) | {ask for ask, state in told.items() if state == _HELD}
        self._told[columns] = now


def _fitting(free: _Whole, each: _Floats, unasked: _Floats) -> _Whole:
    """Return how many times ``each`` fits into what is free; all axes but the first (dimensions) broadcast.

    Divided as floats, in a fifth of the time: exact for amounts below 2^53, and `MOST_BYTES` is 2^50.
    """
    times = np.floor(np.maximum(free, 0) / each) + unasked
    least: _Floats = np.minimum.reduce(times)
    return least.astype(np.int64)
