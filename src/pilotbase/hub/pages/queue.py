"""The queue: what runs and what waits, in the order in which it is taken, as far as the reader sees the records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from pilotbase.documents.base import Localized
from pilotbase.documents.lifecycles import transition
from pilotbase.documents.permissions import Act, permitted
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.guards import member_only
from pilotbase.hub.pages.trials import Progress, told
from pilotbase.hub.shown.records import record_of
from pilotbase.workspace.jobs import Job, live_jobs
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.store import View

_STOPS = {"trial": Act.TRIAL_STOP, "rehearse": Act.APPLICATION_STOP, "board": Act.APPLICATION_STOP}
"""Kind of job → the step that stops it; what is short, or signs, is not stopped."""


@dataclass(frozen=True)
class Line:
    """One job as the page shows it."""

    subject: str
    title: Localized
    progress: Progress
    organisation: str
    since: datetime
    stop: Act | None
    """The step by which the reader may stop it."""


@require_safe
@member_only
def show(request: HubRequest) -> HttpResponse:
    """Show the queue."""
    lines = list(lines_of(request.acting.view))
    template = "hub/parts/queue.html" if request.headers.get("HX-Request") else "hub/queue.html"
    return render(request, template, {"title": text("live.queue_title"), "lines": lines, "live": True})


def lines_of(view: View) -> Iterator[Line]:
    """Yield what runs and waits, in the order in which it is taken."""
    for job in live_jobs(view):
        listing = find_listing(view, job.subject)
        if listing is not None:
            since = job.started_at or job.queued_at
            yield Line(job.subject, listing.title, told(job), job.organisation, since, _stop(view, job))


def _stop(view: View, job: Job) -> Act | None:
    """Return the step that stops this job where the reader may take it."""
    record, act = record_of(view, job.subject), _STOPS.get(job.kind)
    if record is None or act is None or job.stopping:
        return None
    return act if record.state in transition(act).sources and permitted(act, view.actor, record.stands) else None
