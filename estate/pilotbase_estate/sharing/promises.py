"""The one invariant of lending: what is protected and what is promised fit in the pool together.

For every dimension ``Σ max(protected, guarantee) ≤ capacity``, summed over organisations. A job is protected when
nobody else can take back what it holds: it may not be evicted, or it is within its organisation's guarantee. Everything
else is lent and can be taken back once it has run its minimum time; so everything that an organisation requests within
its guarantee is free after that time at the latest. What a guarantee does not name comes, for a protected job, out of
what is promised to nobody, so no job can take what was promised to another organisation.
"""

from __future__ import annotations

from collections.abc import Mapping

from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.resources import ANY_GPU, Vector, counted, guaranteed, is_kind, minus, total
from pilotbase_estate.sharing.accounts import Account
from pilotbase_estate.sharing.amounts import Tally, allows
from pilotbase_estate.sharing.jobs import QueuedJob


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
