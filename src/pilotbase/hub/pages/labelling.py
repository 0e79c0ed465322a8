"""Labelling rounds: opened by an owner; two people label blind, a third decides; agreement is stated."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pydantic
from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from pilotbase.data.labelling.final_labels import format_final
from pilotbase.data.labelling.quality import quality_lines
from pilotbase.documents.api.labelling import NewRound, RoundParticipant
from pilotbase.documents.base import NAME_PATTERN
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.labelling import JUDGE, LONGEST_GUIDELINE, MOST_ITEMS, LabellingRound
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest, caller, posted, posted_files
from pilotbase.hub.base import base
from pilotbase.hub.forms.declared import AGAINST, add_errors, do, refusals_in
from pilotbase.hub.forms.files import KeepingForm, chosen_file
from pilotbase.hub.models import Membership
from pilotbase.hub.presenters.addresses import record_crumbs, subject_of
from pilotbase.hub.presenters.records import see
from pilotbase.hub.presenters.taken import download
from pilotbase.hub.routing import FORM, page
from pilotbase.hub.sentences import area, t
from pilotbase.operations import labelling as operations
from pilotbase.operations.operation import Operation
from pilotbase.worker.bound.labelling import round_told, sheet_told
from pilotbase.worker.datasets.kept_tables import record_sets_kept
from pilotbase.worker.datasets.label_rounds import find_round, part_of
from pilotbase.worker.datasets.labelling import FINISHED, is_taking, items_document, outcome_of, sheet_of
from pilotbase.workspace.failures import NotFoundError

_SCALES = ("nominal", "ordinal")


class RoundForm(forms.Form):
    """Who labels what by which text."""

    name = forms.RegexField(NAME_PATTERN, label=t("labelling.hub.name"), max_length=63)
    record_set = forms.ChoiceField(label=t("statistics.record_set"))
    items = forms.IntegerField(
        label=t("labelling.hub.items"),
        min_value=1,
        max_value=MOST_ITEMS,
        initial=200,
        help_text=t("labelling.hub.drawn"),
    )
    guideline_version = forms.CharField(label=t("labelling.hub.version"), max_length=100)
    guideline = area(t("labelling.hub.guideline"), rows=6, max_length=LONGEST_GUIDELINE)
    scale = forms.ChoiceField(label=t("labelling.hub.scale"))
    classes = area(t("labelling.hub.classes"), t("labelling.hub.classes_help"), rows=4, max_length=10_000)
    first = forms.ChoiceField(label=t("labelling.hub.first"))
    second = forms.ChoiceField(label=t("labelling.hub.second"))
    judge = forms.ChoiceField(label=t("labelling.hub.judge"), help_text=t("labelling.hub.judge_help"))
    first_account = forms.CharField(
        label=t("labelling.hub.first_account"),
        help_text=t("labelling.hub.account_help"),
        max_length=100,
        required=False,
    )
    second_account = forms.CharField(label=t("labelling.hub.second_account"), max_length=100, required=False)

    def __init__(self, record_sets: Sequence[str], organisation: str, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        self.organisation = organisation
        members = Membership.objects.filter(organisation=organisation).select_related("person").order_by("person__name")
        people = [(one.person.identity, f"{one.person.name} ({one.person.email})") for one in members]
        self.fields["record_set"].choices = [(one, one) for one in record_sets]  # type: ignore[attr-defined]
        self.fields["scale"].choices = [(one, t(f"labelling.scale.{one}")) for one in _SCALES]  # type: ignore[attr-defined]
        for name in ("first", "second", "judge"):
            self.fields[name].choices = people  # type: ignore[attr-defined]

    def wanted(self) -> NewRound:
        """Return what was filled in."""
        given = self.cleaned_data
        own = self.organisation
        return NewRound(
            name=given["name"],
            guideline_version=given["guideline_version"],
            guideline=given["guideline"].replace("\r\n", "\n"),
            scale=given["scale"],
            classes=[line.strip() for line in given["classes"].splitlines() if line.strip()],
            record_set=given["record_set"],
            items=given["items"],
            annotators=[
                RoundParticipant(organisation=own, person=given["first"], account=given["first_account"]),
                RoundParticipant(organisation=own, person=given["second"], account=given["second_account"]),
            ],
            adjudicator=RoundParticipant(organisation=own, person=given["judge"]),
        )


class LabelForm(forms.Form):
    """A label of the item that is shown, or a decision with its reason."""

    item = forms.CharField(widget=forms.HiddenInput, max_length=500)
    label = forms.CharField(max_length=500)
    reason = area(t("labelling.hub.reason"), rows=2, required=False, max_length=2000)


class ExportForm(KeepingForm):
    """An export of Label Studio."""

    keeps = "file"
    file = forms.FileField(label=t("labelling.hub.export"), help_text=t("labelling.hub.export_help"), max_length=200)


_BUTTONS: dict[str, Operation[Any, Any]] = {"close": operations.CLOSE, "publish": operations.PUBLISH}


@page("labelling/", "labelling")
def show_all(request: HubRequest) -> HttpResponse:
    """Show the rounds that concern the reader."""
    view = request.acting.view
    shown = {"title": text("labelling.hub.title"), "rounds": do(operations.LIST, view, {})}
    return render(request, "hub/labelling.html", shown)


@page("datasets/<name:name>/labelling/", "labelling-open", methods=FORM)
def start(request: HubRequest, name: str) -> HttpResponse:
    """Open a round over items of one's own dataset."""
    view, seen = request.acting.view, see(request.acting.view, subject_of("datasets", name))
    if not isinstance(seen.document, Dataset) or seen.listing.owner != request.acting.organisation:
        raise NotFoundError("hub.not_found")
    record_sets = record_sets_kept(base(), seen.document)
    form = RoundForm(record_sets, request.acting.organisation, posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            owner, _, dataset = name.partition("/")
            made = do(operations.START, view, {"owner": owner, "name": dataset, "wanted": form.wanted()})
            return redirect("labelling-round", identity=made.identity)
        except pydantic.ValidationError:
            form.add_error("classes", t("labelling.hub.classes_wrong"))
        except AGAINST as error:
            add_errors(form, error)
    crumbs = record_crumbs(seen.subject, seen.title)
    shown = {"title": text("labelling.hub.open"), "form": form, "can": bool(record_sets), "crumbs": crumbs}
    return render(request, "hub/labelling_open.html", shown)


@page("labelling/<digits:identity>/", "labelling-round", methods=FORM)
def show(request: HubRequest, identity: str) -> HttpResponse:
    """Show a round: the sheet to who has a part in it, the counts to the owner; do what the button says."""
    view = request.acting.view
    of = find_round(view, identity)
    form = _posted_form(request)
    if form is not None and form.is_valid():
        with refusals_in(form):
            return _do(request, of, form)
    shown: dict[str, Any] = {
        "title": text("labelling.hub.one", name=of.campaign.name),
        "round": round_told(caller(view), of),
        "guideline": of.guideline,
        "form": form,
        "crumbs": [{"url": reverse("labelling"), "label": text("labelling.hub.title")}],
    }
    if part_of(view, of) is not None:
        shown |= _sheet(request, of)
    finished = shown["round"].stage in FINISHED
    if view.actor.organisation == of.dataset_owner and (finished or part_of(view, of) is None):
        shown |= _owners(request, of, form)
    return render(request, "hub/labelling_round.html", shown)


@page("labelling/<digits:identity>/<str:file>", "labelling-file")
def give_labels(request: HubRequest, identity: str, file: str) -> HttpResponse:
    """Give the owner the final labels as a table, or where each comes from."""
    view = request.acting.view
    outcome = outcome_of(base(), view, identity)
    if outcome is None or file not in ("labels.csv", "labelled-items.json"):
        raise NotFoundError("hub.not_found")
    if file == "labels.csv":
        content, kind = format_final(outcome.items), "text/csv; charset=utf-8"
    else:
        spelled = items_document(find_round(view, identity), outcome).to_json_value()
        content, kind = json.dumps(spelled, ensure_ascii=False, indent=1).encode(), "application/json"
    response = download(content, kind, file)
    response["Cache-Control"] = "no-store"
    return response


def _sheet(request: HubRequest, of: LabellingRound) -> dict[str, Any]:
    view = request.acting.view
    sheet = sheet_of(base(), view, of.identity)
    item = request.GET.get("item", "") or sheet.next_item
    works = is_taking(base(), of, sheet)
    shown = sheet_told(caller(view), of, sheet, item if works and item in sheet.order else None)
    return {
        "sheet": shown,
        "works": works,
        "erased": sheet.erased,
        "judges": sheet.labeller.name == JUDGE,
        "choices": [(place, label) for place, label in enumerate(of.campaign.classes, 1)],
        "before": _beside(sheet.order, item, -1),
        "after": _beside(sheet.order, item, 1),
    }


def _beside(order: tuple[str, ...], item: str | None, step: int) -> str:
    """Return the query that shows the item before or after, empty where there is none."""
    place = order.index(item) + step if item in order else -1
    return urlencode({"item": order[place]}) if 0 <= place < len(order) else ""


def _owners(request: HubRequest, of: LabellingRound, form: forms.Form | None) -> dict[str, Any]:
    detail = do(operations.SHOW, request.acting.view, {"asked": of.identity})
    statement = detail.quality.statement() if detail.quality is not None else None
    return {
        "detail": detail,
        "lines": list(quality_lines(detail.quality)) if detail.quality is not None else [],
        "spelled": json.dumps(statement.to_json_value(), ensure_ascii=False) if statement is not None else "",
        "export": form if isinstance(form, ExportForm) else ExportForm(),
    }


def _posted_form(request: HubRequest) -> forms.Form | None:
    if request.method != "POST":
        return None
    if request.POST.get("does") == "import":
        return ExportForm(*posted_files(request))
    return LabelForm(posted(request)) if "item" in request.POST else forms.Form(posted(request))


def _do(request: HubRequest, of: LabellingRound, form: forms.Form) -> HttpResponse:
    view, identity = request.acting.view, of.identity
    if isinstance(form, LabelForm):
        given = form.cleaned_data
        do(operations.LABEL, view, {"asked": identity, **given})
    elif isinstance(form, ExportForm):
        chosen = chosen_file(request, form)
        if chosen is not None:
            do(operations.IMPORT, view, {"asked": identity, "upload": chosen.identity})
    else:
        if (does := request.POST.get("does", "")) in _BUTTONS:
            do(_BUTTONS[does], view, {"asked": identity})
    return redirect("labelling-round", identity=identity)
