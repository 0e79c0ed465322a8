"""My work: everyone's first page. What waits for me, since when, due when."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from pilotbase.catalogue.my_work import my_work
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.guards import member_only


@require_safe
@member_only
def show(request: HubRequest) -> HttpResponse:
    """Show what waits for the reader."""
    shown = {"title": text("hub.nav_my_work"), "tasks": my_work(request.acting.view)}
    return render(request, "hub/work.html", shown)
