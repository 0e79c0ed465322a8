"""A step on a record, or a record that is not there yet: a form, then the one way in which a record moves."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from pilotbase.catalogue.advancing import Move
from pilotbase.catalogue.records import load_record, record_of
from pilotbase.catalogue.subjects import act_of_new, new_agreement, new_commission
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.lifecycles import Precondition, RecordKind, transition
from pilotbase.documents.permissions import Act, permitted
from pilotbase.documents.record import Record
from pilotbase.documents.states import NEW
from pilotbase.documents.subjects import Organisation, name_of, organisation_subject
from pilotbase.documents.texts import Text, make_visible, sentence
from pilotbase.hub.acting import HubRequest, language, posted
from pilotbase.hub.base import base
from pilotbase.hub.forms.bringing import (
    ASKED,
    AgreementForm,
    Bringing,
    CommissionForm,
    OpeningForm,
    OrganisationForm,
    PartForm,
    ProposeForm,
    ReviewerForm,
    StepForm,
)
from pilotbase.hub.forms.datasets import DatasetForm
from pilotbase.hub.forms.declared import add_errors
from pilotbase.hub.people.invitations import changing_roles
from pilotbase.hub.presenters.addresses import address_of, back_to, record_crumbs, section_crumb, subject_of
from pilotbase.hub.presenters.plans import DECIDED_ON, ShownPlan, plan_shown
from pilotbase.hub.presenters.records import names_shown, see
from pilotbase.hub.routing import FORM, page
from pilotbase.worker.intake.prospects import prospect_of
from pilotbase.worker.intake.prospects import take as take_step
from pilotbase.worker.trials.acts import acts_on
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.store import View

FORMS: dict[str | None, type[StepForm]] = {
    None: StepForm,
    **dict.fromkeys(ASKED, PartForm),
    "commission": CommissionForm,
    "reviewer": ReviewerForm,
    "organisation": OrganisationForm,
    "dataset": DatasetForm,
}
"""`Transition.brings` → form; scenarios and applications are uploaded on pages of their own."""


def about_dataset(new: Bringing, dataset: str) -> Bringing:
    """Return what a new agreement on ``dataset`` hands in: its owner offers, whoever else takes up or asks.

    Raises:
        NotFoundError: the actor sees no such dataset.
    """
    seen = see(new.acting.view, dataset)
    act = act_of_new(new.acting.view, dataset)
    return replace(new, act=act, record=new.record.model_copy(update={"documents": {"dataset": seen.listing.digest}}))


@page("<section:section>/<name:name>/acts/<str:act>/", "act", methods=FORM)
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
    opens = Precondition.PROVES_SOMETHING in row.needs
    prospect = prospect_of(base(), view, subject) if opens else None
    asks = OpeningForm if prospect is not None and prospect.against else FORMS[row.brings]
    form = asks(bringing, posted(request), initial={"seen": head})
    if request.method == "POST" and form.is_valid() and taken(view, subject, chosen, form):
        _tell(request, chosen, subject)
        return redirect(back_to(request, address_of(subject)))
    shown = {
        "title": Text(code=f"act.{chosen}"),
        "form": form,
        "seen": seen,
        "record": record,
        "people": names_shown(request.acting.actor, [(step.organisation, step.person) for step in record.history]),
        "plan": _plan(view, record) if chosen in DECIDED_ON else None,
        "prospect": prospect,
        "crumbs": record_crumbs(subject, seen.title),
    }
    return render(request, "hub/step.html", shown)


def _plan(view: View, record: Record) -> ShownPlan | None:
    return plan_shown(view, record, find_listing(view, record.subjects.get("scenario", "")))


@page("organisations/new/", "organisation-new", Act.ORGANISATION_REGISTER, FORM)
def register_organisation(request: HubRequest) -> HttpResponse:
    """Register an organisation."""
    form = OrganisationForm(_begun(request, "organisation", Act.ORGANISATION_REGISTER), posted(request))
    return _registered(request, "organisations", form, lambda: organisation_subject(form.cleaned_data["name"]))


@page("trials/new/", "commission-new", Act.COMMISSION_PROPOSE, FORM)
def propose(request: HubRequest) -> HttpResponse:
    """Propose a trial of an application of one's own on an open scenario."""
    chosen = {kind: f"{kind}:{request.GET.get(kind, '')}" for kind in ("scenario", "application")}
    bringing = _begun(request, "commission", Act.COMMISSION_PROPOSE)
    return _registered(request, "trials", ProposeForm(bringing, posted(request), initial=chosen), new_commission)


@page("datasets/new/", "dataset-new", Act.DATASET_REGISTER, FORM)
def register_dataset(request: HubRequest) -> HttpResponse:
    """Register a dataset by its description."""
    form = DatasetForm(_begun(request, "dataset", Act.DATASET_REGISTER), posted(request))
    return _registered(request, "datasets", form, lambda: str(form.brought.subject))


@page("agreements/new/", "agreement-new", methods=FORM)
def agree(request: HubRequest) -> HttpResponse:
    """Offer an agreement on a dataset of one's own, or take up what the owner of another one offers."""
    name = request.GET.get("dataset", "")
    bringing = about_dataset(_begun(request, "agreement", Act.AGREEMENT_TAKE), f"dataset:{name}")
    if not request.acting.may(bringing.act):
        raise NotFoundError("hub.not_found")
    return _registered(request, "agreements", AgreementForm(bringing, posted(request)), new_agreement)


def _registered(request: HubRequest, section: str, form: StepForm, new_subject: Callable[[], str]) -> HttpResponse:
    """Register what ``form`` hands in and go there; else return the page with the form."""
    act = form.bringing.act
    if request.method == "POST" and form.is_valid():
        subject = new_subject()
        if taken(request.acting.view, subject, act, form):
            _tell(request, act)
            return redirect(address_of(subject))
    shown = {"title": Text(code=f"act.{act}"), "form": form, "seen": None, "crumbs": [section_crumb(section)]}
    return render(request, "hub/step.html", shown)


def _tell(request: HubRequest, act: Act, subject: str = "") -> None:
    """Say on the next page what was done, and lead to the act that takes it back, where the actor can do that now."""
    said, undo = sentence(Text(code=f"done.{act}"), language(), make_visible), transition(act).undo
    if undo is None or not _can_do(request.acting.view, subject, undo):
        messages.success(request, said)
        return
    named = Text(code=f"act.{undo}").render(language())
    messages.success(request, format_html('{} <a href="{}acts/{}/">{}</a>', said, address_of(subject), undo, named))


def _can_do(view: View, subject: str, act: Act) -> bool:
    record = record_of(view, subject)
    return record is not None and any(one.act is act and one.bar is None for one in acts_on(base(), view, record))


def taken(view: View, subject: str, act: Act, form: StepForm) -> bool:
    """Take the step; where something stands against it the form says what, and keeps what was typed."""
    given = form.cleaned_data
    said = Move(form.brought, given.get("note", ""), given["seen"] or None, although=given.get("although", False))
    try:
        with changing_roles(view, form.brought) if isinstance(form.brought, Organisation) else nullcontext():
            take_step(base(), view, subject, act, said)
    except (InputError, RefusedError, ConflictError) as error:
        add_errors(form, error)
        return False
    return True


def _begun(request: HubRequest, kind: RecordKind, act: Act) -> Bringing:
    """Return who hands something in to a record that is not there yet."""
    record = Record(subject=f"{kind}:new", kind=kind, title="", state=NEW, since=request.acting.view.store.clock())
    return Bringing(request.acting, record, act)


def _act(name: str) -> Act:
    try:
        return Act(name)
    except ValueError:
        raise NotFoundError("hub.not_found") from None
