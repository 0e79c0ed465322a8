"""What a job has printed and left: bytes that nobody here reads, for the organisation whose job it is alone."""

from __future__ import annotations

from pilotbase.compute.backends.backend import Attempt, LogPart
from pilotbase.compute.queue.showing import job_seen
from pilotbase.worker.base import Base
from pilotbase.worker.computing.keeping import local_backend
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View


def log_of(base: Base, view: View, job: str, member: int = 0) -> LogPart:
    """Return what a member of a job's last attempt has printed, as far as it is kept.

    Raises:
        NotFoundError: there is no such job of the actor's own organisation, or no such member.
    """
    return local_backend(base).logs(_attempt(view, job, member), 0)


def output_of(base: Base, view: View, job: str, member: int = 0) -> bytes:
    """Return the archive that a member of a job's last attempt has left, unread.

    Raises:
        NotFoundError: as `log_of`, or it has left nothing.
    """
    archive = local_backend(base).output(_attempt(view, job, member))
    if archive is None:
        raise NotFoundError("compute.no_output", job=job)
    return archive


def _attempt(view: View, job: str, member: int) -> Attempt:
    found = job_seen(view, job).shown.job
    if found.asked.organisation != view.actor.organisation or not 0 <= member < found.asked.members:
        raise NotFoundError("pool.no_job", job=job)
    return Attempt(job, found.attempt, member)
