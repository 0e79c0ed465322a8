"""What could never run is refused when it is handed in, and not after an endless wait."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.quantities import format_duration
from pilotbase_estate.documents.pool import Pool, Quota
from pilotbase_estate.documents.resources import MILLI, Vector, beyond, counted, format_amount, format_vector, missing
from pilotbase_estate.sharing.accounts import beyond_promises, fits, promised_to_nobody
from pilotbase_estate.sharing.jobs import Ask, QueuedJob


class Placer(Protocol):
    """Finds a node for every member of a job."""

    def place(self, nodes_free: Mapping[str, Vector], demand: Vector, gang: int) -> tuple[str, ...] | None:
        """Return a node for each of ``gang`` members that request ``demand`` each; None if not all fit.

        A job that fits must also fit when more is free; otherwise promises based on it could not be kept.
        """
        ...


class FirstFit:
    """The first nodes, in their order, that have room."""

    def place(self, nodes_free: Mapping[str, Vector], demand: Vector, gang: int) -> tuple[str, ...] | None:
        asked = [(name, amount) for name, amount in demand.items() if amount]
        found: list[str] = []
        for node, free in nodes_free.items():
            room = gang - len(found)
            for name, amount in asked:
                held = free.get(name, 0) // amount
                if held < room:
                    room = held
                    if room <= 0:
                        break
            else:
                found.extend([node] * room)
                if len(found) == gang:
                    return tuple(found)
        return None


class Empty:
    """A pool in which nothing runs: a job that does not fit here never will."""

    def __init__(self, pool: Pool, placer: Placer) -> None:
        self._pool, self._placer = pool, placer
        self._capacity, self._left = counted(pool.capacity), promised_to_nobody(pool)
        self._quotas = {quota.organisation: quota for quota in pool.quotas}
        self._fitting: set[tuple[Ask, tuple[tuple[str, str], ...]]] = set()

    def refusal(self, job: QueuedJob) -> RefusedError | None:
        """Return why a job could never run; None: it could."""
        pool, quota = self._pool, self._quotas.get(job.organisation)
        if quota is None:
            return RefusedError("pool.no_quota", organisation=job.organisation, pool=pool.name)
        if job.max_seconds > pool.longest_job:
            found, most = format_duration(round(job.max_seconds)), format_duration(round(pool.longest_job))
            return RefusedError("pool.too_long", found=found, most=most, pool=pool.name)
        asked = job.ask, tuple(sorted(job.labels.items()))
        if asked not in self._fitting:
            refused = self._beyond_the_pool(job) or self._beyond_machines(job)
            if refused is not None:
                return refused
            self._fitting.add(asked)
        return self._beyond_quota(quota, job)

    def _beyond_the_pool(self, job: QueuedJob) -> RefusedError | None:
        shares = [name for name, amount in job.demand.items() if name.startswith("gpu/") and amount % MILLI]
        if shares and not self._pool.shared_gpus:
            found = format_amount(shares[0], job.demand[shares[0]])
            return RefusedError("pool.gpu_not_shared", dimension=shares[0], found=found, pool=self._pool.name)
        for name in missing(job.total, self._capacity):
            found, most = format_amount(name, job.total[name]), format_amount(name, self._capacity.get(name, 0))
            return RefusedError("pool.larger_than_pool", dimension=name, found=found, most=most, pool=self._pool.name)
        return None

    def _beyond_machines(self, job: QueuedJob) -> RefusedError | None:
        pool, found = self._pool, format_vector(job.demand)
        carrying = {
            name: counted(alike.capacity.vector)
            for alike in pool.machines
            if job.labels.items() <= alike.labels.items()
            for name in alike.names
        }
        if not carrying:
            return RefusedError(
                "pool.no_machine_labelled", found=_spell(job.labels), allowed=_all_labels(pool), pool=pool.name
            )
        if not any(fits(job.each, capacity) for capacity in carrying.values()):
            dimension, amount = _nearest(job.each, carrying.values())
            most = format_amount(dimension, amount)
            return RefusedError("pool.larger_than_machine", dimension=dimension, found=found, most=most, pool=pool.name)
        if self._placer.place(carrying, job.each, job.members) is None:
            return RefusedError("pool.too_large_a_gang", members=job.members, found=found, pool=pool.name)
        return None

    def _beyond_quota(self, quota: Quota, job: QueuedJob) -> RefusedError | None:
        who = {"organisation": job.organisation, "pool": self._pool.name}
        for name in beyond(job.total, quota.limit.vector):
            found, most = format_amount(name, job.total[name]), format_amount(name, quota.limit.vector[name])
            return RefusedError("pool.larger_than_limit", dimension=name, found=found, most=most, **who)
        for name in beyond(job.total, quota.person_limit.vector):
            found, most = format_amount(name, job.total[name]), format_amount(name, quota.person_limit.vector[name])
            return RefusedError("pool.larger_than_person_limit", dimension=name, found=found, most=most, **who)
        if not job.preemptible and job.takes_any:
            return RefusedError("pool.firm_any_gpu", organisation=job.organisation)
        if not job.preemptible:
            for name, amount in beyond_promises(quota.guarantee.vector, self._left, job.total).items():
                most = format_amount(name, amount)
                return RefusedError("pool.never_firm", dimension=name, most=most, organisation=job.organisation)
        return None


def _nearest(demand: Vector, capacities: Iterable[Vector]) -> tuple[str, int]:
    """Return the dimension that the nearest machine lacks, and what that machine has of it."""
    best = min(capacities, key=lambda capacity: max(_part_lacking(demand, capacity, name) for name in demand))
    name = max(missing(demand, best), key=lambda one: _part_lacking(demand, best, one))
    return name, best.get(name, 0)


def _part_lacking(demand: Vector, capacity: Vector, name: str) -> float:
    return 1.0 - capacity.get(name, 0) / demand[name] if demand[name] else 0.0


def _all_labels(pool: Pool) -> str:
    return ", ".join(dict.fromkeys(_spell(alike.labels) for alike in pool.machines if alike.labels)) or "–"


def _spell(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in sorted(labels.items()))
