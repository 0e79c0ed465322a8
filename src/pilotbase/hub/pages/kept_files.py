"""What the base keeps of the data of a scenario, until when, and its erasure: for the owner and the operator."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.base import base
from pilotbase.hub.guards import member_only
from pilotbase.hub.presenters.addresses import address_of, subject_of
from pilotbase.worker.jobs.retention import erase_kept_files, kept_files


@require_http_methods(["GET", "HEAD", "POST"])
@member_only
def show(request: HubRequest, name: str) -> HttpResponse:
    """Show the files that are kept; erase them all when asked to."""
    view, subject = request.acting.view, subject_of("scenarios", name)
    if request.method == "POST":
        count = erase_kept_files(base(), view, subject)
        messages.success(request, text("kept.erased", count=count).render(language()))
        return redirect("kept-files", name=name)
    days = timedelta(days=settings.CONFIGURATION.files_days)
    found = [(one, one.stored_at + days) for one in kept_files(base(), view, subject)]
    crumbs = [{"url": "/scenarios/", "label": text("hub.nav_scenarios")}, {"url": address_of(subject), "label": name}]
    shown = {"title": text("kept.title"), "kept": found, "name": name, "crumbs": crumbs}
    return render(request, "hub/kept_files.html", shown)
