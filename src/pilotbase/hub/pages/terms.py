"""Datasets and agreements handed in on pages; each then moves as every record does."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from pilotbase.catalogue.subjects import new_agreement
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.permissions import Act
from pilotbase.hub.acting import HubRequest, posted
from pilotbase.hub.forms.terms import AgreementForm, DatasetForm, about_dataset
from pilotbase.hub.guards import for_act, member_only
from pilotbase.hub.pages.acts import begun, new_page, taken
from pilotbase.hub.presenters.addresses import address_of
from pilotbase.workspace.failures import NotFoundError


@require_http_methods(["GET", "HEAD", "POST"])
@for_act(Act.DATASET_REGISTER)
def register_dataset(request: HubRequest) -> HttpResponse:
    """Register a dataset by its description."""
    bringing = begun(request, "dataset", Act.DATASET_REGISTER)
    form = DatasetForm(bringing, posted(request))
    if request.method == "POST" and form.is_valid():
        assert isinstance(form.brought, Dataset)
        subject = form.brought.subject
        if taken(request.acting.view, subject, bringing.act, form):
            return redirect(address_of(subject))
    return new_page(request, "datasets", form, bringing.act)


@require_http_methods(["GET", "HEAD", "POST"])
@member_only
def agree(request: HubRequest) -> HttpResponse:
    """Offer an agreement on a dataset of one's own, or take up what the owner of another one offers."""
    name = request.GET.get("dataset", "")
    bringing = about_dataset(begun(request, "agreement", Act.AGREEMENT_TAKE), f"dataset:{name}")
    if not request.acting.may(bringing.act):
        raise NotFoundError("hub.not_found")
    form, subject = AgreementForm(bringing, posted(request)), new_agreement()
    if request.method == "POST" and form.is_valid() and taken(request.acting.view, subject, bringing.act, form):
        return redirect(address_of(subject))
    return new_page(request, "agreements", form, bringing.act)
