"""My work: everyone's first page. What waits for me, since when, due when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.guards import member_only
from pilotbase.hub.reading import Seen, see_all
from pilotbase.workspace.listings import Wait, find_waits

LIMIT = 100


@dataclass(frozen=True)
class Task:
    """One thing that waits for the reader."""

    seen: Seen
    wait: Wait
    overdue: bool


@require_safe
@member_only
def show(request: HubRequest) -> HttpResponse:
    """Show what waits for the reader."""
    waiting = find_waits(request.acting.view, LIMIT)
    records = see_all(request.acting.view, (listing for listing, _ in waiting))
    now = datetime.now(UTC)
    tasks = [
        Task(seen, wait, wait.due is not None and wait.due < now)
        for seen, (_, wait) in zip(records, waiting, strict=True)
    ]
    return render(request, "hub/work.html", {"title": text("hub.nav_my_work"), "tasks": tasks})
