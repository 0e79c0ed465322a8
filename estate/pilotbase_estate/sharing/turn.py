"""One decision: guarantees first, then what is promised to nobody and what is lent, in the order of shares.

A job starts if all its members find room. It passes a waiting job only if it does not delay it. While a guarantee is
being restored, nothing starts that would still run when it is due, unless it is within a guarantee itself. Otherwise
new borrowers, each with its own minimum time, would come as fast as old ones go.

Which jobs make room for another one: as few as possible, and only if the state after it is better.

**Reclaim**: for a job within its organisation's guarantee, everything lent can be taken back, first from the
organisation with most beyond its own guarantee, the youngest job first. **Share**: for a job of an organisation that
has less than others, as long as it then still has no more than each of those that gave (less than or equal to the final
share, Kueue KEP-1714). So the shares in ascending order grow in the lexicographic sense (leximin) with every such
eviction, and with every start: the same jobs never come to the same state twice. **Own**: for a job with a higher
priority, jobs of its own organisation; at most ``evictions_at_most`` times each, as for share. An organisation's past
use never counts against a running job: history orders starts but evicts nobody, or two jobs would take turns forever.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from pilotbase_estate.sharing.accounts import Account, Tally, add, allows
from pilotbase_estate.sharing.books import Accounts
from pilotbase_estate.sharing.impossible import Placer
from pilotbase_estate.sharing.jobs import Cause, Evict, JobStart, Pending, QueuedJob, Running, SchedulingDecisions
from pilotbase_estate.sharing.machines import Hold, NodeHold, Room, hold_of_granted, hold_of_machines

DEPTH = 32
"""How many shapes of waiting jobs are tried in each organisation, in their order."""
Nodes = tuple[str, ...]


class SchedulingCycle:
    """What is decided at one moment; the books are kept up to date with it."""

    def __init__(self, books: Accounts, placer: Placer, now: float) -> None:
        self._books, self._placer, self._now = books, placer, now
        self._starts: list[JobStart] = []
        self._evictions: list[Evict] = []
        self._evicted: list[Pending] = []
        self._again: list[float] = []
        self._freed: set[str] = set()
        """Organisations of evicted jobs: the guarantee that these free protects others once the job has started."""
        self._looked: set[str] = set()
        """Organisations that have looked for room to be made by others."""
        self._denied: set[str] = set()
        self._firm_waits = False
        self._ways: dict[str, bool] = {}
        self._in_vain: set[str] = set()
        """Jobs for which machines could not be kept."""
        self.claims: dict[str, float] = {}
        """Job → when its claim is met at the latest."""
        self._due = math.inf
        """When the first of these claims is met."""
        self.limits: dict[str, Hold] = {}
        """Organisation, or person of one, → what is kept of its limit."""

    def take(self) -> SchedulingDecisions:
        """Decide."""
        self._renew_hold()
        waiting = [account for account in self._books.accounts.values() if len(account.line)]
        for account in sorted(waiting, key=lambda one: one.turn(self._now)):
            self._claim(account)
        self._share_out(waiting)
        for pending in self._evicted:
            self._books.wait(pending)
        if self._looked and (grown := self._books.next_has_run(self._now)) is not None:
            self._again.append(grown)
        again = min((at for at in self._again if at > self._now), default=None)
        return SchedulingDecisions(tuple(self._starts), tuple(self._evictions), again)

    def _renew_hold(self) -> None:
        """Keep machines for the same job as before, where and when announced; recompute if that can't be kept."""
        books, hold = self._books, self._books.hold
        if hold is None:
            return
        account = books.accounts[hold.job.organisation]
        if not self._within_limits(account, hold.job):
            books.keep(None)
        elif hold.kept.at <= self._now or not hold.holds():
            books.keep(self._hold_of(hold.job))

    def _claim(self, account: Account) -> None:
        """Start an organisation's jobs that are within its guarantee."""
        came = account.line.newcomers()
        if not account.guarantee:
            return
        known = account.changes, 0 if account.names_all else self._books.promises.returns
        if account.nothing_to_claim == known and not any(self._is_entitled(account, one.job) for one in came):
            return
        found, blocked, passed = False, None, set[str]()
        while not _full(account):
            for pending in account.line.first(DEPTH):
                job = pending.job
                if job.name in passed:
                    continue
                if self._is_entitled(account, job):
                    found = True
                    if self._leaves_guarantee(account, blocked, job) and self._start_claim(account, pending):
                        break
                elif blocked is None and account.could_claim(job):
                    blocked = job
                passed.add(job.name)
            else:
                break
        account.nothing_to_claim = None if found else known

    def _is_entitled(self, account: Account, job: QueuedJob) -> bool:
        if job.ask in account.beyond_guarantee:
            return False
        entitled = self._books.promises.entitled(account, job)
        if not entitled and account.names_all:
            account.beyond_guarantee.add(job.ask)
        return entitled

    def _leaves_guarantee(self, account: Account, blocked: QueuedJob | None, job: QueuedJob) -> bool:
        """Return whether a job may pass one that is next in the guarantee but finds too little of it left."""
        if blocked is None:
            return True
        runs = account.running.values()
        return hold_of_granted(account.guarantee, account.used, blocked, runs, self._now).lets(job, self._now)

    def _start_claim(self, account: Account, pending: Pending) -> bool:
        job, books = pending.job, self._books
        if books.is_firm(pending) and not books.promises.admits_firmly(account, job):
            return False  # its own jobs that take any kind of GPU hold the kind that it requests
        if not self._within_limits(account, job):
            return False
        nodes = self._place(job) or self._reclaim(account, job)
        if nodes is not None:
            self._start(account, pending, nodes)
        return nodes is not None

    def _reclaim(self, account: Account, job: QueuedJob) -> Nodes | None:
        """Take back what was lent, or note when that is possible, or keep machines for the job."""
        books, now = self._books, self._now
        candidates = lent(books.accounts, account.name, lambda one: not books.has_run(one, now))
        victims = least(candidates, self._room(job), now)
        if victims:
            return self._evict(victims, "reclaim", job)
        due = self._given_back(account, job)
        if due is None:
            self._keep(account, job, claims=True)
        else:
            self.claims[job.name] = due
            self._due = min(self._due, due)
            self._again.append(due)
        return None

    def _given_back(self, account: Account, job: QueuedJob) -> float | None:
        """Return when enough of what is lent has run its minimum time; None: even all of it is not enough."""
        books = self._books
        room = self._room(job)
        for running in sorted(lent(books.accounts, account.name), key=lambda one: (one.started, one.job.name)):
            room.without(running)
            if not books.has_run(running, self._now) and room.place(self._now) is not None:
                return running.started + books.minimum_run
        return None

    def _share_out(self, waiting: Iterable[Account]) -> None:
        """Start jobs by the shares of their organisations, the lowest first."""
        accounts = {account.name: account for account in waiting if len(account.line)}
        heap = [account.turn(self._now) for account in accounts.values()]
        heapq.heapify(heap)
        while heap:
            account = accounts[heapq.heappop(heap)[1]]
            self._books.look_at_machines()
            for pending, nodes in self._candidates(account):
                if self._share(account, pending, nodes):
                    if len(account.line):
                        heapq.heappush(heap, account.turn(self._now))
                    break
                self._denied.add(pending.job.name)

    def _candidates(self, account: Account) -> Iterator[tuple[Pending, Nodes | None]]:
        """Yield the first job of an organisation, and those that fit, in their order, with their nodes."""
        asks, hold = self._books.asks, self._books.hold
        there = asks.open
        if hold is not None and asks.held and account.share <= self._books.accounts[hold.job.organisation].share:
            there = asks.open | asks.held
        for index, pending in enumerate(account.line.first_of(there, DEPTH)):
            job = pending.job
            if job.name in self._denied or (index and job.ask in asks.held and self._gives_way(account, job)):
                continue
            nodes = self._place_beside(account, job)
            if index == 0 or nodes is not None:
                yield pending, nodes

    def _share(self, account: Account, pending: Pending, nodes: Nodes | None) -> bool:
        """Start a job if it may start, on ``nodes`` if it fits there."""
        job = pending.job
        if job.name in self.claims or self._now + job.max_seconds > self._due or self._waits_firmly(account, pending):
            return False
        within = self._within_limits(account, job)
        if not within or nodes is None:
            nodes = self._make_room(account, job, within)
        if nodes is not None:
            self._start(account, pending, nodes)
        elif within:
            self._keep(account, job)
        return nodes is not None

    def _waits_firmly(self, account: Account, pending: Pending) -> bool:
        """Return whether a job that may not be evicted must wait for what it would keep, or behind another such job."""
        if not self._books.is_firm(pending):
            return False
        self._firm_waits = self._firm_waits or not self._books.promises.admits_firmly(account, pending.job)
        return self._firm_waits

    def _place_beside(self, account: Account, job: QueuedJob) -> Nodes | None:
        """Return where a job runs without delaying the one that machines are kept for."""
        nodes = self._place(job)
        hold = self._hold_before(account, job) if nodes is not None else None
        if hold is None:
            return nodes
        there = self._books.machines.open_to(job, self._now, hold.beside)
        nodes = self._placer.place(there, job.each, job.members)
        if nodes is None and there is hold.beside:
            self._books.asks.hold(job.ask)
        return nodes

    def _hold_before(self, account: Account, job: QueuedJob) -> NodeHold | None:
        """Return what is kept of the machines and closed to a job."""
        hold = self._books.hold
        return hold if hold is not None and hold.outlasts(job, self._now) and self._gives_way(account, job) else None

    def _gives_way(self, account: Account, job: QueuedJob) -> bool:
        """Return whether machines are kept for another job that this one does not outrank.

        It outranks the other if its organisation, even with this job, has less than the other's; within an
        organisation, by its place in the line.
        """
        hold = self._books.hold
        if hold is None or hold.job.name == job.name:
            return False
        if job.name not in self._ways:
            if hold.job.organisation == account.name:
                self._ways[job.name] = account.line.precedes(hold.job, job)
            else:
                least = self._books.accounts[hold.job.organisation].share
                self._ways[job.name] = account.share_with(job.total) >= least
        return self._ways[job.name]

    def _make_room(self, account: Account, job: QueuedJob, within: bool) -> Nodes | None:
        """Evict jobs that should yield to a job: of its own organisation, or of those that have a larger share."""
        books, now = self._books, self._now
        if account.name in self._looked:
            return None
        self._looked.add(account.name)
        if self._hold_before(account, job) is not None:
            return None

        def spared(running: Running) -> bool:
            return not books.yields(running, now)

        if books.prospects.of_own(account, job):
            also = None if within else limit_after(account, job)
            victims = least(of_own(account, job, spared), self._room(job), now, also)
            if victims:
                return self._evict(victims, "own", job)
        givers = larger(books.accounts, account, job) if within else []
        if books.prospects.for_share(givers, account, job):
            victims = least(for_share(givers, account, job, spared), self._room(job), now)
            if victims:
                return self._evict(victims, "share", job)
        return None

    def _within_limits(self, account: Account, job: QueuedJob) -> bool:
        """Return whether a job is within the limits of its organisation and its person, and delays no waiting job."""
        if not account.limit and not account.person_limit:
            return True
        for key, granted, used, runs in account.caps(job):
            hold = self.limits.get(key)
            if not allows(granted, used, job.total):
                if hold is None:
                    self.limits[key] = hold_of_granted(granted, used, job, runs, self._now)
                return False
            if hold is not None and hold.of != job.name and not hold.lets(job, self._now):
                return False
        return True

    def _place(self, job: QueuedJob) -> Nodes | None:
        machines = self._books.machines
        self._books.look_at_machines()
        if not self._books.asks.may_fit(job.ask):
            return None
        there = machines.open_to(job, self._now)
        nodes = self._placer.place(there, job.each, job.members)
        if nodes is None and there is machines.free:
            self._books.asks.refuse(job.ask)
        elif nodes is None and (opening := machines.next_opening(job, self._now)) is not None:
            self._again.append(opening)
        return nodes

    def _keep(self, account: Account, job: QueuedJob, claims: bool = False) -> None:
        """Keep machines for the first job that waits only for machines, until it starts or is outranked."""
        books = self._books
        if job.name in self._in_vain or (books.hold is not None and books.hold.job.name == job.name):
            return
        outranked = books.hold is not None and claims and not self._claims(books.hold.job)
        if outranked or not self._gives_way(account, job):
            self._ways.clear()
            books.keep(self._hold_of(job))
            if books.hold is None:
                self._in_vain.add(job.name)

    def _hold_of(self, job: QueuedJob) -> NodeHold | None:
        books = self._books
        books.look_at_machines()
        return hold_of_machines(books.machines, self._room(job), job, books.by_end(), self._now)

    def _room(self, job: QueuedJob) -> Room:
        return Room(self._books.machines, self._placer, job, self._books.asks.fitting(job.ask))

    def _claims(self, job: QueuedJob) -> bool:
        return self._books.promises.entitled(self._books.accounts[job.organisation], job)

    def _start(self, account: Account, pending: Pending, nodes: Nodes) -> None:
        job = pending.job
        self._ways.clear()
        self._books.start(pending, nodes, self._now)
        for cap in account.caps(job) if self.limits else ():
            if cap.key in self.limits:
                self.limits[cap.key].passed(job, self._now)
        self._starts.append(JobStart(job.name, nodes))
        self._cover_more()

    def _evict(self, victims: tuple[Running, ...], cause: Cause, job: QueuedJob) -> Nodes | None:
        self._ways.clear()
        for running in victims:
            self._books.stop(running.job.name, self._now, covering=False)
            self._freed.add(running.job.organisation)
            self._evictions.append(Evict(running.job.name, cause, job.name))
            self._evicted.append(Pending(running.job, running.evictions + 1))
        nodes = self._place(job)
        if nodes is None:
            self._cover_more()
        return nodes

    def _cover_more(self) -> None:
        for name in sorted(self._freed):
            self._books.cover_more(self._books.accounts[name])
        self._freed.clear()


def _full(account: Account) -> bool:
    """Return whether an organisation has all that it is promised."""
    return all(account.used.get(name, 0) >= most for name, most in account.guarantee.items())


Victims = tuple[Running, ...]
Spared = Callable[[Running], bool]
Test = Callable[[Sequence[Running]], bool]


def least(candidates: Iterable[Running], room: Room, now: float, also: Test | None = None) -> Victims:
    """Return the first of ``candidates`` that make ``room``, and no unneeded ones; empty if even all do not suffice.

    ``also``: a further condition on them; if it holds for some, it holds for more.
    """
    chosen: list[Running] = []
    for running in candidates:
        room.without(running)
        chosen.append(running)
        if (also is None or also(chosen)) and room.place(now) is not None:
            break
    else:
        return ()
    for running in reversed(chosen[:-1]):
        room.without(running, -1)
        fewer = [one for one in chosen if one is not running]
        if (also is None or also(fewer)) and room.place(now) is not None:
            chosen = fewer
        else:
            room.without(running)
    return tuple(chosen)


def lent(accounts: Mapping[str, Account], claimant: str, spared: Spared | None = None) -> Iterator[Running]:
    """Yield what can be taken back, from the organisation with most beyond its guarantee, the youngest job first."""
    others = (account for name, account in accounts.items() if name != claimant)
    giving = {account.name: _Giving(account, account.lent.values(), spared) for account in others}
    heap = [(-giver.share, name) for name, giver in giving.items() if giver.left]
    heapq.heapify(heap)
    while heap:
        name = heapq.heappop(heap)[1]
        yield giving[name].next()
        if giving[name].left:
            heapq.heappush(heap, (-giving[name].share, name))


def larger(accounts: Mapping[str, Account], claimant: Account, job: QueuedJob) -> list[Account]:
    """Return the organisations that, after giving up a job, keep at least as large a share as the claimant then has."""
    after = claimant.share_with(job.total)
    if after <= claimant.share:
        return []
    others = (one for one in accounts.values() if one.share > after and one is not claimant)
    return [one for one in others if one.share_after_giving() >= after]


def for_share(givers: Sequence[Account], claimant: Account, job: QueuedJob, spared: Spared) -> Iterator[Running]:
    """Yield evictions that make shares more equal, from the largest share first, the youngest job first.

    An organisation that gives a job keeps at least as large a share as the claimant has with the job.
    """
    after = claimant.share_with(job.total)
    giving = [_Giving(account, account.can_give(after), spared) for account in givers]
    while giving:
        giving.sort(key=lambda giver: (-giver.share, giver.name))
        found = next((giver for giver in giving if giver.next_keeps(after)), None)
        if found is None:
            return
        yield found.next()


def of_own(claimant: Account, job: QueuedJob, spared: Spared) -> list[Running]:
    """Return jobs of the organisation itself with a lower priority, the lowest first, then the youngest."""
    lower = (one for one in claimant.lower(job) if not spared(one))
    return sorted(lower, key=lambda one: (one.job.priority, -one.started, one.job.name))


def limit_after(claimant: Account, job: QueuedJob) -> Test:
    """Return the test whether a job is within its organisation's limit once some of its own jobs have ended."""

    def within(ended: Sequence[Running]) -> bool:
        used: Tally = dict(claimant.used)
        for running in ended:
            add(used, running.job.total, -1)
        return allows(claimant.limit, used, job.total)

    return within


class _Giving:
    """An organisation that gives up one job after the other."""

    def __init__(self, account: Account, lent: Iterable[Running], spared: Spared | None) -> None:
        self.name, self.share = account.name, account.share
        self._account = account
        given = [one for one in lent if spared is None or not spared(one)]
        self.left = sorted(given, key=lambda one: (-one.started, one.job.name))
        self._given: Tally = {}

    def next(self) -> Running:
        """Give up the next job."""
        running = self.left.pop(0)
        add(self._given, running.job.total)
        self.share = self._account.share_with(self._given, -1)
        return running

    def next_keeps(self, least_share: float) -> bool:
        """Find the next job whose loss still leaves it so large a share; return whether there is one."""
        for index, running in enumerate(self.left):
            given = dict(self._given)
            add(given, running.job.total)
            if self._account.share_with(given, -1) >= least_share:
                self.left.insert(0, self.left.pop(index))
                return True
        return False
