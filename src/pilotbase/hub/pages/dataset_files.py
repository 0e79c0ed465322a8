"""The files that the base keeps of a dataset: sent, erased by their owner, their quality measured and published."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from pilotbase.data.quality.page import render_quality
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.quality import QualityReport, RuleResult
from pilotbase.documents.texts import text
from pilotbase.documents.visible_text import make_visible
from pilotbase.hub.acting import HubRequest, language, posted_files
from pilotbase.hub.base import base
from pilotbase.hub.forms.describing import FilesForm
from pilotbase.hub.forms.errors import add_errors
from pilotbase.hub.forms.kept_tables import erased_on_failure, keep_file
from pilotbase.hub.forms.private_files import make_name
from pilotbase.hub.guards import member_only
from pilotbase.hub.pages.trials import SANDBOX
from pilotbase.hub.presenters.addresses import address_of, subject_of
from pilotbase.hub.presenters.records import RecordView, see
from pilotbase.worker.datasets.first_rows import is_archive
from pilotbase.worker.datasets.keeping import erase_kept, keep_upload, own_files, why_no_previews
from pilotbase.worker.datasets.marking import asks_for_marks
from pilotbase.worker.datasets.measuring import find_measuring, order_measuring, publish_measured, published_report
from pilotbase.worker.progress import told
from pilotbase.workspace.failures import ConflictError, NotFoundError

_SHOWN = 20
_AGAINST = (InputError, RefusedError, ConflictError, NotFoundError)


@require_http_methods(["GET", "HEAD", "POST"])
@member_only
def show(request: HubRequest, name: str) -> HttpResponse:
    """Show the files that are kept of every version to their owner; keep those that are sent, erase those named."""
    view, seen = request.acting.view, see(request.acting.view, subject_of("datasets", name))
    kept = own_files(base(), view, seen.subject)
    sending = request.method == "POST" and "erase" not in request.POST
    form = FilesForm(*(posted_files(request) if sending else ()))
    if request.method == "POST" and not sending:
        file = request.POST["erase"]
        count = erase_kept(base(), view, seen.subject, file or None)
        messages.success(request, text("preview.erased", count=count).render(language()))
        return redirect("dataset-files", name=name)
    if sending and form.is_valid():
        try:
            _keep(request, seen.subject, form)
            return redirect("dataset-files", name=name)
        except _AGAINST as error:
            add_errors(form, error)
    own = request.acting.organisation == seen.listing.owner
    shown = {
        "kept": kept,
        "refusals": why_no_previews(base(), view, seen.subject) if own else {},
        "form": form if own else None,
        "packed": [one.name for one in kept if not one.previewed and is_archive(one.name)],
        "marks": isinstance(seen.document, Dataset) and asks_for_marks(seen.document),
    }
    return render(request, "hub/dataset_files.html", {"title": text("preview.kept_files"), **_around(seen), **shown})


@require_http_methods(["GET", "HEAD", "POST"])
@member_only
def quality(request: HubRequest, name: str) -> HttpResponse:
    """Show the owner how far the measuring of the kept files is; order it, and publish what came of it."""
    view, seen = request.acting.view, see(request.acting.view, subject_of("datasets", name))
    found = find_measuring(base(), view, seen.subject)
    if request.method == "POST":
        _take(request, seen.subject)
        return redirect("dataset-quality", name=name)
    live = found is not None and not found.job.ended
    report = found.report if found is not None and not live else None
    failing = _failing(report)
    shown = {
        "title": text("measuring.title"),
        **_around(seen),
        "found": found,
        "job": told(found.job) if found is not None else None,
        "live": live,
        "report": report,
        "failing": failing[:_SHOWN],
        "more": len(failing[_SHOWN:]),
        "refusal": found.refusal if found is not None and not live else None,
        "published": published_report(view, seen.subject),
    }
    if not live and request.headers.get("HX-Request"):
        response = HttpResponse()
        response["HX-Refresh"] = "true"
        return response
    template = "hub/parts/measuring.html" if request.headers.get("HX-Request") else "hub/measuring.html"
    return render(request, template, shown)


def _failing(report: QualityReport | None) -> list[RuleResult]:
    """Return the rules that fail; of closed data also such as may fail in too few records to be told."""
    rules = report.rules if report is not None else ()
    return [one for one in rules if one.state == "measured" and one.failed != 0]


@require_safe
def published(request: HubRequest, name: str) -> HttpResponse:
    """Give the published report of a dataset, with its pictures, where nothing in it can run or reach anything."""
    return _report(published_report(request.acting.view, subject_of("datasets", name)))


@require_safe
@member_only
def measured(request: HubRequest, name: str) -> HttpResponse:
    """Give the report of the newest measurement to the owner, before it is published."""
    found = find_measuring(base(), request.acting.view, subject_of("datasets", name))
    return _report(found.report if found is not None else None)


def _report(report: QualityReport | None) -> HttpResponse:
    if report is None:
        raise NotFoundError("hub.not_found")
    response = HttpResponse(render_quality(report, language()))
    response["Content-Security-Policy"] = SANDBOX
    return response


def _take(request: HubRequest, subject: str) -> None:
    view = request.acting.view
    try:
        if "publish" in request.POST:
            publish_measured(base(), view, subject)
            messages.success(request, text("measuring.published").render(language()))
        else:
            order_measuring(base(), view, subject)
    except _AGAINST as error:
        messages.error(request, error.render(language(), make_visible))


def _keep(request: HubRequest, subject: str, form: FilesForm) -> None:
    view = request.acting.view
    for file in form.cleaned_data["tables"]:
        upload = keep_file(view, file, make_name(file.name))
        with erased_on_failure(view, upload):
            keep_upload(base(), view, subject, upload.identity)


def _around(seen: RecordView) -> dict[str, Any]:
    crumbs = [
        {"url": reverse("datasets"), "label": text("hub.nav_datasets")},
        {"url": address_of(seen.subject), "label": seen.title},
    ]
    return {"seen": seen, "name": seen.name, "crumbs": crumbs}
