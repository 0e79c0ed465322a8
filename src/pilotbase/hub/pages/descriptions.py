"""Files described on pages: sent, read in a box by a worker, asked about in a form, saved as a draft dataset."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from copy import deepcopy
from typing import Any

import pydantic
from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from pilotbase.data.describing.questions import ASKED
from pilotbase.documents.base import Localized
from pilotbase.documents.described import Answers, Described
from pilotbase.documents.loading import issues_of
from pilotbase.documents.permissions import Act
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import LANGUAGES, make_visible, text
from pilotbase.documents.vocabularies import Opening, Sector
from pilotbase.hub.acting import HubRequest, language, posted, posted_files
from pilotbase.hub.base import base
from pilotbase.hub.forms.datasets import Words, several
from pilotbase.hub.forms.declared import form_of, pairs_of, refusals_in
from pilotbase.hub.forms.files import FilesForm, erased_on_failure, keep_file, make_name
from pilotbase.hub.presenters.addresses import address_of, crumb, section_crumb, subject_of
from pilotbase.hub.presenters.drawn import render_live, tables_drawn
from pilotbase.hub.presenters.records import see
from pilotbase.hub.routing import FORM, POST, page
from pilotbase.hub.sentences import asked, t
from pilotbase.operations import descriptions
from pilotbase.worker.datasets.describing import (
    DescriptionProgress,
    answer_describing,
    describings,
    find_describing,
    forget_describing,
    start_describing,
)
from pilotbase.worker.progress import told

_ROLES = ("label", "key", "time", "group")
_LINES = ("contact", "license", "url", "publisher", "published", *_ROLES, "annotation", "annotations")
_WORDS: Mapping[str, Words] = {
    "title_en": Words("describing.title_en"),
    "title_zh": Words("describing.title_zh"),
    "name": Words("describing.name", t("describing.name_help")),
    **{name: Words(f"describe.ask.{name}", rows=2) for name in ("description", "collection")},
    **{name: Words(f"describe.ask.{name}", rows=2 if name == "annotation" else 0) for name in _LINES},
    **{name: Words(f"describe.ask.{name}", read=several) for name in ("creator", "language", "personal")},
    **{name: Words(f"describe.ask.{name}", rows=2, read=several) for name in ("limitations", "use_cases")},
    "units": Words("describing.units", t("describing.units_help"), 4, pairs_of),
    "descriptions": Words("describing.descriptions", t("describing.descriptions_help"), 4, pairs_of),
}


class DescriptionForm(forms.Form):
    """What the owner says: whatever is left empty is guessed, or stays missing."""

    sector = forms.ChoiceField(label=t("describing.sector"), required=False)
    opening = forms.ChoiceField(**asked("describing.opening", "describing.opening_help"), required=False)
    purpose = forms.ChoiceField(label=t("describing.purpose"), required=False)
    field_order = (
        *("title_en", "title_zh", "name", "description", "sector", "opening", "purpose", "contact", "license", "url"),
        *("creator", "publisher", "published", "language", "collection", "personal", "limitations", "use_cases"),
        *_ROLES,
    )

    def __init__(self, found: Described | None, given: Answers, data: Any = None) -> None:
        super().__init__(data, initial=_initial(found, given))
        self.fields |= deepcopy(_WORDS)
        self.order_fields(self.field_order)
        self.answers = given
        for name, values in (("sector", Sector), ("opening", Opening)):
            self._choose(name, [(one.value, t(f"{name}.{one.value}")) for one in values])
        purposes = ("training", "verification", "statistics")
        self._choose("purpose", [(one, t(f"quality.purpose.{one}")) for one in purposes])
        if found is not None:
            self._tell(found)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors:
            try:
                self.answers = Answers.model_validate(_spelled(given))
            except pydantic.ValidationError as error:
                for issue in issues_of("form", error):
                    path = issue.path.partition(".")[0].partition("[")[0]
                    field = {"title": "title_en"}.get(path, path)
                    self.add_error(field if field in self.fields else None, issue.problem.render(language()))
        return given

    def _choose(self, name: str, choices: list[tuple[str, Any]]) -> None:
        self.fields[name].choices = [("", t("describing.as_guessed")), *choices]  # type: ignore[attr-defined]

    def _tell(self, found: Described) -> None:
        """Say beside each field what stands there as long as nobody answers, and what publishing still lacks."""
        for one in found.questions:
            field = self.fields.get(_FIELD_OF.get(one.answer, one.answer))
            if field is not None and one.guessed:
                guessed = text("describing.guessed", value=make_visible(one.guessed))
                field.help_text = guessed.render(language())
            elif field is not None and one.answer in _ROLES:
                field.help_text = t("describing.none_guessed")
            elif field is not None:
                field.help_text = t("describing.needed")
                field.widget.attrs["data-asked"] = True  # it may be left empty now, and is not optional
        if found.units:
            listed = make_visible(", ".join(found.units[:20]))
            self.fields["units"].help_text = text("describing.units_asked", columns=listed).render(language())


SaveForm = form_of(descriptions.SAVE)
_FIELD_OF = {"title": "title_en"}


def _initial(found: Described | None, given: Answers) -> dict[str, Any]:
    """Return what was answered; the name as it is guessed, for it is fixed once saved."""
    said: dict[str, Any] = {name: getattr(given, name) for name in given.model_fields_set}
    title = said.pop("title", None)
    both = title if isinstance(title, Localized) else Localized(**{language(): title})
    said |= {"title_en": both.en, "title_zh": both.zh}
    if found is not None and not said.get("name"):
        said["name"] = found.dataset.name
    return said


def _spelled(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers as their document spells them: what is empty is not said."""
    said = {name: value for name, value in given.items() if value}
    title = {of: said.pop(f"title_{of}", None) for of in LANGUAGES}
    return said | ({"title": title} if any(title.values()) else {})


_ASKED = {**ASKED, "usage": text("describing.no_terms")}
"""What publishing lacks → how it is asked for."""
_MOST_SHOWN = 200
"""Of the guesses of a description; all stand in the API's answer."""


@page("descriptions/", "describe", Act.DATASET_REGISTER, FORM)
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


@page("descriptions/<drawn:identity>/", "description", Act.DATASET_REGISTER, FORM)
def show(request: HubRequest, identity: str) -> HttpResponse:
    """Show how far a description is, then what was guessed and what is asked; take the answers."""
    view = request.acting.view
    found = find_describing(base(), view, identity)
    form = DescriptionForm(found.result, found.order.answers, posted(request))
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            answer_describing(base(), view, identity, form.answers)
            return redirect("description", identity=identity)
    return render_live(request, "description", "describing", _shown(found, form, not found.job.ended))


@page("descriptions/<drawn:identity>/save/", "description-save", Act.DATASET_REGISTER, POST)
def save(request: HubRequest, identity: str) -> HttpResponse:
    """Save a description as a draft dataset."""
    view, form = request.acting.view, SaveForm(request.POST, given={"identity": identity})
    if form.done(view):
        messages.success(request, text("describing.saved").render(language()))
        return redirect(address_of(form.found.subject))
    found = find_describing(base(), view, identity)
    answers = DescriptionForm(found.result, found.order.answers)
    return render(request, "hub/description.html", _shown(found, answers, not found.job.ended) | {"save": form})


@page("descriptions/<drawn:identity>/forget/", "description-forget", Act.DATASET_REGISTER, POST)
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
    described = found.result
    return {
        "title": described.dataset.title if described else text("describing.title"),
        "crumbs": [section_crumb("datasets"), crumb("describe", text("describing.title"))],
        "found": found,
        "job": told(found.job),
        "live": live,
        "described": described,
        "missing": [_ASKED.get(path, path) for path in described.missing] if described else (),
        "guesses": described.guesses[:_MOST_SHOWN] if described else (),
        "tables": tables_drawn(described.profiles if described else ()),
        "seen": described.seen[:_MOST_SHOWN] if described else (),
        "more": max(len(described.guesses) - _MOST_SHOWN, 0) if described else 0,
        "refusal": found.refusal,
        "form": form,
        "save": SaveForm(initial={"usual_terms": True, "keep": True}),
    }
