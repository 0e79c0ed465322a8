"""Files to be described, and the answers about them: every one that a description may have, each with its question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pydantic
from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from pilotbase.documents.base import Localized
from pilotbase.documents.described import Answers, Described
from pilotbase.documents.loading import issues_of
from pilotbase.documents.texts import text
from pilotbase.documents.visible_text import make_visible
from pilotbase.documents.vocabularies import Opening, Sector
from pilotbase.hub.acting import language
from pilotbase.hub.sentences import t
from pilotbase.worker.datasets.describing import MOST_FILES

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
    descriptions = forms.CharField(
        label=t("describing.descriptions"),
        help_text=t("describing.descriptions_help"),
        required=False,
        max_length=_MOST_LETTERS,
        widget=forms.Textarea(attrs={"rows": 4}),
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
