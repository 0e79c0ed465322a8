"""Shared pools as pages and API show them: the reader's own jobs by name, others' as organisation and amount."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pilotbase.documents.api.shapes import WaitTold, filled
from pilotbase.documents.base import localized
from pilotbase.documents.texts import Language
from pilotbase.worker.base import Base
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View
from pilotbase_estate.backends.backend import ComputeBackend, LogPart, MemberAttempt
from pilotbase_estate.backends.cluster import RayBackend
from pilotbase_estate.backends.local import LocalBackend
from pilotbase_estate.backends.sessions import RayEngine
from pilotbase_estate.documents.api.pools import (
    AttemptTold,
    JobDetail,
    JobTold,
    OthersTold,
    PoolTold,
    QueueTold,
    UsageSpan,
    UsageTold,
    WindowTold,
)
from pilotbase_estate.documents.resources import dominant_share
from pilotbase_estate.queue import rows
from pilotbase_estate.queue.pools import pool_of, pools
from pilotbase_estate.queue.rows import AttemptRow, JobRow, QueueState, require_own
from pilotbase_estate.queue.showing import PoolStatus, is_seen, job_seen, over, queue, standing, usage
from pilotbase_estate.sharing.explaining import JobWait

KEPT_DAYS, MOST_ENDED = 30, 30


def backend_of(base: Base) -> ComputeBackend:
    """Return the backend on which a base's jobs run: its engine opens boxes there, too."""
    engine = base.lab.engine
    return RayBackend(_place(base), engine.cluster) if isinstance(engine, RayEngine) else local_backend(base)


def require_engine_of_jobs(view: View, engine: str) -> None:
    """Require that no job of a base runs on an engine other than ``engine``; raises `OtherEngineError`."""
    with view.reading() as connection:
        require_own(connection, engine)


def local_backend(base: Base) -> LocalBackend:
    """Return the backend of this machine; it keeps attempts in the base's home, as a cluster's backend does."""
    return LocalBackend(_place(base))


def forget_old_attempts(base: Base) -> int:
    """Remove what is kept of attempts whose job ended long ago, and return how many there were."""
    backend, before, forgotten = local_backend(base), base.lab.store.clock() - timedelta(days=KEPT_DAYS), 0
    for attempt in backend.attempts():
        with base.lab.view.reading() as connection:
            job = rows.find_job(connection, attempt.job)
        if job is not None and job.ended_at is not None and job.ended_at < before:
            backend.forget(attempt)
            forgotten += 1
    return forgotten


def _place(base: Base) -> Path:
    return base.lab.folder("compute-attempts")


SPANS: Mapping[UsageSpan, tuple[timedelta, int]] = {
    UsageSpan.HOUR: (timedelta(hours=1), 60),
    UsageSpan.DAY: (timedelta(days=1), 48),
    UsageSpan.WEEK: (timedelta(days=7), 56),
    UsageSpan.MONTH: (timedelta(days=30), 60),
}
"""How far back, and in how many intervals."""


def pools_told(view: View, language: Language) -> list[PoolTold]:
    """Return every pool of the base, by name."""
    return [pool_told(view, language, one.name) for one in pools(view)]


def pool_told(view: View, language: Language, name: str) -> PoolTold:
    """Return who holds what of a pool; raises `NotFoundError`."""
    found = standing(view, name)
    return PoolTold(
        name=found.pool.name,
        title=localized(found.pool.title, language),
        capacity=found.pool.capacity,
        free=found.free,
        closed=list(found.closed),
        maintenance=_windows(found, view.store.clock(), language),
        away=found.there.away,
        missing=list(found.there.missing),
        smaller=dict(found.there.smaller),
        holdings=list(found.holdings),
    )


def queue_told(view: View, language: Language, name: str) -> QueueTold:
    """Return who waits and runs in a pool, and the reader's newest ended jobs; raises `NotFoundError`."""
    shown = queue(view, name)
    own = view.actor.organisation
    others = [one for one in standing(view, name).holdings if one.organisation != own and not view.actor.sees_all]
    return QueueTold(
        jobs=[_job(view, language, one.job, one.wait) for one in shown],
        ended=[_job(view, language, one, None) for one in over(view, name, MOST_ENDED)],
        others=[OthersTold.model_validate(one) for one in others],
    )


def job_told(view: View, language: Language, name: str) -> JobDetail:
    """Return a job that the actor may know, with every attempt at it; raises `NotFoundError`."""
    seen = job_seen(view, name)
    told = _job(view, language, seen.job, seen.wait)
    return JobDetail(**dict(told), attempts=[_attempt(one) for one in seen.attempts])


def usage_told(view: View, name: str, span: UsageSpan) -> UsageTold:
    """Return who had how much of a pool up to now; raises `NotFoundError`."""
    pool, until = pool_of(view, name)[1], view.store.clock()
    reach, bins = SPANS[span]
    return UsageTold(
        since=until - reach,
        until=until,
        seconds=reach.total_seconds() / bins,
        shares={name: list(shares) for name, shares in usage(view, name, until - reach, until, bins).items()},
        guarantees={one.organisation: dominant_share(one.guarantee.vector, pool.capacity) for one in pool.quotas},
    )


def _windows(found: PoolStatus, now: datetime, language: Language) -> list[WindowTold]:
    coming = (one for one in found.pool.maintenance if one.ends > now)
    return [
        filled(WindowTold, one, machines=list(one.machines), why=localized(one.why, language) if one.why else "")
        for one in sorted(coming, key=lambda one: one.starts)
    ]


def _job(view: View, language: Language, job: JobRow, wait: JobWait | None) -> JobTold:
    return filled(
        JobTold,
        job.asked,
        subject=job.thing if job.is_seat and is_seen(view, job.thing) else "",
        demand=job.asked.demand.vector,
        voucher=job.voucher,
        state=job.state,
        reason=job.reason.render(language) if job.reason is not None else None,
        wait=wait_told(wait) if wait is not None else None,
        attempt=job.attempt,
        evictions=job.evictions,
        submitted_at=job.asked.submitted,
        started_at=job.started_at if job.state is not QueueState.WAITING else None,
        ended_at=job.ended_at,
    )


def wait_told(wait: JobWait) -> WaitTold:
    """Return why work waits, for whom, and when it is expected to start."""
    starts = datetime.fromtimestamp(wait.starts, UTC) if wait.starts is not None else None
    return WaitTold(reason=wait.reason.value, blocker=wait.blocker, place=wait.position, starts=starts)


def _attempt(one: AttemptRow) -> AttemptTold:
    used = {name: getattr(one.metered, name) for name in ("wall_ms", "cpu_ms", "memory_mib_ms")}
    return filled(AttemptTold, one, nodes=list(one.nodes), **used)


def log_of(base: Base, view: View, job: str, member: int = 0) -> LogPart:
    """Return what a member of a job's last attempt has printed, as far as it is kept.

    Raises:
        NotFoundError: there is no such job of the actor's own organisation, or no such member.
    """
    return local_backend(base).logs(_last_attempt(view, job, member), 0)


def output_of(base: Base, view: View, job: str, member: int) -> bytes:
    """Return the archive that a member of a job's last attempt has left, unread.

    Raises:
        NotFoundError: as `log_of`, or it has left nothing.
    """
    archive = local_backend(base).output(_last_attempt(view, job, member))
    if archive is None:
        raise NotFoundError("compute.no_output", job=job)
    return archive


def _last_attempt(view: View, job: str, member: int) -> MemberAttempt:
    found = job_seen(view, job).job
    if found.asked.organisation != view.actor.organisation or not 0 <= member < found.asked.members:
        raise NotFoundError("pool.no_job", job=job)
    return MemberAttempt(job, found.attempt, member)
