"""The queue: what runs and what waits, in the order in which it is taken, as far as the reader sees the records."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.guards import member_only
from pilotbase.worker.jobs.waiting_line import waiting_line


@require_safe
@member_only
def show(request: HubRequest) -> HttpResponse:
    """Show the queue."""
    lines = list(waiting_line(request.acting.view))
    template = "hub/parts/queue.html" if request.headers.get("HX-Request") else "hub/queue.html"
    return render(request, template, {"title": text("live.queue_title"), "lines": lines, "live": True})
