"""Datasets: the searched catalogue, and of one its first rows, its kept files and their measured quality."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode

from pilotbase.catalogue.wording import Sought, seek
from pilotbase.data.quality.page import render_quality
from pilotbase.documents.api.datasets import Facet
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.permissions import Act
from pilotbase.documents.quality import QualityReport, RuleResult
from pilotbase.documents.terms import Purpose
from pilotbase.documents.texts import make_visible, text
from pilotbase.hub.acting import HubRequest, language, posted_files
from pilotbase.hub.base import base
from pilotbase.hub.forms.declared import AGAINST, refusals_in
from pilotbase.hub.forms.files import FilesForm, erased_on_failure, keep_file, make_name
from pilotbase.hub.presenters.addresses import address_of, facet_shown, record_crumbs, section_crumb, subject_of
from pilotbase.hub.presenters.drawn import render_live
from pilotbase.hub.presenters.records import RecordView, see
from pilotbase.hub.presenters.taken import sandboxed
from pilotbase.hub.routing import EVERYBODY, FORM, page
from pilotbase.worker.datasets.contributions import contributions
from pilotbase.worker.datasets.first_rows import is_archive
from pilotbase.worker.datasets.keeping import erase_kept, keep_upload, own_files, preview_of, why_no_previews
from pilotbase.worker.datasets.marking import asks_for_marks
from pilotbase.worker.datasets.measuring import find_measuring, order_measuring, publish_measured, published_report
from pilotbase.worker.operations.binding import there
from pilotbase.worker.progress import told

_PAGE = 24
_RULES = 20


@page("datasets/", "datasets", EVERYBODY)
def show(request: HubRequest) -> HttpResponse:
    """Show the datasets that the reader sees, with how many there are of each value of a facet."""
    sought = Sought.of(request.GET.dict())
    page = seek(request.acting.view, sought, address_of, request.GET.get("after") or None, _PAGE)
    asked = _asked(sought)
    shown = {
        "title": text("hub.nav_datasets"),
        "lead": text("hub.lead_datasets"),
        "words": sought.words,
        "chosen": sought.values,
        "facets": [facet_shown(facet, page.facets[facet], asked) for facet in Facet],
        "page": page,
        "asked": bool(asked),
        "next": urlencode({**asked, "after": page.next}) if page.next else "",
        "can_register": request.acting.may(Act.DATASET_REGISTER),
    }
    return render(request, "hub/datasets.html", shown)


@page("datasets/contributions/", "contributions", EVERYBODY)
def show_contributions(request: HubRequest) -> HttpResponse:
    """Show who gave which data, and what came of them, as far as it may be told to the reader."""
    shown = {
        "title": text("contribution.title"),
        "found": contributions(request.acting.view, request.GET.get("owner", "")[:120]),
        "crumbs": [section_crumb("datasets")],
    }
    return render(request, "hub/contributions.html", shown)


@page("datasets/<name:name>/preview/", "dataset-preview", methods=("GET",))
def preview(request: HubRequest, name: str) -> HttpResponse:
    """Show the first rows of a dataset to who may see them."""
    subject = subject_of("datasets", name)
    found = preview_of(base(), request.acting.view, subject, request.GET.get("purpose") or Purpose.VERIFICATION)
    shown = {
        "title": text("preview.title"),
        "found": found,
        "shown": len(found.cells),
        "quality": published_report(request.acting.view, subject),
        "crumbs": record_crumbs(subject, see(request.acting.view, subject).title),
    }
    return render(request, "hub/preview.html", shown)


@page("datasets/<name:name>/files/", "dataset-files", methods=FORM)
def show_files(request: HubRequest, name: str) -> HttpResponse:
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
        with refusals_in(form):
            _keep(request, seen.subject, form)
            return redirect("dataset-files", name=name)
    own = request.acting.organisation == seen.listing.owner
    shown = {
        "kept": kept,
        "refusals": why_no_previews(base(), view, seen.subject) if own else {},
        "form": form if own else None,
        "packed": [one.name for one in kept if not one.previewed and is_archive(one.name)],
        "marks": isinstance(seen.document, Dataset) and asks_for_marks(seen.document),
    }
    return render(request, "hub/dataset_files.html", {"title": text("preview.kept_files"), **_around(seen), **shown})


@page("datasets/<name:name>/measuring/", "dataset-quality", methods=FORM)
def show_quality(request: HubRequest, name: str) -> HttpResponse:
    """Show the owner how far the measuring of the kept files is; order it, and publish what came of it."""
    view, seen = request.acting.view, see(request.acting.view, subject_of("datasets", name))
    found = find_measuring(base(), view, seen.subject)
    if request.method == "POST":
        _take_quality(request, seen.subject)
        return redirect("dataset-quality", name=name)
    live = found is not None and not found.job.ended
    report = found.result if found is not None and not live else None
    failing = _failing(report)
    shown = {
        "title": text("measuring.title"),
        **_around(seen),
        "found": found,
        "job": told(found.job) if found is not None else None,
        "live": live,
        "report": report,
        "failing": failing[:_RULES],
        "more": len(failing[_RULES:]),
        "refusal": found.refusal if found is not None and not live else None,
        "published": published_report(view, seen.subject),
    }
    return render_live(request, "measuring", "measuring", shown)


@page("datasets/<name:name>/quality.html", "dataset-quality-report", EVERYBODY)
def published_quality(request: HubRequest, name: str) -> HttpResponse:
    """Give the published report of a dataset, with its pictures, where nothing in it can run or reach anything."""
    return _quality_page(published_report(request.acting.view, subject_of("datasets", name)))


@page("datasets/<name:name>/measuring/quality.html", "dataset-quality-measured")
def measured_quality(request: HubRequest, name: str) -> HttpResponse:
    """Give the report of the newest measurement to the owner, before it is published."""
    found = find_measuring(base(), request.acting.view, subject_of("datasets", name))
    return _quality_page(found.result if found is not None else None)


def _asked(sought: Sought) -> dict[str, str]:
    values = {facet.value: value for facet, value in sought.values.items()}
    return {"q": sought.words, **values} if sought.words else values


def _failing(report: QualityReport | None) -> list[RuleResult]:
    """Return the rules that fail; of closed data also such as may fail in too few records to be told."""
    rules = report.rules if report is not None else ()
    return [one for one in rules if one.state == "measured" and one.failed != 0]


def _quality_page(report: QualityReport | None) -> HttpResponse:
    return sandboxed(render_quality(there(report), language()))


def _take_quality(request: HubRequest, subject: str) -> None:
    view = request.acting.view
    try:
        if "publish" in request.POST:
            publish_measured(base(), view, subject)
            messages.success(request, text("measuring.published").render(language()))
        else:
            order_measuring(base(), view, subject)
    except AGAINST as error:
        messages.error(request, error.render(language(), make_visible))


def _keep(request: HubRequest, subject: str, form: FilesForm) -> None:
    view = request.acting.view
    for file in form.cleaned_data["tables"]:
        upload = keep_file(view, file, make_name(file.name))
        with erased_on_failure(view, upload):
            keep_upload(base(), view, subject, upload.identity)


def _around(seen: RecordView) -> dict[str, Any]:
    return {"seen": seen, "name": seen.name, "crumbs": record_crumbs(seen.subject, seen.title)}
