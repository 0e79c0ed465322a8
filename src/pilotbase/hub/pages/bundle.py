"""The sample bundle of a trial: what it is, and one click to take it."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from pilotbase.documents.permissions import Reading
from pilotbase.documents.report import Report
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.addresses import address_of, subject_of
from pilotbase.hub.base import base
from pilotbase.worker.bundle_files import NEEDED, OPTIONAL, SUMS
from pilotbase.worker.bundle_readme import what_is
from pilotbase.worker.packing import Bundle, reports_of, take_bundle
from pilotbase.worker.readings import record_for


@require_http_methods(["GET", "HEAD", "POST"])
def take(request: HubRequest, name: str) -> HttpResponse:
    """Show what the bundle holds; give it to who asks for it. Asking is a read of hidden data and stands in the log."""
    view, subject = request.acting.view, subject_of("trials", name)
    record = record_for(view, subject, Reading.BUNDLE)
    if request.method == "POST":
        return attached(take_bundle(base(), view, subject, request.POST.get("report") or None))
    shown = {
        "title": text("live.bundle"),
        "record": record,
        "rounds": [view.load(digest, Report) for digest in reversed(reports_of(record))],
        "files": [(name, what_is(name)) for name in (*NEEDED, *OPTIONAL, SUMS)],
        "name": name,
        "crumbs": [
            {"url": "/trials/", "label": text("hub.nav_trials")},
            {"url": address_of(subject), "label": record.title},
        ],
    }
    return render(request, "hub/bundle.html", shown)


def attached(bundle: Bundle) -> HttpResponse:
    """Return the archive as a file to keep."""
    response = HttpResponse(bundle.archive, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{bundle.name}"'
    return response
