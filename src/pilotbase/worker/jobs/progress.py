"""How far work on a record is, as everybody may be told who sees the record: coarse, so that it gives no case away."""

from __future__ import annotations

from dataclasses import dataclass

from pilotbase.documents.texts import Text
from pilotbase.workspace.jobs import Job, jobs_of
from pilotbase.workspace.store import View


@dataclass(frozen=True)
class Progress:
    """Coarse progress of a job."""

    kind: str
    """What is done; names: text ``hub.work.<kind>``."""
    state: str
    position: int
    stage: Text | None
    share: int | None
    """How far the stage is, in percent, in steps of five; None where that is not known."""
    reason: Text | None
    live: bool


def progress_of(view: View, subject: str, kind: str | None = None) -> Progress | None:
    """Return how far the newest work on a record is, or how it ended, of any kind or of ``kind``; None: none."""
    newest = next((job for job in jobs_of(view, subject) if kind is None or job.kind == kind), None)
    return None if newest is None else told(newest)


def told(job: Job) -> Progress:
    """Return a job as everybody may be told of it who sees its record."""
    live, step = not job.ended, job.progress
    return Progress(
        kind=job.kind,
        state="stopping" if live and job.stopping else job.state.value,
        position=job.ahead + 1 if job.state.value == "queued" else 0,
        stage=step.stage if step and live else None,
        share=step.done * 20 // step.total * 5 if step and live and step.total else None,
        reason=job.reason,
        live=live,
    )
