"""What jobs wait for: one reason, what is in the way, the place in the line, and roughly when it starts.

The desk of a pool: jobs come and end, and the desk decides which start, which are evicted and which wait.

`PoolScheduler` keeps its books from one decision to the next. One that is built afresh from a `PoolState` decides the
same: a decision depends only on pool, state and moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.resources import ANY_GPU, Vector, beyond, counted, format_vector, is_kind, missing, plus
from pilotbase_estate.documents.vocabularies import WaitReason
from pilotbase_estate.sharing.accounts import Account, allows, fits
from pilotbase_estate.sharing.books import Accounts
from pilotbase_estate.sharing.impossible import Empty, Placer
from pilotbase_estate.sharing.jobs import Pending, PoolState, QueuedJob, Running, SchedulingDecisions, UnplaceableJob
from pilotbase_estate.sharing.machines import hold_of_granted
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


_LIMITS = (WaitReason.PERSON_LIMIT, WaitReason.ORGANISATION_LIMIT)
"""In the order of `Account.caps`."""


@dataclass(frozen=True)
class JobWait:
    """Why a job waits."""

    job: str
    reason: WaitReason
    blocker: str
    """What is in its way: a job, an organisation, or how much is lacking of what."""
    position: int
    """Its place in the line of its organisation; 1 is the first."""
    starts: float | None
    """Roughly when it starts; None: unknown."""


def waits(desk: PoolScheduler, now: float) -> Mapping[str, JobWait]:
    """Return job → why it waits, for all that wait after the last decision."""
    about = estimates(desk.books, now)
    found = {}
    for account in desk.books.accounts.values():
        line = account.line.in_order()
        for index, pending in enumerate(line):
            found[pending.job.name] = _wait(desk, account, pending, line[0], index + 1, about, now)
    return found


def _wait(  # noqa: PLR0913 - what is the same for all jobs is told once
    desk: PoolScheduler, account: Account, pending: Pending, first: Pending, position: int,
    about: Mapping[str, float], now: float,
) -> JobWait:  # fmt: skip
    job = pending.job
    reason, blocker = _reason(desk, account, pending, first, now)
    starts: float | None = about.get(job.name)
    hold = desk.books.hold
    if reason is WaitReason.RECLAIMING:
        starts = desk.turn.claims[job.name]
    elif hold is not None and hold.job.name == job.name:
        starts = hold.kept.at
    elif reason in _LIMITS and starts is not None:
        cap = account.caps(job)[_LIMITS.index(reason)]
        starts = max(starts, hold_of_granted(cap.granted, cap.used, job, cap.runs, now).at)
    elif reason is WaitReason.MACHINES:
        starts = None
    elif reason is WaitReason.MAINTENANCE and starts is not None:
        starts = max(starts, desk.books.machines.next_opening(job, now) or starts)
    return JobWait(job.name, reason, blocker, position, starts)


def _reason(
    desk: PoolScheduler, account: Account, pending: Pending, first: Pending, now: float
) -> tuple[WaitReason, str]:
    """Return the first thing that must change, and what is in the way."""
    books, job = desk.books, pending.job
    for reason, cap in zip(_LIMITS, account.caps(job), strict=True):
        if not allows(cap.granted, cap.used, job.total):
            return reason, _spell(_over(cap.granted, cap.used, job.total))
        hold = desk.turn.limits.get(cap.key)
        if hold is not None and hold.of != job.name and not hold.lets(job, now):
            return WaitReason.RESERVED, hold.of
    if books.is_firm(pending) and not books.promises.admits_firmly(account, job):
        return WaitReason.PROMISED, _spell(missing(job.total, books.promises.left))
    if job.name in desk.turn.claims:
        return WaitReason.RECLAIMING, next((one.job.organisation for one in books.by_end() if not one.protected), "")
    machines = books.machines
    if desk.placer.place(machines.carrying(job), job.each, job.members) is None:
        return WaitReason.MACHINES, ", ".join(machines.short(desk.pool)[:3])
    if desk.placer.place(machines.open_to(job, now, machines.capacities), job.each, job.members) is None:
        return WaitReason.MAINTENANCE, _window(desk, job, now)
    if first is not pending:
        return WaitReason.BEHIND, first.job.name
    return _for_machines(desk, account, job, now)


def _for_machines(desk: PoolScheduler, account: Account, job: QueuedJob, now: float) -> tuple[WaitReason, str]:
    """Return why the first job of a line, which nothing of its own organisation holds back, has no machines."""
    books, machines = desk.books, desk.books.machines
    hold, claims = books.hold, desk.turn.claims
    kept_for_another = hold is not None and hold.job.name != job.name
    if fits(job.total, machines.free_in_all):
        if desk.placer.place(machines.open_to(job, now), job.each, job.members) is not None:
            if claims:
                return WaitReason.RESERVED, min(claims, key=lambda name: (claims[name], name))
            if hold is not None and kept_for_another:
                return WaitReason.RESERVED, hold.job.name
            return WaitReason.TURN, _next_turn(desk, account, now)
        if desk.placer.place(machines.free, job.each, job.members) is not None and not job.labels:
            return WaitReason.MAINTENANCE, _window(desk, job, now)
        return WaitReason.FRAGMENTED, _nearest(job, machines.open_to(job, now))
    if hold is not None and kept_for_another:
        return WaitReason.TURN, hold.job.organisation
    return WaitReason.POOL_FULL, _spell(missing(job.total, machines.free_in_all))


def _over(granted: Vector, used: Vector, asked: Vector) -> Vector:
    return {name: more for name, more in beyond(plus(used, asked), granted).items() if asked.get(name)}


def _told(lack: Vector) -> Vector:
    """Return what is lacking, as shown to people: if a kind of GPU is named, the sum of all kinds is left out."""
    kinds = any(is_kind(name) for name in lack)
    return {name: amount for name, amount in lack.items() if not kinds or name != ANY_GPU}


def _spell(lack: Vector) -> str:
    return format_vector(_told(lack))


def _window(desk: PoolScheduler, job: QueuedJob, now: float) -> str:
    closed = desk.books.machines.closed_during(job, now)
    return ", ".join(sorted(closed[0].nodes)[:3]) if closed else ""


def _nearest(job: QueuedJob, free: Mapping[str, Vector]) -> str:
    """Return what one member lacks on the machine that lacks least, or the machine where only some members fit."""
    lack = {node: _told(missing(job.each, there)) for node, there in free.items()}
    if not lack:
        return ""
    node = min(lack, key=lambda name: (len(lack[name]), sum(_parts(lack[name], job.each)), name))
    return f"{node}: {_spell(lack[node])}" if lack[node] else node


def _parts(lack: Vector, demand: Vector) -> list[float]:
    return [amount / demand[name] for name, amount in lack.items()]


def _next_turn(desk: PoolScheduler, account: Account, now: float) -> str:
    others = [one for one in desk.books.accounts.values() if len(one.line) and one is not account]
    return min(others, key=lambda one: one.turn(now)).name if others else account.name


_Whole = npt.NDArray[np.int64]


def estimates(books: Accounts, now: float) -> Mapping[str, float]:
    """Return job → roughly when it starts, for all that wait, if all that runs or goes before takes its full time.

    Machines are treated as one, and the organisations' lines as served in turn by weight. The start kept for the first
    job, and the latest restoration of a guarantee, are known and reported instead.
    """
    waiting = _dealt(books, now)
    if not waiting:
        return {}
    names = tuple(counted(books.pool.capacity))
    runs = list(books.by_end())
    needed = np.cumsum([[pending.job.total.get(name, 0) for name in names] for pending in waiting], axis=0)
    given = [[running.job.total.get(name, 0) for name in names] for running in runs]
    free = [books.machines.free_in_all.get(name, 0) for name in names]
    there = np.cumsum(np.array([free, *given], dtype=np.int64), axis=0)
    times = np.array([now, *(max(running.ends, now) for running in runs)])
    length = float(np.mean([pending.job.max_seconds for pending in waiting]))
    found = np.full(len(waiting), now)
    for column, name in enumerate(names):
        asked = np.array([pending.job.total.get(name, 0) > 0 for pending in waiting])
        at = _reached(needed[:, column], there[:, column], times, length)
        found = np.where(asked, np.maximum(found, at), found)
    return {pending.job.name: float(at) for pending, at in zip(waiting, found, strict=True)}


def _reached(needed: _Whole, there: _Whole, times: npt.NDArray[np.float64], length: float) -> npt.NDArray[np.float64]:
    """Return when so much has been given back; any need beyond all of it comes round after round."""
    index = np.searchsorted(there, needed)
    rounds = np.ceil(np.maximum(needed - there[-1], 0) / max(int(there[-1]), 1))
    reached: npt.NDArray[np.float64] = times[np.minimum(index, len(times) - 1)] + rounds * length
    return reached


def _dealt(books: Accounts, now: float) -> list[Pending]:
    """Return all that wait in the rough order of their starts."""
    keyed = [
        ((place + 1) / account.weight, account.turn(now), place, pending)
        for account in books.accounts.values()
        for place, pending in enumerate(account.line.in_order())
    ]
    return [pending for *_, pending in sorted(keyed, key=lambda entry: entry[:3])]
