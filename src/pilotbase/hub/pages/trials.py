"""A trial as it goes: its progress, its report in the view that the reader may have, its sample bundle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect

from pilotbase.catalogue.records import record_of
from pilotbase.documents.hashes import digest_of
from pilotbase.documents.permissions import ReadScope
from pilotbase.documents.record import Commission, Record
from pilotbase.documents.report import Report
from pilotbase.documents.texts import Language, text
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.base import base
from pilotbase.hub.presenters.addresses import address_of, certificate_address, record_crumbs, subject_of
from pilotbase.hub.presenters.drawn import render_live
from pilotbase.hub.presenters.plans import plan_shown
from pilotbase.hub.presenters.records import work_shown
from pilotbase.hub.presenters.taken import bundle_response, report_language, sandboxed
from pilotbase.hub.routing import EVERYBODY, FORM, page
from pilotbase.trial.page import PlaceOnHub, first_screen, render_report
from pilotbase.worker.operations.binding import there
from pilotbase.worker.progress import JobProgress, told
from pilotbase.worker.readings import certificate_of, record_for, report_of
from pilotbase.worker.sample_bundles.files import NEEDED, OPTIONAL, REPORT, SUMS, file_in
from pilotbase.worker.sample_bundles.orders import PackedBundle, fetch_bundle, find_order, order_bundle, reports_of
from pilotbase.worker.sample_bundles.packing import what_is
from pilotbase.worker.trials.consenting import estimate_shown
from pilotbase.workspace.listings import find_listing, find_listings
from pilotbase.workspace.store import View


@dataclass(frozen=True)
class _Round:
    """A round of a trial that has a report, and what the reader has asked of it."""

    report: Report
    work: JobProgress | None
    packed: PackedBundle | None


@page("trials/<name:name>/progress/", "progress", EVERYBODY)
def progress(request: HubRequest, name: str) -> HttpResponse:
    """Give the part of a trial's page that is refreshed while work goes on."""
    record = _record(request, name)
    shown = {"seen": {"name": name}, **work_shown(request.acting.view, record.subject)}
    return render_live(request, "parts/progress", "progress", shown)


@page("trials/<name:name>/report/", "report", EVERYBODY)
def report(request: HubRequest, name: str) -> HttpResponse:
    """Give the report, full or in the supplier's view, where nothing in it can run or reach anything."""
    view, record = request.acting.view, _record(request, name)
    found = there(report_of(view, record))
    issued = certificate_of(view, record)
    certificate = issued.certificate if issued is not None else None
    check_at = certificate_address(certificate.serial) if certificate is not None else None
    chosen, other = report_language(request)
    place = PlaceOnHub(other, _ways(view, record, chosen))
    return sandboxed(render_report(found, certificate, chosen, check_at, place))


@page("trials/<name:name>/bundle/", "bundle", EVERYBODY, FORM)
def take_bundle(request: HubRequest, name: str) -> HttpResponse:
    """Show what the bundle holds and how far the packing is; asking for it queues the packing and stands in the log."""
    view, subject = request.acting.view, subject_of("trials", name)
    record = record_for(view, subject, ReadScope.BUNDLE)
    if request.method == "POST":
        order_bundle(base(), view, subject, request.POST.get("report") or None)
        return redirect("bundle", name=name)
    rounds = list(_rounds(view, record))
    at_work = any(one.work is not None and one.work.live for one in rounds)
    shown = {
        "title": text("live.bundle"),
        "record": record,
        "rounds": rounds,
        "at_work": at_work,
        "live": at_work,
        "files": [(name, what_is(name)) for name in (*NEEDED, *OPTIONAL, SUMS)],
        "name": name,
        "crumbs": record_crumbs(subject, record.title),
    }
    return render_live(request, "bundle", "bundle", shown)


@page("trials/<name:name>/bundle/<digits:digest>.zip", "bundle-file", EVERYBODY)
def download_bundle(request: HubRequest, name: str, digest: str) -> HttpResponse:
    """Give the archive to whom it was packed for, while it is kept."""
    view = request.acting.view
    return bundle_response(fetch_bundle(base(), view, subject_of("trials", name), digest_of(digest)))


@page("trials/<name:name>/bundle/<digits:digest>.html", "bundle-report", EVERYBODY)
def read_bundle(request: HubRequest, name: str, digest: str) -> HttpResponse:
    """Show the report of a bundle, in which hidden episodes are laid out, to whom the bundle was packed for."""
    found = fetch_bundle(base(), request.acting.view, subject_of("trials", name), digest_of(digest))
    return sandboxed(file_in(found.archive, REPORT).decode())


def of_trial(view: View, record: Record) -> dict[str, Any]:
    """Return what the page of a trial lays out, as far as it is seen."""
    terms, issued, found = record.documents.get("commission"), certificate_of(view, record), report_of(view, record)
    kinds = (("scenario", text("hub.scenario")), ("application", text("hub.application")))
    about = [(label, record.subjects[kind]) for kind, label in kinds if kind in record.subjects]
    seen = find_listings(view, [subject for _, subject in about])
    return {
        "about": [(label, one, seen[one].title if one in seen else None) for label, one in about],
        "commission": view.load(terms, Commission) if terms else None,
        "approvals": record.approvals_at(view.store.clock()),
        "report": found,
        "first": None if found is None else first_screen(found),
        "certificate": issued.certificate if issued else None,
        "estimate": estimate_shown(view, record),
        "plan": plan_shown(view, record, seen.get(record.subjects.get("scenario", ""))),
        **work_shown(view, record.subject),
    }


def _ways(view: View, record: Record, language: Language) -> list[tuple[str, str]]:
    """Return the trial, and the scenario where it is seen, with what a report calls them."""
    ways = [(text("service.trial").render(language), address_of(record.subject))]
    scenario = record.subjects.get("scenario")
    if scenario is not None and find_listing(view, scenario) is not None:
        ways.append((text("hub.scenario").render(language), address_of(scenario)))
    return ways


def _record(request: HubRequest, name: str) -> Record:
    return there(record_of(request.acting.view, subject_of("trials", name)))


def _rounds(view: View, record: Record) -> Iterator[_Round]:
    """Yield the rounds that have a report, newest first."""
    for digest in reversed(reports_of(record)):
        order = find_order(base(), view, record.subject, digest)
        work = told(order.job) if order is not None and order.packed is None else None
        packed = order.packed if order is not None else None
        yield _Round(
            view.load(digest, Report), work if work and (work.live or work.state == "failed") else None, packed
        )
