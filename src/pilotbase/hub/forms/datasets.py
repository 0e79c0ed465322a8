"""A dataset's description as a form: what it says of the data, of their use, and of each column."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from copy import deepcopy
from typing import Any

from django import forms

from pilotbase.data.terms.templates import offer_for
from pilotbase.documents.base import Localized, Part, slug
from pilotbase.documents.dataset import DataField, Dataset
from pilotbase.documents.permissions import Act
from pilotbase.documents.texts import LANGUAGES, make_visible, text
from pilotbase.documents.vocabularies import Opening, Sector
from pilotbase.hub.acting import language
from pilotbase.hub.forms.bringing import StepForm
from pilotbase.hub.forms.declared import DayField, ShortNameField, pairs_of
from pilotbase.hub.sentences import asked, t


class Words(forms.CharField):
    """An answer in words, which may be empty; ``read`` makes of them what a document holds."""

    def __init__(self, label: str, help_text: Any = "", rows: int = 0, read: Callable[[str], Any] = str) -> None:
        widget = forms.Textarea(attrs={"rows": rows, "spellcheck": "false"}) if rows else None
        super().__init__(label=t(label), help_text=help_text, widget=widget, required=False, max_length=20_000)
        self.read = read

    def prepare_value(self, value: Any) -> str:
        if isinstance(value, Mapping):
            return "\n".join(f"{column} = {self.prepare_value(said)}" for column, said in value.items())
        if isinstance(value, Localized):
            return value.render(language())
        return "; ".join(value) if isinstance(value, tuple) else value or ""

    def clean(self, value: Any) -> Any:
        return self.read(super().clean(value).strip())


def several(said: str) -> list[str]:
    """Return the parts of an answer that are divided by semicolons."""
    return [part.strip() for part in said.split(";") if part.strip()]


_DATASET = {
    **{name: Words(f"describe.ask.{name}") for name in ("license", "url", "publisher")},
    "creator": Words("describe.ask.creator", read=several),
    "in_language": Words("describe.ask.language", read=several),
    "keywords": Words("describing.keywords", read=several),
    "date_published": DayField(label=t("describing.date_published"), required=False),
    "date_modified": DayField(label=t("describing.date_modified"), required=False),
}
"""Field of a dataset → how it is asked for; those of `_USE` are of its responsible use."""
_USE = {
    "collection": Words("describe.ask.collection", rows=2),
    "annotation_protocol": Words("describe.ask.annotation", rows=2),
    "annotations_per_item": Words("describe.ask.annotations"),
    "personal_sensitive_information": Words("describe.ask.personal", read=several),
    "limitations": Words("describe.ask.limitations", rows=2, read=several),
    "use_cases": Words("describe.ask.use_cases", rows=2, read=several),
}
_COLUMNS = {
    "unit": Words("describing.units", t("describing.units_help"), 4, pairs_of),
    "description": Words("describing.descriptions", t("describing.descriptions_help"), 4, pairs_of),
}
"""Part of a field of a record set → how that of all columns is asked for."""
_MOST_COLUMNS = 200


class DatasetForm(StepForm):
    """What a dataset's description says, field by field; an expert may edit the whole document instead."""

    rare = "content"
    """The field that is folded."""
    name = ShortNameField()
    title_en = Words("describing.title_en")
    title_zh = Words("describing.title_zh")
    description_en = Words("describing.description_en", rows=3)
    description_zh = Words("describing.description_zh", rows=3)
    sector = forms.ChoiceField(label=t("describing.sector"), required=False)
    opening = forms.ChoiceField(**asked("describing.opening", "describing.opening_help"), required=False)
    usual_terms = forms.BooleanField(label=t("ask.usual_terms"), required=False)
    purpose = forms.ChoiceField(label=t("describing.purpose"), required=False)
    version = forms.CharField(label=t("describing.version"), max_length=64, initial="1.0.0", required=False)
    contact = forms.CharField(label=t("describe.ask.contact"), max_length=200, required=False)
    content = forms.CharField(
        **asked("hub.dataset_document", "hub.help_dataset_document"),
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "false"}),
        max_length=1_000_000,
        required=False,
    )

    def prepare(self) -> None:
        self.before: Dataset | None = None
        if "dataset" in self.bringing.record.documents:
            self.before = self.bringing.document("dataset", Dataset)
        for name, values in (("sector", Sector), ("opening", Opening)):
            self.fields[name].choices = [(one.value, t(f"{name}.{one.value}")) for one in values]  # type: ignore
        purposes = ("training", "verification", "statistics")
        self.fields["purpose"].choices = [(one, t(f"quality.purpose.{one}")) for one in purposes]  # type: ignore
        self.fields |= deepcopy({**_DATASET, **_USE})
        if self.before is None:
            self.initial.update(sector=Sector.OTHER, opening=Opening.COMPUTE_TO_DATA)
            self.initial.update(usual_terms=True, purpose="verification")
        else:
            self._fill(self.before)
        self.fields[f"title_{language()}"].widget.attrs["data-asked"] = ""
        self.order_fields([name for name in self.fields if name not in (self.rare, "note")] + ["note", self.rare])

    def _fill(self, before: Dataset) -> None:
        del self.fields["name"]
        if before.usage is not None:
            del self.fields["usual_terms"]
        known = {name: getattr(before, name) for name in ("sector", "opening", "purpose", *_DATASET)}
        known |= {name: getattr(before.responsible, name) for name in _USE}
        revised = self.bringing.act is Act.DATASET_REVISE
        known |= {"contact": before.owner.contact, "version": _next(before.version) if revised else before.version}
        for name in ("title", "description"):
            words = getattr(before, name)
            both = words if isinstance(words, Localized) else Localized(**{language(): words})
            known |= {f"{name}_en": both.en, f"{name}_zh": both.zh}
        columns = dict(columns_of(before))
        if len(columns) <= _MOST_COLUMNS:
            self.fields |= deepcopy(_COLUMNS)
            for part in _COLUMNS:
                said = {name: getattr(column, part) for name, column in columns.items()}
                known[part] = {name: value for name, value in said.items() if value}
        self.initial.update(known, content=json.dumps(before.to_json_value(), ensure_ascii=False, indent=1))

    @property
    def opened(self) -> bool:
        """Return whether the whole document is edited, or wrong."""
        return self.is_bound and self._edited() is not None

    def part(self) -> Part | None:
        edited, given, before = self._edited(), self.cleaned_data, self.before
        titled = given["title_en"] or given["title_zh"]
        if edited is not None:
            if titled and not {"content", "note", "seen"}.issuperset(self.changed_data):
                self.add_error("content", t("hub.dataset_twice"))
            return Dataset.model_validate_json(edited)
        if not titled:
            self.add_error(f"title_{language()}", forms.Field.default_error_messages["required"])
            return None
        said = {
            "name": before.name if before else given["name"] or slug(titled),
            "owner": {"organisation": self.bringing.acting.organisation, "contact": given["contact"]},
            **{name: _localized(given, name) for name in ("title", "description")},
            **{name: given[name] for name in ("sector", "opening", "purpose", "version") if given[name]},
            **{name: _empty(given[name]) for name in _DATASET},
        }
        use = {name: _empty(given[name]) for name in _USE}
        if before is None:
            found = Dataset.model_validate({**said, "responsible": use})
        else:
            use = {**dict(before.responsible), **use}
            found = Dataset.model_validate({**dict(before), **said, "responsible": use, **self._columns_said(before)})
        if given.get("usual_terms"):
            found = found.model_copy(
                update={"usage": offer_for(found.opening, found.owner.organisation, found.subject)}
            )
        return found

    def _edited(self) -> str | None:
        """Return the document as it was edited; None: it is as it was."""
        document: str = self.data.get("content", "").strip()
        with suppress(ValueError):
            if not document or (self.before is not None and json.loads(document) == self.before.to_json_value()):
                return None
        return document

    def _columns_said(self, before: Dataset) -> dict[str, Any]:
        """Return the record sets with what is said of their columns."""
        if "unit" not in self.fields:
            return {}
        said = {part: self.cleaned_data[part] for part in _COLUMNS}
        known = dict(columns_of(before))
        for part, told in said.items():
            for column in told.keys() - known.keys():
                self.add_error(part, text("hub.dataset_no_column", column=make_visible(column)).render(language()))
        changed = []
        for name, column in known.items():
            unit, meaning = (said[part].get(name) for part in _COLUMNS)
            changed.append(
                column.model_copy(update={"unit": unit, "description": _reworded(column.description, meaning)})
            )
        names = iter(changed)
        sets = [one.model_copy(update={"fields": tuple(next(names) for _ in one.fields)}) for one in before.record_sets]
        return {"record_sets": sets}


def columns_of(dataset: Dataset) -> Iterator[tuple[str, DataField]]:
    """Yield the columns of all record sets, in order, with the table before the name where there are several."""
    for one in dataset.record_sets:
        for column in one.fields:
            yield (column.name if len(dataset.record_sets) == 1 else f"{one.name}.{column.name}"), column


def _next(version: str) -> str:
    """Return the version with its last number one higher."""
    begin, _, last = version.rpartition(".")
    return f"{begin}.{int(last) + 1}" if last.isdecimal() else version


def _reworded(before: Localized | str | None, said: str | None) -> Localized | str | None:
    """Return the words of a column; what is said in one language leaves the other as it is."""
    if not isinstance(before, Localized) or not said or said == before.render(language()):
        return before if isinstance(before, Localized) and said else said
    return before.model_copy(update={language(): said})


def _localized(given: Mapping[str, Any], name: str) -> Localized | None:
    both = {one: given[f"{name}_{one}"] or None for one in LANGUAGES}
    return Localized(**both) if any(both.values()) else None


def _empty(said: Any) -> Any:
    """Return what a document holds in place of an empty answer."""
    return said or (() if isinstance(said, list) else None)
