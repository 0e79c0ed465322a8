"""How long what a job has printed and left is kept: so many days after its end."""

from __future__ import annotations

from datetime import timedelta

from pilotbase.compute.backends.local import LocalBackend
from pilotbase.compute.queue import rows
from pilotbase.worker.base import Base

KEPT_DAYS = 30


def local_backend(base: Base) -> LocalBackend:
    """Return the backend of this machine, whose attempts are kept in the base's home."""
    return LocalBackend(base.lab.folder("compute-attempts"))


def forget_old_attempts(base: Base) -> int:
    """Remove what is kept of attempts whose job ended long ago, and return how many they were."""
    backend, before, forgotten = local_backend(base), base.lab.store.clock() - timedelta(days=KEPT_DAYS), 0
    for attempt in backend.attempts():
        with base.lab.view.reading() as connection:
            job = rows.find_job(connection, attempt.job)
        if job is not None and job.ended_at is not None and job.ended_at < before:
            backend.forget(attempt)
            forgotten += 1
    return forgotten
