"""Files described on pages: sent, read in a box by a worker, asked about in a form, saved as a draft dataset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import Any

import pydantic
from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_POST

from pilotbase.data.describing.questions import MISSING
from pilotbase.documents.base import Localized
from pilotbase.documents.described import Answers, Described
from pilotbase.documents.loading import issues_of
from pilotbase.documents.permissions import Act
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import text
from pilotbase.documents.visible_text import make_visible
from pilotbase.documents.vocabularies import Opening, Sector
from pilotbase.hub.acting import HubRequest, language, posted, posted_files
from pilotbase.hub.base import base
from pilotbase.hub.forms.declared import AGAINST, add_errors, refusals_in
from pilotbase.hub.forms.files import erased_on_failure, keep_file, make_name
from pilotbase.hub.guards import for_act
from pilotbase.hub.presenters.addresses import address_of, section_crumb, subject_of
from pilotbase.hub.presenters.records import see
from pilotbase.hub.sentences import area, t
from pilotbase.worker.datasets.describing import (
    MOST_FILES,
    DescriptionProgress,
    answer_describing,
    describings,
    find_describing,
    forget_describing,
    save_described,
    start_describing,
)
from pilotbase.worker.progress import told

_SEVERAL = ("creator", "language", "personal", "limitations", "use_cases")
_BY_COLUMN = ("units", "descriptions")
_ROLES = ("label", "key", "time", "group")
_LONG = ("description", "collection", "annotation", "limitations", "use_cases")
_MOST_LETTERS = 20_000


class _Chosen(forms.FileInput):
    allow_multiple_selected = True


class _SeveralFiles(forms.FileField):
    """A field whose value is a list of files, each held to what holds of one."""

    widget = _Chosen

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        found: list[UploadedFile[Any]] = [super(_SeveralFiles, self).clean(one, initial) for one in data or [None]]
        if len(found) > MOST_FILES:
            raise ValidationError(t("describing.too_many"))
        return found


class FilesForm(forms.Form):
    """The files that make one dataset."""

    tables = _SeveralFiles(label=t("describing.files"), help_text=t("describing.files_help"))


def _line(code: str) -> forms.CharField:
    name = code.rpartition(".")[2]
    widget = forms.Textarea(attrs={"rows": 2}) if name in _LONG else None
    return forms.CharField(label=t(code), required=False, max_length=_MOST_LETTERS, widget=widget)


class DescriptionForm(forms.Form):
    """What the owner says: whatever is left empty is guessed, or stays missing."""

    title_en = forms.CharField(label=t("describing.title_en"), required=False, max_length=500)
    title_zh = forms.CharField(label=t("describing.title_zh"), required=False, max_length=500)
    name = forms.CharField(
        label=t("describing.name"), help_text=t("describing.name_help"), required=False, max_length=63
    )
    description = _line("describe.ask.description")
    sector = forms.ChoiceField(label=t("describing.sector"), required=False)
    opening = forms.ChoiceField(label=t("describing.opening"), help_text=t("describing.opening_help"), required=False)
    purpose = forms.ChoiceField(label=t("describing.purpose"), required=False)
    contact = _line("describe.ask.contact")
    license = _line("describe.ask.license")
    url = _line("describe.ask.url")
    creator = _line("describe.ask.creator")
    publisher = _line("describe.ask.publisher")
    published = _line("describe.ask.published")
    language = _line("describe.ask.language")
    collection = _line("describe.ask.collection")
    personal = _line("describe.ask.personal")
    limitations = _line("describe.ask.limitations")
    use_cases = _line("describe.ask.use_cases")
    label = _line("describe.ask.label")
    key = _line("describe.ask.key")
    time = _line("describe.ask.time")
    group = _line("describe.ask.group")
    annotation = _line("describe.ask.annotation")
    annotations = _line("describe.ask.annotations")
    units = forms.CharField(
        label=t("describing.units"),
        help_text=t("describing.units_help"),
        required=False,
        max_length=_MOST_LETTERS,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
    )
    descriptions = area(
        t("describing.descriptions"),
        t("describing.descriptions_help"),
        rows=4,
        required=False,
        max_length=_MOST_LETTERS,
    )

    def __init__(self, found: Described | None, given: Answers, data: Any = None) -> None:
        super().__init__(data, initial=_initial(found, given))
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


class SaveForm(forms.Form):
    """How a description becomes a dataset."""

    usual_terms = forms.BooleanField(label=t("describing.usual_terms"), required=False, initial=True)
    keep = forms.BooleanField(label=t("describing.keep"), required=False, initial=True)


_FIELD_OF = {"title": "title_en"}


def _initial(found: Described | None, given: Answers) -> dict[str, str]:
    """Return what was answered, as the form spells it; the name as it is guessed, for it is fixed once saved."""
    said = given.model_dump(mode="json", exclude_unset=True)
    spelled = {name: "; ".join(said[name]) for name in _SEVERAL if said.get(name)}
    spelled |= {name: _lines(getattr(given, name)) for name in _BY_COLUMN}
    plain = (name for name in DescriptionForm.base_fields if name in said and name not in (*_SEVERAL, *_BY_COLUMN))
    spelled |= {name: _plain(getattr(given, name)) for name in plain}
    spelled["title_en"], spelled["title_zh"] = _both(given.title)
    if found is not None:
        spelled.setdefault("name", found.dataset.name)
    return spelled


def _spelled(given: Mapping[str, str]) -> dict[str, Any]:
    """Return the answers as their document spells them: what is empty is not said."""
    said: dict[str, Any] = {name: value.strip() for name, value in given.items() if value.strip()}
    title = {"en": said.pop("title_en", None), "zh": said.pop("title_zh", None)}
    if any(title.values()):
        said["title"] = title
    for name in _SEVERAL:
        if name in said:
            said[name] = [part.strip() for part in said[name].split(";") if part.strip()]
    for name in _BY_COLUMN:
        if name in said:
            said[name] = _columns(said[name].splitlines())
    return said


def _columns(lines: Iterable[str]) -> dict[str, str]:
    """Return column → what is said of it, of lines such as ``inlet = kPa``."""
    found = (line.partition("=") for line in lines if line.strip())
    return {column.strip(): value.strip() for column, _, value in found}


def _lines(said: Mapping[str, Localized | str]) -> str:
    return "\n".join(f"{column} = {_plain(value)}" for column, value in said.items())


def _both(title: Localized | str | None) -> tuple[str, str]:
    if isinstance(title, Localized):
        return title.en or "", title.zh or ""
    return (title or "", "") if language() == "en" else ("", title or "")


def _plain(value: object) -> str:
    if isinstance(value, Localized):
        return value.render(language())
    return "" if value is None else str(value)


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
    form = DescriptionForm(found.result, found.order.answers, posted(request))
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
        answers = DescriptionForm(found.result, found.order.answers, {})
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
    described = found.result
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
