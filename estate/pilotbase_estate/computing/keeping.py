"""Where jobs run, what they have printed and left, and for how many days after their end that is kept."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pilotbase.worker.base import Base
from pilotbase.workspace.store import View
from pilotbase_estate.backends.backend import ComputeBackend
from pilotbase_estate.backends.cluster import RayBackend
from pilotbase_estate.backends.local import LocalBackend
from pilotbase_estate.backends.sessions import RayEngine
from pilotbase_estate.queue import rows
from pilotbase_estate.queue.rows import require_own

KEPT_DAYS = 30


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
