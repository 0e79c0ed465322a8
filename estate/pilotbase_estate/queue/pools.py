"""The pools of a base: documents that the operator sets; each version stays where it was used.

What a pool has run, as a trace on which a change of its rules can be tried first.

A job that was evicted or lost its machine started again: it counts with the attempt that ended by itself. Jobs that
have not ended are left out and counted, because nobody knows how long they run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime

from pilotbase.documents.api.shapes import filled
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.workspace.actors import PUBLIC
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.queue import rows
from pilotbase_estate.queue.rows import AttemptRow, Ending, JobRow
from pilotbase_estate.replay.traces import Trace, TraceJob


def set_pool(view: View, pool: Pool) -> Digest:
    """Set a pool to ``pool`` from now on; running jobs continue.

    Raises:
        RefusedError: the actor is not the operator.
        InputError: it seats work of the base, which has no quota in it.
    """
    own = view.actor.organisation
    if pool.seats is not None and all(quota.organisation != own for quota in pool.quotas):
        raise InputError("pool.no_seat_quota", pool=pool.name, organisation=own)
    with view.transaction("pool.set") as change:
        change.require_operator()
        digest = change.put(pool, PUBLIC)
        change.let_stand(_head(pool.name), digest)
    return digest


def pool_of(view: View, name: str) -> tuple[Digest, Pool]:
    """Return a pool as it is today; raises `NotFoundError`."""
    digest = view.head(_head(name))
    if digest is None:
        raise NotFoundError("pool.unknown", pool=name)
    return digest, view.load(digest, Pool)


def pools(view: View) -> Iterator[Pool]:
    """Yield the pools of the base, by name."""
    found = {stored.load(Pool).name for stored in view.find("pool", limit=1000)}
    for name in sorted(found):
        yield pool_of(view, name)[1]


def _head(name: str) -> str:
    return f"pool:{name}"


_BEGAN_ANEW = (None, Ending.EVICTED, Ending.LOST)


def ended_between(view: View, name: str, since: datetime, until: datetime) -> Mapping[str, int]:
    """Return how many jobs, handed in to a pool between two moments, each organisation ran to their end.

    Raises as `trace_of`, except that there may be none.
    """
    _require_all(view)
    pool_of(view, name)
    with view.reading() as connection:
        return rows.ended_by_organisation(connection, name, since, until)


def trace_of(view: View, name: str, since: datetime, until: datetime) -> Trace:
    """Return the jobs handed in to a pool between two moments that have ended, over its machines of today.

    Seconds count from the first submission. Only actors who see everything may read it.

    Raises:
        NotFoundError: there is no such pool.
        RefusedError: the actor does not see everything.
        InputError: ``replay.nothing_recorded``: no job has ended.
    """
    _require_all(view)
    pool = pool_of(view, name)[1]
    with view.reading() as connection:
        asked = rows.jobs_between(connection, name, since, until)
        attempts = rows.attempts_between(connection, name, since, view.store.clock())
    ran = _seconds(attempts)
    kept = [job for job in asked if job.name in ran]
    if not kept:
        raise InputError("replay.nothing_recorded", pool=name)
    began = kept[0].asked.submitted
    return Trace(
        pool.capacities,
        tuple(_trace_job(job, ran[job.name], began) for job in kept),
        rows_left_out=len(asked) - len(kept),
        recorded_of=name,
        labels={node: alike.labels for alike in pool.machines for node in alike.names if alike.labels},
        began=began,
    )


def _require_all(view: View) -> None:
    if not view.actor.sees_all:
        raise RefusedError("workspace.operator_only", organisation=view.actor.organisation)


def _seconds(attempts: list[AttemptRow]) -> Mapping[str, float]:
    found: defaultdict[str, float] = defaultdict(float)
    for attempt in attempts:
        if attempt.ended_at is not None and attempt.ending not in _BEGAN_ANEW:
            found[attempt.job] = (attempt.ended_at - attempt.began_at).total_seconds()
    return found


def _trace_job(job: JobRow, seconds: float, began: datetime) -> TraceJob:
    asked = job.asked
    return filled(
        TraceJob,
        asked,
        submitted=(asked.submitted - began).total_seconds(),
        runs=seconds,
        demand=asked.demand.vector,
        longest=float(asked.max_seconds),
    )
