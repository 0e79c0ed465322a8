"""What people see of pools: who holds what now, who waits and why, and past usage.

Of other organisations people see the name and the amount, never persons or jobs: only their own organisation's jobs
have names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pilotbase.documents.subjects import record_head
from pilotbase.documents.texts import Text, text
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View
from pilotbase_estate.documents.api.pools import HoldingTold
from pilotbase_estate.documents.pool import Pool, Quota
from pilotbase_estate.documents.resources import Vector, dominant_share, minus, total
from pilotbase_estate.documents.vocabularies import WaitReason
from pilotbase_estate.queue import rows, sitting, turns
from pilotbase_estate.queue.pools import pool_of
from pilotbase_estate.queue.rows import AttemptRow, JobRow, QueueState
from pilotbase_estate.queue.submitting import PLACER
from pilotbase_estate.queue.turns import ALL_THERE, There
from pilotbase_estate.sharing.explaining import JobWait, PoolScheduler, waits


@dataclass(frozen=True)
class PoolStatus:
    """A pool's current state."""

    pool: Pool
    holdings: tuple[HoldingTold, ...]
    free: Vector
    """What nobody holds of the machines that are present and not under maintenance."""
    closed: tuple[str, ...] = ()
    """Machines that are under maintenance now."""
    there: There = ALL_THERE
    """What is missing of its machines."""


@dataclass(frozen=True)
class JobView:
    """A job with why it waits, if it does, and every attempt at it where it is shown alone."""

    job: JobRow
    wait: JobWait | None
    attempts: tuple[AttemptRow, ...] = ()


def standing(view: View, name: str) -> PoolStatus:
    """Return who holds what of a pool; raises `NotFoundError`."""
    pool = pool_of(view, name)[1]
    closed = _closed(pool, view.store.clock())
    with view.reading() as connection:
        live, machines = rows.jobs_in(connection, name), turns.there_of(connection, name)
    there = total(has for machine, has in machines.capacities(pool).items() if machine not in closed)
    running = [job for job in live if job.state is not QueueState.WAITING]
    holdings = tuple(_holding(pool, quota, live) for quota in pool.quotas)
    held = total(job.asked.total for job in running)
    free = {key: max(left, 0) for key, left in minus(there, held).items()}
    return PoolStatus(pool, holdings, free, closed, machines)


def queue(view: View, name: str) -> list[JobView]:
    """Return the jobs of a pool that the actor may know: of its own organisation, or all for operator and regulator.

    The reason why a job waits comes from a desk rebuilt from the rows, so the code that decides also explains. If a job
    that the actor may not know is in the way, its organisation is named instead.
    """
    return [shown for shown in _all_shown(view, name) if _is_known(view, shown.job)]


def seats_of(view: View, thing: str) -> list[JobView]:
    """Return the seats that work on a thing waits for or has, regardless of the quota they count against.

    Actors who may see the thing may know them; for others there are none.
    """
    if not is_seen(view, thing):
        return []
    with view.reading() as connection:
        found = rows.seats_about(connection, thing)
    waiting = {job.asked.pool for job in found if job.state is QueueState.WAITING}
    why = {shown.job.name: shown for pool in waiting for shown in _all_shown(view, pool)}
    return [why.get(job.name, JobView(job, None)) for job in found]


def is_seen(view: View, thing: str) -> bool:
    """Return whether the actor sees the trial or the service of that name."""
    return any(view.head(head) is not None for head in (thing, record_head(thing)))


def why_waiting(shown: JobView) -> Text:
    """Return in words why a job waits, without naming whom or what it waits for, because anyone may read it."""
    return text("pool.hub.next") if shown.wait is None else text(f"pool.wait.{shown.wait.reason.value}")


def why_seat_waits(view: View, subject: str) -> Text:
    """Return in words why the seat about ``subject`` waits, for anyone who sees the trial or service."""
    found = [one for one in seats_of(view, subject.partition("@")[0]) if one.job.subject == subject]
    return why_waiting(found[0]) if found else text("pool.hub.next")


def over(view: View, name: str, most: int = 50) -> list[JobRow]:
    """Return the newest ``most`` ended jobs of a pool that the actor may know, the last first."""
    pool_of(view, name)
    with view.reading() as connection:
        return rows.jobs_over(connection, name, "" if view.actor.sees_all else view.actor.organisation, most)


def job_seen(view: View, name: str) -> JobView:
    """Return a job with why it waits and every attempt; raises `NotFoundError`, also for jobs of others."""
    with view.reading() as connection:
        found = rows.find_job(connection, name)
        attempts = rows.attempts_of(connection, name)
    if found is None or not _is_known(view, found):
        raise NotFoundError("pool.no_job", job=name)
    waiting: Sequence[JobView] = queue(view, found.asked.pool) if found.state is QueueState.WAITING else ()
    wait = next((one.wait for one in waiting if one.job.name == name), None)
    return JobView(found, wait, tuple(attempts))


def usage(view: View, name: str, since: datetime, until: datetime, bins: int) -> Mapping[str, tuple[float, ...]]:
    """Return organisation → its mean dominant share of a pool in each of ``bins`` equal intervals, 0 to 1."""
    pool, width = pool_of(view, name)[1], (until - since) / bins
    with view.reading() as connection:
        attempts = rows.attempts_between(connection, name, since, until)
    held: defaultdict[str, list[float]] = defaultdict(lambda: [0.0] * bins)
    now = view.store.clock()
    for attempt in attempts:
        share = dominant_share(attempt.held, pool.capacity)
        for number in range(bins):
            begins = since + number * width
            overlap = min(attempt.ended_at or now, begins + width) - max(attempt.began_at, begins)
            held[attempt.organisation][number] += share * max(overlap / width, 0.0) if overlap > timedelta(0) else 0.0
    return {organisation: tuple(shares) for organisation, shares in sorted(held.items())}


def _all_shown(view: View, name: str) -> list[JobView]:
    """Return every job of a pool, with the reason why it waits that the actor may know."""
    pool, at = pool_of(view, name)[1], view.store.clock()
    now = at.timestamp()
    with view.reading() as connection:
        live, absent = rows.jobs_in(connection, name), sitting.unasked(connection, name, at)
        there = [job for job in live if job.name not in absent]
        machines = turns.there_of(connection, name)
        desk = PoolScheduler(pool, PLACER, turns.standing_of(connection, name, there), now, machines.capacities(pool))
    if not machines.away:
        desk.decide(now)
    why = waits(desk, now)
    if machines.away:
        why = {one: replace(wait, reason=WaitReason.MACHINES, blocker="", starts=None) for one, wait in why.items()}
    why = {**why, **{one: JobWait(one, WaitReason.WORKER, "", 0, None) for one in absent}}
    unknown = {job.name: job.asked.organisation for job in live if not _is_known(view, job)}
    waiting = {job.name for job in live if job.state is QueueState.WAITING}  # a job about to be evicted still runs
    return [JobView(job, _told(why.get(job.name), unknown) if job.name in waiting else None) for job in live]


def _is_known(view: View, job: JobRow) -> bool:
    return view.actor.sees_all or job.asked.organisation == view.actor.organisation


def _told(wait: JobWait | None, unknown: Mapping[str, str]) -> JobWait | None:
    """Return why a job waits, without the name of a job that the reader may not know."""
    return wait if wait is None else replace(wait, blocker=unknown.get(wait.blocker, wait.blocker))


def _closed(pool: Pool, now: datetime) -> tuple[str, ...]:
    """Return the machines of a pool that are under maintenance now."""
    closed = [one for one in pool.maintenance if one.starts <= now < one.ends]
    entries = {name for window in closed for name in window.machines or [alike.name for alike in pool.machines]}
    return tuple(name for alike in pool.machines if alike.name in entries for name in alike.names)


def _holding(pool: Pool, quota: Quota, live: list[JobRow]) -> HoldingTold:
    own = [job for job in live if job.asked.organisation == quota.organisation]
    running = [job for job in own if job.state is not QueueState.WAITING]
    held, guarantee = total(job.asked.total for job in running), quota.guarantee.vector
    beyond = {name: amount - guarantee.get(name, 0) for name, amount in held.items()}
    return HoldingTold(
        organisation=quota.organisation,
        guarantee=guarantee,
        limit=quota.limit.vector,
        held=held,
        borrowed={name: amount for name, amount in beyond.items() if amount > 0},
        weight=quota.weight,
        share=dominant_share(held, pool.capacity),
        running=len(running),
        waiting=len(own) - len(running),
    )
