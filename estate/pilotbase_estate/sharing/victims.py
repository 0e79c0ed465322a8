"""Which jobs make room for another one: as few as possible, and only if the state after it is better.

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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from pilotbase_estate.sharing.accounts import Account
from pilotbase_estate.sharing.amounts import Tally, add, allows
from pilotbase_estate.sharing.jobs import QueuedJob, Running
from pilotbase_estate.sharing.machines import Room

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
