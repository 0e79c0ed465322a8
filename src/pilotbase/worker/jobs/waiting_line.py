"""The queue as people see it: running and waiting jobs, in the order of claiming, and which they may stop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pilotbase.catalogue.records import record_of
from pilotbase.documents.base import Localized
from pilotbase.documents.lifecycles import transition
from pilotbase.documents.permissions import Act, permitted
from pilotbase.worker.progress import JobProgress, told
from pilotbase.workspace.jobs import Job, live_jobs
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.store import View

_STOPS = {"trial": Act.TRIAL_STOP, "rehearse": Act.APPLICATION_STOP, "board": Act.APPLICATION_STOP}
"""Kind of job → the step that stops it; short jobs, and those that sign, are not stopped."""


@dataclass(frozen=True)
class QueueEntry:
    """One job of the queue."""

    subject: str
    title: Localized
    progress: JobProgress
    organisation: str
    since: datetime
    stop: Act | None
    """The step that stops it, if the reader may take that step."""


def waiting_line(view: View) -> Iterator[QueueEntry]:
    """Yield running and waiting work on records that the actor sees, in the order in which it is taken."""
    for job in live_jobs(view):
        listing = find_listing(view, job.subject)
        if listing is not None:
            since = job.started_at or job.queued_at
            yield QueueEntry(job.subject, listing.title, told(job), job.organisation, since, _stop(view, job))


def _stop(view: View, job: Job) -> Act | None:
    """Return the step that stops this job, if the reader may take it."""
    record, act = record_of(view, job.subject), _STOPS.get(job.kind)
    if record is None or act is None or job.stopping:
        return None
    return act if record.state in transition(act).sources and permitted(act, view.actor, record.stands) else None
