"""The sample bundle of a trial: what it is, asking for it, and the archive once the worker has packed it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from pilotbase.documents.hashes import digest_of
from pilotbase.documents.permissions import ReadScope
from pilotbase.documents.record import Record
from pilotbase.documents.report import Report
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.base import base
from pilotbase.hub.presenters.addresses import address_of, subject_of
from pilotbase.hub.presenters.taken import bundle_response
from pilotbase.worker.bundles.files import NEEDED, OPTIONAL, SUMS
from pilotbase.worker.bundles.orders import PackedBundle, fetch_bundle, find_order, order_bundle
from pilotbase.worker.bundles.packing import reports_of, what_is
from pilotbase.worker.progress import JobProgress, told
from pilotbase.worker.readings import record_for
from pilotbase.workspace.store import View


@dataclass(frozen=True)
class Round:
    """A round of a trial that has a report, and what the reader has asked of it."""

    report: Report
    work: JobProgress | None
    packed: PackedBundle | None


@require_http_methods(["GET", "HEAD", "POST"])
def take(request: HubRequest, name: str) -> HttpResponse:
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
        "crumbs": [
            {"url": "/trials/", "label": text("hub.nav_trials")},
            {"url": address_of(subject), "label": record.title},
        ],
    }
    template = "hub/parts/bundle.html" if request.headers.get("HX-Request") else "hub/bundle.html"
    return render(request, template, shown)


@require_safe
def download(request: HubRequest, name: str, digest: str) -> HttpResponse:
    """Give the archive to whom it was packed for, while it is kept."""
    view = request.acting.view
    return bundle_response(fetch_bundle(base(), view, subject_of("trials", name), digest_of(digest)))


def _rounds(view: View, record: Record) -> Iterator[Round]:
    """Yield the rounds that have a report, newest first."""
    for digest in reversed(reports_of(record)):
        order = find_order(base(), view, record.subject, digest)
        work = told(order.job) if order is not None and order.packed is None else None
        packed = order.packed if order is not None else None
        yield Round(view.load(digest, Report), work if work and (work.live or work.state == "failed") else None, packed)
