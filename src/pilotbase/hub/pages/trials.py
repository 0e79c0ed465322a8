"""A trial as it goes: its progress, its report in the view that the reader may have."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from pilotbase.catalogue.records import record_of
from pilotbase.documents.record import Record
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.presenters.addresses import address_of, certificate_address, subject_of
from pilotbase.trial.page import render_report
from pilotbase.worker.progress import progress_of
from pilotbase.worker.readings import certificate_of, report_of
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.store import View

SANDBOX = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""A report's own policy allows its one stylesheet by hash; this takes everything else away from it."""


@require_safe
def progress(request: HubRequest, name: str) -> HttpResponse:
    """Give the part of a trial's page that is refreshed while work goes on."""
    record = _record(request, name)
    job = progress_of(request.acting.view, record.subject)
    live = job is not None and job.live
    shown = {"seen": {"name": name}, "job": job, "live": live}
    response = render(request, "hub/parts/progress.html", shown)
    if not live and request.headers.get("HX-Request"):
        response["HX-Refresh"] = "true"  # the rest of the page has changed with it
    return response


@require_safe
def report(request: HubRequest, name: str) -> HttpResponse:
    """Give the report, full or in the supplier's view, where nothing in it can run or reach anything."""
    view, record = request.acting.view, _record(request, name)
    found = report_of(view, record)
    if found is None:
        raise NotFoundError("hub.not_found")
    issued = certificate_of(view, record)
    certificate = issued.certificate if issued is not None else None
    check_at = certificate_address(certificate.serial) if certificate is not None else None
    response = HttpResponse(render_report(found, certificate, language(), check_at, _ways(view, record)))
    response["Content-Security-Policy"] = SANDBOX
    return response


def _ways(view: View, record: Record) -> list[tuple[str, str]]:
    """Return the trial, and the scenario where it is seen, with what a report calls them."""
    ways = [(text("service.trial").render(language()), address_of(record.subject))]
    scenario = record.subjects.get("scenario")
    if scenario is not None and find_listing(view, scenario) is not None:
        ways.append((text("hub.scenario").render(language()), address_of(scenario)))
    return ways


def _record(request: HubRequest, name: str) -> Record:
    record = record_of(request.acting.view, subject_of("trials", name))
    if record is None:
        raise NotFoundError("hub.not_found")
    return record
