"""A trial as it goes: its progress, its report in the view that the reader may have."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from pilotbase.certificate.issued import IssuedCertificate
from pilotbase.documents.record import Record
from pilotbase.documents.report import Report
from pilotbase.documents.texts import Text, text
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.shown import checking
from pilotbase.hub.shown.addresses import address_of, subject_of
from pilotbase.hub.shown.records import record_of
from pilotbase.trial.page import render_report
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.jobs import Job, jobs_of
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.store import View

SANDBOX = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""A report's own policy allows its one stylesheet by hash; this takes everything else away from it."""


@dataclass(frozen=True)
class Progress:
    """Coarse progress of the newest job of a record."""

    kind: str
    """What is done; names: text ``hub.work.<kind>``."""
    state: str
    position: int
    stage: Text | None
    share: int | None
    """How far the stage is, in percent, in steps of five; None where that is not known."""
    reason: Text | None
    live: bool


@require_safe
def progress(request: HubRequest, name: str) -> HttpResponse:
    """Give the part of a trial's page that is refreshed while work goes on."""
    record = _record(request, name)
    job = progress_of(request.acting.view, record)
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
    check_at = checking.address(certificate.serial) if certificate is not None else None
    response = HttpResponse(render_report(found, certificate, language(), check_at, _ways(view, record)))
    response["Content-Security-Policy"] = SANDBOX
    return response


def progress_of(view: View, record: Record) -> Progress | None:
    """Return how far the newest work on a record is; None where there was none."""
    jobs = jobs_of(view, record.subject)
    return told(jobs[0]) if jobs else None


def report_of(view: View, record: Record) -> Report | None:
    """Return the newest report of a trial: the full one where it is seen, else the supplier's view of it."""
    full = record.documents.get("report")
    if full is None:
        return None
    stored = view.get(full) or next(iter(view.find("report", {"full": full}, limit=1)), None)
    return stored.load(Report) if stored else None


def certificate_of(view: View, record: Record) -> IssuedCertificate | None:
    """Return the certificate that was issued over the newest report."""
    report_digest = record.documents.get("report")
    digest = view.head(f"certificate:{report_digest}") if report_digest else None
    return view.load(digest, IssuedCertificate) if digest else None


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
