"""What an organisation holds of a pool, compared with its guarantee, and its share of the rest.

Its **share** is what it holds beyond its guarantee: the largest part of any dimension of the pool (dominant share,
Ghodsi et al., NSDI 2011, §4.1), over its weight. What a guarantee does not name counts from the first piece on: an
organisation that has all cores beside four guaranteed GPUs has a large share. **Recent** is the mean of its share over
time, in which use one half-life ago counts half.

The one invariant of lending: what is protected and what is promised fit in the pool together.

For every dimension ``Σ max(protected, guarantee) ≤ capacity``, summed over organisations. A job is protected when
nobody else can take back what it holds: it may not be evicted, or it is within its organisation's guarantee. Everything
else is lent and can be taken back once it has run its minimum time; so everything that an organisation requests within
its guarantee is free after that time at the latest. What a guarantee does not name comes, for a protected job, out of
what is promised to nobody, so no job can take what was promised to another organisation.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Set
from heapq import heapify, heappop
from itertools import islice
from typing import NamedTuple

from pilotbase_estate.documents.pool import Pool, Quota
from pilotbase_estate.documents.resources import ANY_GPU, Vector, counted, guaranteed, is_kind, minus, total
from pilotbase_estate.sharing.jobs import Ask, Pending, QueuedJob, Recent, Running

Tally = dict[str, int]
"""A vector that is kept up to date."""


def add(tally: Tally, amount: Vector, times: int = 1) -> None:
    """Add ``times · amount`` to ``tally``."""
    for name, value in amount.items():
        tally[name] = tally.get(name, 0) + times * value


def fits(asked: Vector, free: Vector) -> bool:
    """Return whether ``asked`` is free."""
    for name, value in asked.items():  # noqa: SIM110 - a generator costs twice as much, and this is asked most
        if value and value > free.get(name, 0):
            return False
    return True


def times_fitting(asked: Vector, free: Vector, most: int) -> int:
    """Return how many times ``asked`` is free, ``most`` at most."""
    least = most
    for name, value in asked.items():
        if value and free.get(name, 0) < least * value:
            least = max(free.get(name, 0) // value, 0)
    return least


def allows(granted: Vector, used: Vector, asked: Vector) -> bool:
    """Return whether ``asked`` may come on top of ``used``; only the requested dimensions are checked."""
    return all(used.get(name, 0) + value <= granted[name] for name, value in asked.items() if value and name in granted)


NOTHING: Vector = {}


class Cap(NamedTuple):
    """A limit that applies to a job, and what is used of it by which jobs."""

    key: str
    """Organisation, or person of one."""
    granted: Vector
    used: Vector
    runs: Iterable[Running]


class Account:
    """One organisation in one pool."""

    def __init__(self, quota: Quota, pool: Pool, recent: Recent) -> None:
        capacity = counted(pool.capacity)
        self.name, self.weight = quota.organisation, quota.weight
        self.guarantee: Vector = guaranteed(quota.guarantee.vector)
        self._as_written = quota.guarantee.vector
        self._kinds_differ = any(is_kind(name) and name not in self._as_written for name in capacity)
        self.limit: Vector = quota.limit.vector
        self.person_limit: Vector = quota.person_limit.vector
        self.names_all = capacity.keys() <= self.guarantee.keys()
        """Whether its guarantee names every dimension of the pool."""
        self.line = OrganisationQueue(pool.priority_step)
        self.running: dict[str, Running] = {}
        self.lent: dict[str, Running] = {}
        """Of those, the jobs that others can take back: they hold what is lent or promised to nobody."""
        self.used: Tally = {}
        self.protected: Tally = {}
        """Of `used`, what nobody else can take back."""
        self.share = 0.0
        self.priorities: Counter[int] = Counter()
        """How many of its running jobs have which priority."""
        self.changes = 0
        """How often what it holds has changed."""
        self.nothing_to_claim: Hashable = None
        """The state in which room for a job within its guarantee was last looked for in vain."""
        self.beyond_guarantee: set[Ask] = set()
        """What was found to exceed the rest of its guarantee; forgotten when something comes back."""
        self._after_giving = -1, 0.0
        self._turn = 0.0, -1, 0.0
        self._by_person: dict[str, Tally] = {}
        self._dimensions = [(name, whole, self.guarantee.get(name, 0)) for name, whole in capacity.items() if whole]
        self._half_life = pool.half_life
        self._recent = recent

    def recent(self, now: float) -> float:
        """Return its recent mean share."""
        passed = max(now - self._recent.at, 0.0)
        if self._half_life <= 0:
            return 0.0
        kept = math.exp2(-passed / self._half_life)
        return self._recent.share * kept + self.share * (1.0 - kept)

    def turn(self, now: float) -> tuple[float, str]:
        """Return its order key; smaller goes first: the organisation that has, and recently had, least by weight."""
        if self._turn[:2] != (now, self.changes):
            self._turn = now, self.changes, self.share + self.recent(now)
        return self._turn[2], self.name

    def caps(self, job: QueuedJob) -> tuple[Cap, Cap]:
        """Return the limit of a job's person and that of the organisation."""
        person, running = job.person, self.running.values()
        of_person = (one for one in running if one.job.person == person)
        return (
            Cap(f"{self.name} {person}", self.person_limit, self._by_person.get(person, NOTHING), of_person),
            Cap(self.name, self.limit, self.used, running),
        )

    def take(self, running: Running, now: float) -> None:
        """Note that one of its jobs runs."""
        self.running[running.job.name] = running
        if not running.protected:
            self.lent[running.job.name] = running
        self._move(running, now, 1)

    def give_back(self, running: Running, now: float) -> None:
        """Note that one of its jobs no longer runs."""
        del self.running[running.job.name]
        self.lent.pop(running.job.name, None)
        self.beyond_guarantee.clear()
        self._move(running, now, -1)

    def share_with(self, more: Vector, times: int = 1) -> float:
        """Return its share if it also held ``times · more``."""
        largest, used = 0.0, self.used
        for name, whole, promised in self._dimensions:
            beyond = used.get(name, 0) + times * more.get(name, 0) - promised
            if beyond > largest * whole:
                largest = beyond / whole
        return largest / self.weight

    def share_after_giving(self) -> float:
        """Return the largest share that it keeps when it gives up one job that can be taken back; 0: it has none."""
        if self._after_giving[0] != self.changes:
            kept = (self.share_with(one.job.total, -1) for one in self.lent.values())
            self._after_giving = self.changes, max(kept, default=0.0)
        return self._after_giving[1]

    def can_give(self, kept: float) -> list[Running]:
        """Return its jobs that can be taken back and whose loss still leaves it at least this share, in no order."""
        return [one for one in self.lent.values() if self.share_with(one.job.total, -1) >= kept]

    def promised_to(self, job: QueuedJob) -> Vector:
        """Return its guarantee as it applies to a job: kinds of GPU promise nothing of another kind."""
        if not self._kinds_differ or ANY_GPU in self._as_written or ANY_GPU not in self.guarantee or job.takes_any:
            return self.guarantee
        kinds = any(name in self._as_written for name in job.each if is_kind(name))
        return self.guarantee if kinds else self._as_written

    def within_guarantee(self, job: QueuedJob) -> bool:
        """Return whether it stays within its guarantee with a job, which must use a dimension named there."""
        guarantee, used, named = self.promised_to(job), self.used, False
        for name, value in job.total.items():
            if name in guarantee:
                if used.get(name, 0) + value > guarantee[name]:
                    return False
                named = True
        return named

    def names_some(self, job: QueuedJob) -> bool:
        """Return whether its guarantee names anything that a job requests: without a promise there is no claim."""
        guarantee = self.promised_to(job)
        return any(name in guarantee for name in job.total)

    def could_claim(self, job: QueuedJob) -> bool:
        """Return whether a job would be within its guarantee if it held nothing else."""
        return self.names_some(job) and allows(self.promised_to(job), NOTHING, job.total)

    def lower(self, job: QueuedJob) -> list[Running]:
        """Return its jobs that have a lower priority than ``job``, in no order."""
        if min(self.priorities, default=job.priority) >= job.priority:
            return []
        return [one for one in self.running.values() if one.job.priority < job.priority]

    def protect(self, running: Running) -> None:
        """Note that one of its jobs can no longer be taken back."""
        self.running[running.job.name] = running
        del self.lent[running.job.name]

    def snapshot(self, now: float) -> Recent:
        """Return its recent share, to be kept."""
        return Recent(self.recent(now), now)

    def _move(self, running: Running, now: float, times: int) -> None:
        self._recent = self.snapshot(now)
        self.changes += 1
        self.priorities[running.job.priority] += times
        if not self.priorities[running.job.priority]:
            del self.priorities[running.job.priority]
        add(self.used, running.job.total, times)
        add(self._by_person.setdefault(running.job.person, {}), running.job.total, times)
        self.share = self.share_with(NOTHING)


class QueuePosition(NamedTuple):
    """A job's place in the line; smaller goes first."""

    rank: float
    submitted: float
    name: str


class OrganisationQueue:
    """The waiting jobs of one organisation, in lanes of one shape: what one job of a lane lacks, all lack."""

    def __init__(self, step: float) -> None:
        self._step = step
        self._lanes: dict[Hashable, list[QueuePosition]] = {}
        self._heads: list[QueuePosition] = []
        """The first of each lane, in order."""
        self._heads_of: dict[Ask, list[QueuePosition]] = {}
        self._waiting: dict[str, Pending] = {}
        self._newcomers: list[Pending] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, name: object) -> bool:
        return name in self._waiting

    def add(self, pending: Pending) -> None:
        """Add a job."""
        place, lane = self._place(pending.job), self._lanes.setdefault(_shape(pending), [])
        self._waiting[pending.job.name] = pending
        self._newcomers.append(pending)
        if not lane or place < lane[0]:
            if lane:
                self._forget_head(lane[0], pending.job)
            self._note_head(place, pending.job)
        insort(lane, place)

    def remove(self, name: str) -> Pending:
        """Remove a job and return it; raises `KeyError`."""
        pending = self._waiting.pop(name)
        place, shape = self._place(pending.job), _shape(pending)
        lane = self._lanes[shape]
        if place == lane[0]:
            self._forget_head(place, pending.job)
            if len(lane) > 1:
                self._note_head(lane[1], pending.job)
        del lane[bisect_left(lane, place)]
        if not lane:
            del self._lanes[shape]
        return pending

    def newcomers(self) -> list[Pending]:
        """Return what has come since the last call."""
        came, self._newcomers = self._newcomers, []
        return came

    def first(self, most: int) -> Iterator[Pending]:
        """Yield the first of each lane, in order, of ``most`` lanes; restarted after a job was removed."""
        return (self._waiting[place.name] for place in islice(self._heads, most))

    def first_of(self, asks: Set[Ask], most: int) -> Iterator[Pending]:
        """Yield the first of all, and the first of each lane that requests one of ``asks``, in order, as `first`."""
        first, heads = self._heads[0], self._heads_of
        asked = heads.keys() & asks if asks else ()
        there = [place for ask in asked for place in heads[ask][:most] if place is not first]
        yield self._waiting[first.name]
        heapify(there)
        for _ in range(min(len(there), most - 1)):
            yield self._waiting[heappop(there).name]

    def precedes(self, one: QueuedJob, other: QueuedJob) -> bool:
        """Return whether a job goes before another one."""
        return self._place(one) < self._place(other)

    def in_order(self) -> list[Pending]:
        """Return all that wait, in order."""
        return sorted(self._waiting.values(), key=lambda pending: self._place(pending.job))

    def _place(self, job: QueuedJob) -> QueuePosition:
        return QueuePosition(job.submitted - self._step * job.priority, job.submitted, job.name)

    def _note_head(self, place: QueuePosition, job: QueuedJob) -> None:
        insort(self._heads, place)
        insort(self._heads_of.setdefault(job.ask, []), place)

    def _forget_head(self, place: QueuePosition, job: QueuedJob) -> None:
        del self._heads[bisect_left(self._heads, place)]
        heads = self._heads_of[job.ask]
        del heads[bisect_left(heads, place)]
        if not heads:
            del self._heads_of[job.ask]


def _shape(pending: Pending) -> Hashable:
    return pending.job.shape, pending.evictions


class CapacityGuarantees:
    """How much is left after what is protected and what is promised."""

    def __init__(self, pool: Pool) -> None:
        self._promised_to_nobody = promised_to_nobody(pool)
        self.left: Tally = dict(self._promised_to_nobody)
        """By dimension; below zero after a pool was made smaller, or its promises larger, under running jobs."""
        self.returns = 0
        """How often some of it has come back."""

    def entitled(self, account: Account, job: QueuedJob) -> bool:
        """Return whether a job may claim its request, and have it taken back from organisations that borrowed it."""
        return account.within_guarantee(job) and self._unnamed_left(account, job)

    def covers(self, account: Account, job: QueuedJob, held: Vector) -> bool:
        """Return whether an evictable job can be protected in what it holds, beside what is already protected.

        ``held``: its request, with GPUs of any kind as the kind that it was given.
        """
        named = account.names_some(job) and allows(account.promised_to(job), account.protected, held)
        return named and self._admits(account, held)

    def admits_firmly(self, account: Account, job: QueuedJob) -> bool:
        """Return whether a job that nobody may evict can start: within the guarantee, or from what is unpromised."""
        return self._admits(account, job.total)

    def can_be_firm(self, account: Account, job: QueuedJob) -> bool:
        """Return whether a job could start without borrowing if its organisation had nothing else.

        A job that takes GPUs of any kind never could: which kind it gets, and whose that is, is not known before.
        """
        return not job.takes_any and not beyond_promises(account.guarantee, self._promised_to_nobody, job.total)

    def protect(self, account: Account, amount: Vector, times: int) -> None:
        """Note that so much more (``times`` 1) or less (−1) of an organisation is protected."""
        for name, more in _drawn(account.guarantee, account.protected, amount, times).items():
            self.left[name] = self.left.get(name, 0) - more
            self.returns += more < 0
        for name, value in amount.items():
            account.protected[name] = account.protected.get(name, 0) + times * value

    def _admits(self, account: Account, held: Vector) -> bool:
        drawn = _drawn(account.guarantee, account.protected, held, 1)
        return all(more <= max(self.left.get(name, 0), 0) for name, more in drawn.items())

    def _unnamed_left(self, account: Account, job: QueuedJob) -> bool:
        guarantee = account.promised_to(job)
        return all(value <= self.left.get(name, 0) for name, value in job.total.items() if name not in guarantee)


def beyond_promises(guarantee: Vector, promised_to_nobody: Vector, asked: Vector) -> Mapping[str, int]:
    """Return dimension → the most that a job may have without borrowing, of each dimension in which it exceeds that."""
    drawn = _drawn(guaranteed(guarantee), {}, asked, 1)
    over = {name: more - max(promised_to_nobody.get(name, 0), 0) for name, more in drawn.items()}
    return {name: asked[name] - more for name, more in over.items() if more > 0}


def promised_to_nobody(pool: Pool) -> Vector:
    """Return what is left of a pool after all guarantees."""
    return minus(counted(pool.capacity), total(guaranteed(quota.guarantee.vector) for quota in pool.quotas))


def _drawn(guarantee: Vector, protected: Vector, amount: Vector, times: int) -> dict[str, int]:
    """Return how much more an organisation would draw on the pool; its guarantee always counts as drawn."""
    drawn = {}
    for name, value in amount.items():
        if name == ANY_GPU:
            after = {kind: protected.get(kind, 0) + times * more for kind, more in amount.items()}
            drawn[name] = _gpus_drawn(guarantee, {**protected, **after}) - _gpus_drawn(guarantee, protected)
        else:
            held, most = protected.get(name, 0), guarantee.get(name, 0)
            drawn[name] = max(held + times * value, most) - max(held, most)
    return drawn


def _gpus_drawn(guarantee: Vector, protected: Vector) -> int:
    """Return how many GPUs of all kinds an organisation draws: of each kind what it holds or is promised."""
    kinds = {name for name in guarantee.keys() | protected.keys() if is_kind(name)}
    beyond = sum(max(guarantee.get(kind, 0) - protected.get(kind, 0), 0) for kind in kinds)
    held = max(protected.get(ANY_GPU, 0), sum(protected.get(kind, 0) for kind in kinds))
    return max(guarantee.get(ANY_GPU, 0), held + beyond)
