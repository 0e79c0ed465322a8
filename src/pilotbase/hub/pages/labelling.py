"""Labelling rounds: opened by an owner; two people label blind, a third decides; agreement is stated."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.http import urlencode

from pilotbase.data.labelling.final_labels import format_final
from pilotbase.data.labelling.quality import quality_lines
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.labelling import JUDGE, LabellingRound
from pilotbase.documents.states import CommissionState
from pilotbase.documents.texts import Text, text
from pilotbase.hub.acting import HubRequest, caller, posted, posted_files
from pilotbase.hub.base import base
from pilotbase.hub.forms.declared import OperationForm, do, form_of, refusals_in, tell
from pilotbase.hub.forms.files import KeepingForm, chosen_file
from pilotbase.hub.models import Membership
from pilotbase.hub.presenters.addresses import crumb, record_crumbs, subject_of
from pilotbase.hub.presenters.records import see
from pilotbase.hub.presenters.taken import download
from pilotbase.hub.routing import FORM, page
from pilotbase.hub.sentences import area, asked, t
from pilotbase.operations import labelling as operations
from pilotbase.operations.operation import Operation
from pilotbase.worker.datasets.kept_tables import record_sets_kept
from pilotbase.worker.datasets.label_rounds import find_round, part_of, rounds_of
from pilotbase.worker.datasets.labelling import FINISHED, is_taking, items_document, outcome_of, sheet_of
from pilotbase.worker.operations.labelling import round_told, sheet_told
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View

_ASKED = ("name", "record_set", "items", "guideline_version", "guideline", "scale", "classes")
_PARTS = ("first", "second", "judge")


class PanelForm(OperationForm):
    """Two people of an organisation, and who decides where they differ."""

    operation = operations.JUDGE
    first = forms.ChoiceField(label=t("labelling.hub.first"))
    second = forms.ChoiceField(label=t("labelling.hub.second"))
    judge = forms.ChoiceField(**asked("labelling.hub.judge", "labelling.hub.judge_help"))

    def __init__(self, given: Mapping[str, str], organisation: str, posted: QueryDict | None, **more: Any) -> None:
        super().__init__(posted, given=given, **more)
        self.organisation = organisation
        members = Membership.objects.filter(organisation=organisation).select_related("person").order_by("person__name")
        people = [(one.person.identity, f"{one.person.name} ({one.person.email})") for one in members]
        for place, part in enumerate(_PARTS):
            self.fields[part].choices = people  # type: ignore[attr-defined]
            self.fields[part].initial = people[min(place, len(people) - 1)][0] if people else None

    def said(self, view: View) -> dict[str, Any]:
        people = ({"organisation": self.organisation, "person": self.cleaned_data[one]} for one in _PARTS)
        first, second, judge = people
        return {"annotators": [first, second], "adjudicator": judge}


class _Round(PanelForm):
    """A round over items of a dataset, whose labels may come from Label Studio."""

    first_account = forms.CharField(
        **asked("labelling.hub.first_account", "labelling.hub.account_help"), max_length=100, required=False
    )
    second_account = forms.CharField(label=t("labelling.hub.second_account"), max_length=100, required=False)
    field_order = _ASKED

    def __init__(self, dataset: str, record_sets: Sequence[str], organisation: str, posted: QueryDict | None) -> None:
        owner, _, name = dataset.partition("/")
        choices = {"record_set": [(one, one) for one in record_sets]}
        super().__init__({"owner": owner, "name": name}, organisation, posted, choices=choices)

    def said(self, view: View) -> dict[str, Any]:
        given, people = self.cleaned_data, super().said(view)
        for one, account in zip(people["annotators"], ("first_account", "second_account"), strict=True):
            one["account"] = given[account]
        said = {name: given[name] for name in _ASKED} | {"guideline": given["guideline"].replace("\r\n", "\n")}
        return {**said, **people}


RoundForm = form_of(operations.START, *_ASKED, words={"scale": "labelling.scale."}, base=_Round)


class LabelForm(forms.Form):
    """A label of the item that is shown, or a decision with its reason."""

    item = forms.CharField(widget=forms.HiddenInput, max_length=500)
    label = forms.CharField(max_length=500)
    reason = area(t("labelling.hub.reason"), rows=2, required=False, max_length=2000)


class ExportForm(KeepingForm):
    """An export of Label Studio."""

    keeps = "file"
    file = forms.FileField(**asked("labelling.hub.export", "labelling.hub.export_help"), max_length=200)


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
    form = RoundForm(name, record_sets, request.acting.organisation, posted(request))
    if form.done(view):
        tell(request, form.operation)
        return redirect("labelling-round", identity=form.found.identity)
    crumbs = record_crumbs(seen.subject, seen.title)
    shown = {"title": text("labelling.hub.open"), "form": form, "can": bool(record_sets), "crumbs": crumbs}
    return render(request, "hub/labelling_open.html", shown)


@page("trials/<name:name>/panel/", "panel-open", methods=FORM)
def start_panel(request: HubRequest, name: str) -> HttpResponse:
    """Open the round in which experts judge the answers of a trial; who opened it before is taken there."""
    view, seen = request.acting.view, see(request.acting.view, subject_of("trials", name))
    if seen.record is None or seen.record.demand_owner != request.acting.organisation:
        raise NotFoundError("hub.not_found")
    opened = next((one for one in rounds_of(view) if one.trial == seen.subject), None)
    if opened is not None:
        return redirect("labelling-round", identity=opened.identity)
    form = PanelForm({"name": name}, request.acting.organisation, posted(request))
    if form.done(view):
        tell(request, form.operation)
        return redirect("labelling-round", identity=form.found.identity)
    crumbs = record_crumbs(seen.subject, seen.title)
    can = seen.record.state == CommissionState.JUDGING
    shown = {"title": text("labelling.hub.panel"), "form": form, "can": can, "panel": True, "crumbs": crumbs}
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
        "crumbs": [crumb("labelling", text("labelling.hub.title"))],
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
        "images": of.images or (),
        "erased": sheet.erased,
        "judges": sheet.labeller.name == JUDGE,
        "choices": [(place, label, _words(of, label)) for place, label in enumerate(of.campaign.classes, 1)],
        "given": _words(of, shown.item.given) if shown.item and shown.item.given else None,
        "differing": [_words(of, label) for label in shown.item.differing] if shown.item else [],
        "before": _beside(sheet.order, item, -1),
        "after": _beside(sheet.order, item, 1),
    }


def _words(of: LabellingRound, label: str) -> Text | str:
    """Return a label as people read it: of a trial's answers experts say whether they are good."""
    return label if of.trial is None else text(f"labelling.verdict.{label}")


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
