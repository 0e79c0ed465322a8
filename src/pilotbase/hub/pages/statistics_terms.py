"""The page on which the owner of closed data settles the budget of private statistics and what is counted."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from pilotbase.catalogue.records import load_record
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.permissions import Act, permitted
from pilotbase.documents.record import Record
from pilotbase.documents.states import DatasetState
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Opening
from pilotbase.hub.acting import HubRequest, posted
from pilotbase.hub.forms.bringing import Bringing
from pilotbase.hub.forms.statistics_terms import StatisticsTermsForm
from pilotbase.hub.guards import member_only
from pilotbase.hub.pages.acts import taken
from pilotbase.hub.presenters.addresses import address_of, subject_of
from pilotbase.hub.presenters.records import see
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.failures import NotFoundError

_ACTS = {DatasetState.DRAFT: Act.DATASET_EDIT, DatasetState.PUBLISHED: Act.DATASET_REVISE}


def settling(actor: Actor, dataset: Dataset, record: Record) -> Act | None:
    """Return the act by which ``actor`` settles statistics of a dataset; None: they may not, or it is not closed."""
    act = _ACTS.get(DatasetState(record.state))
    closed = dataset.opening is Opening.COMPUTE_TO_DATA
    return act if act is not None and closed and permitted(act, actor, record.stands) else None


@require_http_methods(["GET", "HEAD", "POST"])
@member_only
def edit(request: HubRequest, name: str) -> HttpResponse:
    """Show what the description says; save a draft, or publish a later version."""
    view, seen = request.acting.view, see(request.acting.view, subject_of("datasets", name))
    record, head = load_record(view, seen.subject)
    dataset = seen.document
    act = settling(request.acting.actor, dataset, record) if isinstance(dataset, Dataset) else None
    if act is None:
        raise NotFoundError("hub.not_found")
    form = StatisticsTermsForm(Bringing(request.acting, record, act), posted(request), initial={"seen": head})
    if request.method == "POST" and form.is_valid() and taken(view, seen.subject, act, form):
        return redirect(address_of(seen.subject))
    shown = {
        "title": text("statistics.terms.title"),
        "seen": seen,
        "form": form,
        "published": act is Act.DATASET_REVISE,
        "crumbs": [
            {"url": reverse("datasets"), "label": text("hub.nav_datasets")},
            {"url": address_of(seen.subject), "label": seen.title},
        ],
    }
    return render(request, "hub/statistics_terms.html", shown)
