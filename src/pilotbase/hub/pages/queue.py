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
from pilotbase.hub.reading import record_of
from pilotbase.workspace.jobs import Job, live_jobs
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.store import View


@dataclass(frozen=True)
class Line:
    """One job as the page shows it."""

    subject: str
    title: Localized
    progress: Progress
    organisation: str
    since: datetime
    may_stop: bool


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
            may_stop = _may_stop(view, job)
            yield Line(job.subject, listing.title, told(job), job.organisation, since, may_stop)


def _may_stop(view: View, job: Job) -> bool:
    """Tell whether the reader may take the step that stops this job."""
    record, stop = record_of(view, job.subject), transition(Act.TRIAL_STOP)
    if record is None or job.kind != "trial" or job.stopping:
        return False
    return record.state in stop.sources and permitted(stop.act, view.actor, record.stands)
