"""Files described on pages: sent, read in a box by a worker, asked about in a form, saved as a draft dataset."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_POST

from pilotbase.data.describing.questions import MISSING
from pilotbase.documents.described import Answers
from pilotbase.documents.permissions import Act
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest, language, posted, posted_files
from pilotbase.hub.base import base
from pilotbase.hub.forms.declared import AGAINST, add_errors, refusals_in
from pilotbase.hub.forms.describing import DescriptionForm, FilesForm, SaveForm
from pilotbase.hub.forms.files import erased_on_failure, keep_file, make_name
from pilotbase.hub.guards import for_act
from pilotbase.hub.presenters.addresses import address_of, section_crumb, subject_of
from pilotbase.hub.presenters.records import see
from pilotbase.worker.datasets.describing import (
    DescriptionProgress,
    answer_describing,
    describings,
    find_describing,
    forget_describing,
    save_described,
    start_describing,
)
from pilotbase.worker.progress import told

_ASKED = {**{one.path: one.asked for one in MISSING}, "usage": text("describing.no_terms")}
"""What publishing lacks → how it is asked for."""
_MOST_SHOWN = 200
"""Of the guesses of a description; all stand in the API's answer."""


@require_http_methods(["GET", "HEAD", "POST"])
@for_act(Act.DATASET_REGISTER)
def start(request: HubRequest) -> HttpResponse:
    """Take files that make one dataset, and let them be described."""
    of = request.GET.get("dataset", "")[:200]
    dataset = see(request.acting.view, subject_of("datasets", of)).subject if of else None
    form = FilesForm(*posted_files(request))
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            return redirect("description", identity=_begin(request, form, dataset).order.identity)
    shown = {
        "title": text("describing.title"),
        "form": form,
        "crumbs": [section_crumb("datasets")],
        "dataset": name_of(dataset) if dataset else "",
        "under_way": list(describings(request.acting.view)),
    }
    return render(request, "hub/describe.html", shown)


@require_http_methods(["GET", "HEAD", "POST"])
@for_act(Act.DATASET_REGISTER)
def show(request: HubRequest, identity: str) -> HttpResponse:
    """Show how far a description is, then what was guessed and what is asked; take the answers."""
    view = request.acting.view
    found = find_describing(base(), view, identity)
    form = DescriptionForm(found.described, found.order.answers, posted(request))
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            answer_describing(base(), view, identity, form.answers)
            return redirect("description", identity=identity)
    live = not found.job.ended
    if not live and request.headers.get("HX-Request"):
        response = HttpResponse()
        response["HX-Refresh"] = "true"  # the rest of the page has come
        return response
    template = "hub/parts/describing.html" if request.headers.get("HX-Request") else "hub/description.html"
    return render(request, template, _shown(found, form, live))


@require_POST
@for_act(Act.DATASET_REGISTER)
def save(request: HubRequest, identity: str) -> HttpResponse:
    """Save a description as a draft dataset."""
    view, form = request.acting.view, SaveForm(request.POST)
    if not form.is_valid():
        return redirect("description", identity=identity)
    given = form.cleaned_data
    try:
        record = save_described(base(), view, identity, given["usual_terms"], given["keep"])
    except AGAINST as error:
        found = find_describing(base(), view, identity)
        answers = DescriptionForm(found.described, found.order.answers, {})
        add_errors(answers, error)
        return render(request, "hub/description.html", _shown(found, answers, not found.job.ended))
    messages.success(request, text("describing.saved").render(language()))
    return redirect(address_of(record.subject))


@require_POST
@for_act(Act.DATASET_REGISTER)
def forget(request: HubRequest, identity: str) -> HttpResponse:
    """Give a description up: its files are erased."""
    forget_describing(base(), request.acting.view, identity)
    messages.success(request, text("describing.forgotten").render(language()))
    return redirect("describe")


def _begin(request: HubRequest, form: FilesForm, dataset: str | None) -> DescriptionProgress:
    """Keep the files as uploads and queue their description; where that is refused nothing is kept."""
    view = request.acting.view
    with ExitStack() as kept:
        uploads = []
        for file in form.cleaned_data["tables"]:
            upload = keep_file(view, file, make_name(file.name))
            kept.enter_context(erased_on_failure(view, upload))
            uploads.append(upload.identity)
        return start_describing(base(), view, uploads, Answers(), dataset)


def _shown(found: DescriptionProgress, form: DescriptionForm, live: bool) -> dict[str, Any]:
    described = found.described
    return {
        "title": described.dataset.title if described else text("describing.title"),
        "crumbs": [section_crumb("datasets"), {"url": reverse("describe"), "label": text("describing.title")}],
        "found": found,
        "job": told(found.job),
        "live": live,
        "described": described,
        "missing": [_ASKED.get(path, path) for path in described.missing] if described else (),
        "guesses": described.guesses[:_MOST_SHOWN] if described else (),
        "seen": described.seen[:_MOST_SHOWN] if described else (),
        "more": max(len(described.guesses) - _MOST_SHOWN, 0) if described else 0,
        "refusal": found.refusal,
        "form": form,
        "save": SaveForm(),
    }


urlpatterns = [
    path("descriptions/", start, name="describe"),
    path("descriptions/<drawn:identity>/", show, name="description"),
    path("descriptions/<drawn:identity>/save/", save, name="description-save"),
    path("descriptions/<drawn:identity>/forget/", forget, name="description-forget"),
]
