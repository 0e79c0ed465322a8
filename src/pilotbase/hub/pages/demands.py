"""A demand in words: kept encrypted for its person, read as a draft, and completed by one question at a time.

An answer becomes a line of the demand, such as ``Cost of a miss: 30,000 CNY``: the draft is always what the words say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from pilotbase.catalogue.records import load_record
from pilotbase.documents.base import Document, localized
from pilotbase.documents.demand import (
    CLOSED,
    LONGEST_DEMAND,
    DemandDraft,
    DemandField,
    DemandQuestion,
    DraftedField,
    Ground,
    WordedDemand,
)
from pilotbase.documents.permissions import Act, permitted
from pilotbase.documents.states import DemandState
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Action, Sector
from pilotbase.hub.acting import HubRequest, RequestActor, language, posted
from pilotbase.hub.forms.bringing import hosts_offered
from pilotbase.hub.forms.declared import OperationForm, ShortNameField, derive_name, form_of, offer, tell
from pilotbase.hub.forms.files import find_kept, forget_file, keep_file, read_kept
from pilotbase.hub.presenters.addresses import address_of, section_crumb
from pilotbase.hub.routing import FORM, page
from pilotbase.hub.sentences import area, t
from pilotbase.hub.templatetags.ui import capital
from pilotbase.matching.drafting import draft_demand
from pilotbase.operations import matches
from pilotbase.worker.demands import DraftModel, draft_by, joinable
from pilotbase.worker.matching import draft_of_demand
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.store import View

LONGEST_PROBLEM = 2000
"""Characters of the problem that a scenario states."""
_NAMED_AFTER = 60
_LEFT_OUT = 240
"""Of a longer run of words without a mark only the ends are shown."""


class DemandForm(forms.Form):
    """A demand in words, before there is a table."""

    problem = area(t("hub.field_problem"), t("demand.help"), rows=6, max_length=LONGEST_DEMAND)


class AnswerForm(forms.Form):
    """The answer to one question about a demand."""

    said = forms.CharField(max_length=LONGEST_PROBLEM)

    def __init__(self, question: DemandQuestion, words: str, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.question, self._words = question, words
        known = CLOSED.get(question.path)
        label, hint = question.asked.render(language()), f"demand.answer.{question.path}"
        if known is None:
            self.fields["said"] = forms.CharField(label=label, help_text=t(hint), max_length=LONGEST_PROBLEM)
        else:
            names = [(value, text(f"{known[0]}.{value}").render(language())) for value in known[1]]
            choices = [(name, capital(name)) for _, name in names]
            self.fields["said"] = forms.ChoiceField(label=label, choices=choices)
            self.initial["said"] = dict(names).get(question.guessed)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("said"):
            found = draft_demand(self.line).field(self.question.path)
            if found is None:
                self.add_error("said", text("demand.not_read").render(language()))
        return given

    @property
    def line(self) -> str:
        """Return the line that the answer becomes."""
        name = text(f"demand.field.{self.question.path}").render(language())
        return f"{name}: {' '.join(self.cleaned_data['said'].split())}"

    @property
    def completed(self) -> str:
        """Return the demand with the answer."""
        return f"{self._words.rstrip()}\n{self.line}"


class _Register(OperationForm):
    """A demand that is registered: its short name is proposed from its title."""

    name = ShortNameField()
    field_order = ("text", "title", "name", "joins", "apart")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        derive_name(self, given, given.get("title"), given.get("text", "")[:_NAMED_AFTER])
        self._given = {"name": given.get("name", ""), **self._given}
        return given

    def said(self, view: View) -> dict[str, Any]:
        given, known = super().said(view), self.initial.get("known")
        if known is not None and given.get("title") == localized(known, language()):
            given["title"] = known  # in the other language too
        return {name: value for name, value in given.items() if name != "name"}


RegisterForm = form_of(matches.REGISTER, "text", "title", "joins", "apart", base=_Register)


@page("demands/new/", "demand-new", Act.DEMAND_REGISTER, FORM)
def register(request: HubRequest) -> HttpResponse:
    """Register a demand in words, or join another's with it; it begins with the one that the person has drafted."""
    begun = {"text": kept_demand(request.acting), "joins": request.GET.get("joins", "")}
    return _registering(request, text("demand.hub.new"), begun, {})


@page("demands/<name:name>/acts/demand.edit/", "demand-edit", methods=FORM)
def edit(request: HubRequest, name: str) -> HttpResponse:
    """Change the words of a demand."""
    record, _ = load_record(request.acting.view, f"demand:{name}")
    before = request.acting.view.load(record.documents["demand"], WordedDemand)
    if not permitted(Act.DEMAND_EDIT, request.acting.actor, record.stands):
        raise NotFoundError("hub.not_found")
    initial = {"text": before.text, "title": localized(before.title, language()), "known": before.title}
    initial["apart"] = before.apart
    return _registering(request, Text(code=f"act.{Act.DEMAND_EDIT}"), initial, {"name": before.name})


def _registering(request: HubRequest, title: Text, initial: dict[str, Any], given: dict[str, str]) -> HttpResponse:
    form = RegisterForm(posted(request), given={"owner": request.acting.organisation, **given}, initial=initial)
    if given:
        del form.fields["name"], form.fields["joins"]
    _ask_of_alike(request, form)
    if form.done(request.acting.view):
        forget_demand(request.acting)
        tell(request, form.operation)
        return redirect(address_of(form.found.subject))
    if "joins" in form.fields and request.POST and "joins" not in request.POST:
        form.data = form.data.copy()
        form.data["joins"] = form.initial["joins"]  # asked now for the first time: to join is what is proposed
    shown = {"title": title, "lead": text("demand.hub.new_lead"), "form": form, "crumbs": [section_crumb("demands")]}
    return render(request, "hub/said.html", shown)


def _ask_of_alike(request: HubRequest, form: OperationForm) -> None:
    """Ask whether it joins what is there, or why it stands apart, where there is something like it."""
    words, wanted = form["text"].value(), form.initial.get("joins")
    found = joinable(request.acting.view, words) if words else []
    alike = [one for one in found if one.duplicate or one.subject == wanted]
    if "joins" in form.fields and alike:
        offer(form, {"joins": [("", t("demand.hub.stands_apart")), *hosts_offered(alike)]})
        form.initial["joins"] = wanted or alike[0].subject
    for name in () if alike or form.initial.get("apart") else ("joins", "apart"):
        form.fields.pop(name, None)


def demand_named(request: HubRequest) -> WordedDemand | None:
    """Return the demand of the reader's organisation that a new scenario is made of, if its address names one."""
    name = request.GET.get("demand", "")
    listing = find_listing(request.acting.view, f"demand:{name}") if name else None
    if listing is None or listing.owner != request.acting.organisation or listing.state != DemandState.OPEN:
        return None
    return request.acting.view.load(listing.digest, WordedDemand)


class Marked(NamedTuple):
    """A run of a demand's words, with the numbers of the fields that rest on it."""

    words: str
    fields: tuple[int, ...]


def kept_demand(acting: RequestActor) -> str:
    """Return the demand that a person has written, or nothing."""
    upload = find_kept(acting.view, _name(acting))
    return read_kept(acting.view, upload).decode() if upload is not None else ""


def forget_demand(acting: RequestActor) -> None:
    """Erase the demand: a scenario has been made of it."""
    upload = find_kept(acting.view, _name(acting))
    if upload is not None:
        forget_file(acting.view, upload)


def take_words(request: HubRequest) -> HttpResponse | forms.Form:
    """Keep the demand that was written, or the answer to a question about it; or return the form with what is wrong."""
    form: forms.Form = DemandForm(request.POST)
    if "answer" in request.POST:
        words = kept_demand(request.acting)
        asked = {one.path: one for one in draft_demand(words).questions}.get(request.POST["answer"])  # type: ignore[call-overload]
        if asked is None:
            return redirect("scenario-new")
        form = AnswerForm(asked, words, request.POST)
    if not form.is_valid():
        return form
    if isinstance(form, AnswerForm):
        _keep(request.acting, form.completed[:LONGEST_DEMAND])
        asks = "?by=model" if _asks_model(request) else ""
        return redirect(f"{reverse('scenario-new')}{asks}#question")
    _keep(request.acting, form.cleaned_data["problem"])
    messages.success(request, text("hub.demand_kept").render(language()))
    return redirect(f"{reverse('scenario-new')}#draft")


def _asks_model(request: HubRequest) -> bool:
    """Return whether the reader wants the operator's language model to read the demand as well."""
    return request.GET.get("by") == "model"


def shown_demand(request: HubRequest, wrong: forms.Form | None = None) -> dict[str, Any]:
    """Return what a page shows of the demand: words with marks, draft, a question; ``wrong``: a refused form."""
    words = kept_demand(request.acting)
    shown: dict[str, Any] = {
        "demand": DemandForm(initial={"problem": words}),
        "hours": settings.CONFIGURATION.upload_hours,
    }
    if isinstance(wrong, DemandForm):
        shown["demand"] = wrong
    if not words:
        return shown
    model, by_model = DraftModel.from_environment(), _asks_model(request)
    draft = draft_by(request.acting.view, words, "model" if by_model and model else "terms")
    asked = request.GET.get("ask", "")
    place = int(asked) if asked.isdecimal() and len(asked) <= 2 and int(asked) < len(draft.questions) else 0
    shown |= {
        "said": words,
        "draft": draft,
        "marked": list(marked(words, draft)),
        "fields": listed(draft),
        "next": place + 1,
        "model": model,
        "by_model": by_model,
    }
    if isinstance(wrong, AnswerForm):
        shown["answer"] = wrong
    elif draft.questions:
        shown["answer"] = AnswerForm(draft.questions[place], words)
    return shown


def known_of(request: HubRequest) -> dict[str, str]:
    """Return what the demand answers already of the questions about a table, by the names of their fields."""
    registered = demand_named(request)
    words = registered.text if registered is not None else kept_demand(request.acting)
    if not words:
        return {}
    draft = draft_demand(words)
    found = {one.path: one for one in draft.fields}
    named = {"cost_of_miss": "costs.miss", "cost_of_false_alarm": "costs.false_alarm", "sector": "sector",
             "action": "action", "data_may_leave": "conditions.data_may_leave"}  # fmt: skip
    known = {name: found[path].value for name, path in named.items() if path in found}
    problem = found.get("problem")
    return known | {"problem": words if len(words) <= LONGEST_PROBLEM else problem.value if problem else ""}


def named_choice(path: DemandField) -> forms.ChoiceField:
    """Return a field to choose a value of a closed list by its name, or none."""
    code, values = CLOSED[path]
    choices = [("", "–"), *((value, t(f"{code}.{value}")) for value in values)]
    return forms.ChoiceField(label=t(f"demand.field.{path}"), choices=choices, required=False)


def drafted_terms(given: dict[str, Any]) -> dict[str, Any]:
    """Return what goes on from a demand into the scenario, as `DraftAnswers` takes it."""
    return {
        "sector": Sector(given["sector"]) if given["sector"] else None,
        "action": Action(given["action"]) if given["action"] else None,
        "data_may_leave": given["data_may_leave"],
    }


def marked(words: str, draft: DemandDraft) -> Iterator[Marked]:
    """Yield the words of a demand in runs: those that fields rest on with their numbers, long others cut short."""
    grounds = sorted(
        ((ground, number) for number, one in enumerate(listed(draft), 1) for ground in one.grounds if _is_marked(one)),
        key=lambda each: (each[0].start, -each[0].end),
    )
    end = 0
    for ground, numbers in _apart(grounds):
        yield Marked(_shortened(words[end : ground.start], end > 0, True), ())
        yield Marked(words[ground.start : ground.end], numbers)
        end = ground.end
    yield Marked(_shortened(words[end:], end > 0, False), ())


def laid_out(view: View, demand: Document) -> dict[str, Any]:
    """Return what the page of a registered demand shows: its words with marks, what was read, what is missing."""
    if not isinstance(demand, WordedDemand):
        return {}
    draft = draft_of_demand(view, demand.text)
    beside = [one for one in draft.scenarios if one.subject != demand.subject]
    draft = draft.model_copy(update={"fields": demand.fields, "scenarios": tuple(beside)})
    return {"draft": draft, "marked": list(marked(demand.text, draft)), "fields": listed(draft)}


def listed(draft: DemandDraft) -> list[DraftedField]:
    """Return the fields of a draft beside the words: all but the problem, which is the words."""
    return [one for one in draft.fields if one.path != "problem"]


def _is_marked(one: DraftedField) -> bool:
    """Return whether a field has words of its own: the action follows from the sector."""
    return one.path != "action"


def _apart(grounds: list[tuple[Ground, int]]) -> Iterator[tuple[Ground, tuple[int, ...]]]:
    """Yield grounds with the numbers that rest on them; those that overlap become one."""
    held: tuple[Ground, list[int]] | None = None
    for ground, number in grounds:
        if held is not None and ground.start < held[0].end:
            wider = held[0].model_copy(update={"end": max(held[0].end, ground.end)})
            held = wider, [*held[1], number]
            continue
        if held is not None:
            yield held[0], tuple(dict.fromkeys(held[1]))
        held = ground, [number]
    if held is not None:
        yield held[0], tuple(dict.fromkeys(held[1]))


def _shortened(run: str, after: bool, before: bool) -> str:
    if len(run) <= _LEFT_OUT:
        return run
    half = _LEFT_OUT // 2
    return f"{run[:half] if after or not before else ''} … {run[-half:] if before else ''}"


def _keep(acting: RequestActor, words: str) -> None:
    before = find_kept(acting.view, _name(acting))
    plain = words.replace("\r\n", "\n").encode()
    keep_file(acting.view, SimpleUploadedFile("demand", plain), _name(acting))
    if before is not None:
        forget_file(acting.view, before)


def _name(acting: RequestActor) -> str:
    return f"{acting.person.identity if acting.person else ''}.demand"
