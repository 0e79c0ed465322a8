"""A step on a record, or a record that is not there yet: a form, then the one way in which a record moves."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from pilotbase.catalogue.advancing import Move
from pilotbase.catalogue.records import load_record
from pilotbase.catalogue.subjects import act_of_new, new_agreement, new_commission
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.base import NAME_PATTERN, Part
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.lifecycles import RecordKind, transition
from pilotbase.documents.permissions import Act, permitted
from pilotbase.documents.record import Record
from pilotbase.documents.states import NEW
from pilotbase.documents.subjects import name_of, organisation_subject
from pilotbase.documents.terms import Purpose
from pilotbase.documents.texts import Text
from pilotbase.hub.acting import HubRequest, posted
from pilotbase.hub.base import base, operator_view
from pilotbase.hub.forms import bringing
from pilotbase.hub.forms.bringing import Bringing, OrganisationForm, ProposeForm, StepForm
from pilotbase.hub.forms.declared import add_errors
from pilotbase.hub.guards import for_act, member_only
from pilotbase.hub.people.invitations import cut_memberships
from pilotbase.hub.presenters.addresses import address_of, record_crumbs, section_crumb, subject_of
from pilotbase.hub.presenters.names import names_shown
from pilotbase.hub.presenters.plans import DECIDED_ON, plan_shown
from pilotbase.hub.presenters.records import see
from pilotbase.hub.sentences import area, t
from pilotbase.worker.trials.acts import take as take_step
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.store import View

MOST_CHARACTERS = 1_000_000


class DatasetForm(StepForm):
    """A dataset's description, as ``pilotbase data describe`` writes it."""

    content = forms.CharField(
        label=t("hub.dataset_document"),
        help_text=t("hub.help_dataset_document"),
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "false"}),
        max_length=MOST_CHARACTERS,
    )

    def prepare(self) -> None:
        if "dataset" in self.bringing.record.documents:
            known: Dataset = self.bringing.document("dataset", Dataset)
            self.initial["content"] = json.dumps(known.to_json_value(), ensure_ascii=False, indent=1)

    def part(self) -> Part:
        return Dataset.model_validate_json(self.cleaned_data["content"])


class AgreementForm(StepForm):
    """An agreement: offered by the dataset's owner to whom they name, or the published offer taken up."""

    assignee = forms.RegexField(NAME_PATTERN, label=t("hub.assignee"), help_text=t("hub.help_assignee"))
    purposes = area(t("hub.purposes"), t("hub.help_purposes"), rows=2, initial=Purpose.VERIFICATION.value)
    begins = forms.DateField(
        label=t("hub.begins"),
        help_text=t("hub.help_begins"),
        widget=forms.DateInput(attrs={"type": "date"}),
        required=False,
    )
    ends = forms.DateField(
        label=t("hub.ends"),
        help_text=t("hub.help_ends"),
        widget=forms.DateInput(attrs={"type": "date"}),
        required=False,
    )

    def prepare(self) -> None:
        if self.bringing.act is not Act.AGREEMENT_OFFER:
            del self.fields["assignee"]
        dataset: Dataset = self.bringing.document("dataset", Dataset)
        if dataset.usage is not None and dataset.usage.purposes:
            self.initial["purposes"] = "\n".join(dataset.usage.purposes)

    def part(self) -> Part:
        given, record = self.cleaned_data, self.bringing.record
        dataset: Dataset = self.bringing.document("dataset", Dataset)
        if dataset.usage is None:
            raise InputError("terms.no_offer", dataset=dataset.subject)
        return Agreement(
            dataset=dataset.subject,
            dataset_version=record.documents["dataset"],
            version=dataset.version,
            assigner=dataset.owner.organisation,
            assignee=given.get("assignee", self.bringing.acting.organisation),
            offer=dataset.usage,
            purposes=tuple(given["purposes"].replace(",", " ").split()),
            begins=given["begins"].isoformat() if given["begins"] else None,
            ends=given["ends"].isoformat() if given["ends"] else None,
        )


def about_dataset(new: Bringing, dataset: str) -> Bringing:
    """Return what a new agreement on ``dataset`` hands in: its owner offers, whoever else takes up or asks.

    Raises:
        NotFoundError: the actor sees no such dataset.
    """
    seen = see(new.acting.view, dataset)
    act = act_of_new(new.acting.view, dataset)
    return replace(new, act=act, record=new.record.model_copy(update={"documents": {"dataset": seen.listing.digest}}))


FORMS: dict[str | None, Any] = {**bringing.FORMS, "dataset": DatasetForm}
"""`Transition.brings` → form, of those that are taken on the page of a record."""


@require_http_methods(["GET", "HEAD", "POST"])
@member_only
def take(request: HubRequest, section: str, name: str, act: str) -> HttpResponse:
    """Show the form of a step; take the step."""
    view, subject = request.acting.view, subject_of(section, name)
    seen, chosen = see(view, subject), _act(act)
    record, head = load_record(view, subject)
    row = transition(chosen)
    if row.brings == "application-version":
        made_for = name_of(record.subjects.get("scenario", ""))
        return redirect(
            f"{reverse('application-new')}?{urlencode({'scenario': made_for})}" if made_for else "application-new"
        )
    if row.brings not in FORMS or not permitted(chosen, request.acting.actor, record.stands):
        raise NotFoundError("hub.not_found")
    bringing = Bringing(request.acting, record, chosen)
    form = FORMS[row.brings](bringing, posted(request), initial={"seen": head})
    if request.method == "POST" and form.is_valid() and taken(view, subject, chosen, form):
        return redirect(address_of(subject))
    shown = {
        "title": Text(code=f"act.{chosen}"),
        "form": form,
        "seen": seen,
        "record": record,
        "people": names_shown(request.acting.actor, [(step.organisation, step.person) for step in record.history]),
        "plan": plan_shown(view, record) if chosen in DECIDED_ON else None,
        "crumbs": record_crumbs(subject, seen.title),
    }
    return render(request, "hub/step.html", shown)


@require_http_methods(["GET", "HEAD", "POST"])
@for_act(Act.ORGANISATION_REGISTER)
def register_organisation(request: HubRequest) -> HttpResponse:
    """Register an organisation."""
    bringing = _begun(request, "organisation", Act.ORGANISATION_REGISTER)
    form = OrganisationForm(bringing, posted(request))
    subject = organisation_subject(request.POST.get("name", ""))
    if request.method == "POST" and form.is_valid() and taken(request.acting.view, subject, bringing.act, form):
        return redirect(address_of(subject))
    return _new_page(request, "organisations", form, bringing.act)


@require_http_methods(["GET", "HEAD", "POST"])
@for_act(Act.COMMISSION_PROPOSE)
def propose(request: HubRequest) -> HttpResponse:
    """Propose a trial of an application of one's own on an open scenario."""
    bringing = _begun(request, "commission", Act.COMMISSION_PROPOSE)
    chosen = {kind: f"{kind}:{request.GET.get(kind, '')}" for kind in ("scenario", "application")}
    form = ProposeForm(bringing, posted(request), initial=chosen)
    subject = new_commission()
    if request.method == "POST" and form.is_valid() and taken(request.acting.view, subject, bringing.act, form):
        return redirect(address_of(subject))
    return _new_page(request, "trials", form, bringing.act)


@require_http_methods(["GET", "HEAD", "POST"])
@for_act(Act.DATASET_REGISTER)
def register_dataset(request: HubRequest) -> HttpResponse:
    """Register a dataset by its description."""
    bringing = _begun(request, "dataset", Act.DATASET_REGISTER)
    form = DatasetForm(bringing, posted(request))
    if request.method == "POST" and form.is_valid():
        assert isinstance(form.brought, Dataset)
        subject = form.brought.subject
        if taken(request.acting.view, subject, bringing.act, form):
            return redirect(address_of(subject))
    return _new_page(request, "datasets", form, bringing.act)


@require_http_methods(["GET", "HEAD", "POST"])
@member_only
def agree(request: HubRequest) -> HttpResponse:
    """Offer an agreement on a dataset of one's own, or take up what the owner of another one offers."""
    name = request.GET.get("dataset", "")
    bringing = about_dataset(_begun(request, "agreement", Act.AGREEMENT_TAKE), f"dataset:{name}")
    if not request.acting.may(bringing.act):
        raise NotFoundError("hub.not_found")
    form, subject = AgreementForm(bringing, posted(request)), new_agreement()
    if request.method == "POST" and form.is_valid() and taken(request.acting.view, subject, bringing.act, form):
        return redirect(address_of(subject))
    return _new_page(request, "agreements", form, bringing.act)


def taken(view: View, subject: str, act: Act, form: StepForm) -> bool:
    """Take the step; where something stands against it the form says what, and keeps what was typed."""
    given = form.cleaned_data
    try:
        take_step(base(), view, subject, act, Move(form.brought, given.get("note", ""), given["seen"] or None))
    except (InputError, RefusedError, ConflictError) as error:
        add_errors(form, error)
        return False
    if act is Act.ORGANISATION_EDIT:
        cut_memberships(operator_view(), name_of(subject))
    return True


def _begun(request: HubRequest, kind: RecordKind, act: Act) -> Bringing:
    """Return who hands something in to a record that is not there yet."""
    record = Record(subject=f"{kind}:new", kind=kind, title="", state=NEW, since=request.acting.view.store.clock())
    return Bringing(request.acting, record, act)


def _new_page(request: HubRequest, section: str, form: StepForm, act: Act) -> HttpResponse:
    """Return the page with the form of a new record."""
    shown = {"title": Text(code=f"act.{act}"), "form": form, "seen": None, "crumbs": [section_crumb(section)]}
    return render(request, "hub/step.html", shown)


def _act(name: str) -> Act:
    try:
        return Act(name)
    except ValueError:
        raise NotFoundError("hub.not_found") from None


urlpatterns = [
    path("trials/new/", propose, name="commission-new"),
    path("organisations/new/", register_organisation, name="organisation-new"),
    path("datasets/new/", register_dataset, name="dataset-new"),
    path("agreements/new/", agree, name="agreement-new"),
    path("<section:section>/<name:name>/acts/<str:act>/", take, name="act"),
]
