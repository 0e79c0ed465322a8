"""How far work on a record is, as everybody who sees the record may know: coarse, so that it reveals no case.

The queue, too: running and waiting jobs, in the order of claiming, and which of them people may stop.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from pilotbase.catalogue.records import record_of
from pilotbase.documents.api.shapes import SeatTold
from pilotbase.documents.api.trials import TrialProgress
from pilotbase.documents.base import Localized
from pilotbase.documents.lifecycles import transition
from pilotbase.documents.permissions import Act, permitted
from pilotbase.documents.texts import Language, Spell, Text
from pilotbase.worker.providers import seats
from pilotbase.workspace.jobs import Job, JobState, jobs_of, live_jobs
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.store import View

_STOPS = {"trial": Act.TRIAL_STOP, "rehearse": Act.APPLICATION_STOP, "board": Act.APPLICATION_STOP}
"""Kind of job → the step that stops it; short jobs, and those that sign, are not stopped."""


@dataclass(frozen=True)
class JobProgress:
    """Coarse progress of a job."""

    kind: str
    """The kind of work; names: text ``job.kind.<kind>``."""
    state: str
    position: int
    stage: Text | None
    share: int | None
    """Progress of the stage, in percent, in steps of five; None if unknown."""
    reason: Text | None
    """Why it waits, failed or was cancelled."""
    live: bool
    seat: SeatTold | None = None
    """The seat in a shared pool that it waits for."""

    def spoken(self, reader: Language, spell: Spell = str) -> TrialProgress:
        """Return it in the language of ``reader``."""
        stage, reason = (one and one.render(reader, spell) for one in (self.stage, self.reason))
        return TrialProgress(state=self.state, position=self.position, stage=stage, reason=reason, seat=self.seat)


def progress_of(view: View, subject: str, kind: str | None = None) -> JobProgress | None:
    """Return the progress or end of the newest work on a record, of any kind or of ``kind``; None if there is none."""
    newest = next((job for job in jobs_of(view, subject) if kind is None or job.kind == kind), None)
    return None if newest is None else _seated(view, newest)


def told(job: Job) -> JobProgress:
    """Return a job as everybody who sees its record may see it."""
    live, step = not job.ended, job.progress
    return JobProgress(
        kind=job.kind,
        state="stopping" if live and job.stopping else job.state.value,
        position=job.ahead + 1 if job.state.value == "queued" else 0,
        stage=step.stage if step and live else None,
        share=step.done * 20 // step.total * 5 if step and live and step.total else None,
        reason=None if job.state is JobState.RUNNING and not job.stopping else job.reason,
        live=live,
    )


def _seated(view: View, job: Job) -> JobProgress:
    """Return a job with the seat that it waits for, as far as the reader may know it."""
    if job.kind != "trial" or job.state is not JobState.QUEUED:
        return told(job)
    waiting = (seat for seat in seats().seen(view, job.subject) if seat.state == "waiting")
    return replace(told(job), seat=next(waiting, None))


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
