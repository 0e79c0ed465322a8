"""A document as a form, made from its model: its parts as groups, lists of parts as rows; as YAML for experts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, get_args, get_origin

import pydantic
from django import forms
from django.forms.utils import ErrorDict
from django.http import QueryDict

from pilotbase.documents.base import Localized
from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.documents.hashes import digest_bytes
from pilotbase.documents.loading import build_document, parse_request
from pilotbase.documents.texts import LANGUAGES, Language, make_visible
from pilotbase.documents.yaml_reader import MAXIMUM_BYTES, parse_yaml
from pilotbase.hub.acting import language
from pilotbase.hub.forms.declared import Choices, add_errors, field_of, label_of, of_fields
from pilotbase.hub.sentences import asked, language_name, later, t
from pilotbase.operations.operation import Operation

ADD = "add"
"""Button that adds an empty row to those that its value names."""
MOST_ROWS = 100
"""Rows of one kind that a form shows: a document with more is edited as YAML."""
_FILE = "document.yaml"
Model = type[pydantic.BaseModel]


@dataclass(frozen=True)
class Asking:
    """How the parts of a document are asked for; a field is named by its place, such as ``machines.count``."""

    operation: Operation[Any, Any]
    """Its texts name the fields."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Field of choices → the prefix of their texts, if it is not a vocabulary."""
    choices: Mapping[str, Choices] = field(default_factory=dict)
    """Field → values that are offered; others can be typed."""
    left: frozenset[str] = frozenset({"document"})
    """Fields that stay as they are."""
    inside: str = ""
    """Field of the operation's input that is the document, if it is not the whole body."""


class DocumentPart(forms.Form):
    """A part of a document. One that may be missing is missing if nothing in it differs from the defaults."""

    def __init__(
        self, asking: Asking, model: Model, known: Mapping[str, Any], data: QueryDict | None, **at: Any
    ) -> None:
        self.place, self.optional = at.pop("place", ""), at.pop("optional", False)
        empty = at.pop("inside_optional", False) or self.optional
        super().__init__(data, empty_permitted=empty, use_required_attribute=not empty, **at)
        self.asking, self.before = asking, known
        self.label, self.help = (label_of(asking.operation, self.place, part) for part in ("", "help"))
        self.localized: list[str] = []
        self.parts: dict[str, DocumentPart] = {}
        self.rows: dict[str, Rows] = {}
        for name, info in model.model_fields.items():
            if self._named(name) not in asking.left:
                self._ask(name, info)
        if data is not None and ADD in data:
            self._errors, self.cleaned_data = ErrorDict(), {}  # rows are added before all is filled in

    def _ask(self, name: str, info: pydantic.fields.FieldInfo) -> None:
        place, prefix = self._named(name), self.add_prefix(name)
        inner, known = _models_in(info.annotation), self.before.get(name)
        if inner == [Localized]:
            self._ask_in_languages(name, info, known)
        elif not inner:
            made = field_of(self.asking.operation, place, info, self.asking.words.get(place, ""))
            if place in self.asking.choices:
                made.widget.attrs["list"] = f"offered-{place}"
            self.fields[name] = made
            if known is not None:
                self.initial[name] = known
        elif get_origin(info.annotation) is tuple:
            self.rows[name] = Rows(self.asking, inner[0], known or [], self._sent, prefix, place)
        else:
            optional = type(None) in get_args(info.annotation)
            at = {"prefix": prefix, "place": place, "optional": optional, "inside_optional": self.empty_permitted}
            self.parts[name] = DocumentPart(self.asking, inner[0], known or {}, self._sent, **at)

    def _ask_in_languages(self, name: str, info: pydantic.fields.FieldInfo, known: Any) -> None:
        """Ask for a sentence in each language; what is given in one language only is in that of the reader."""
        self.localized.append(name)
        both = known if isinstance(known, Mapping) else {language(): known}
        for one in LANGUAGES:
            made = forms.CharField(label=later(self._in(name, one)), required=False, max_length=4000)
            if info.is_required() and one == language():
                made.widget.attrs["data-asked"] = ""
            self.fields[f"{name}_{one}"] = made
            self.initial[f"{name}_{one}"] = both.get(one) or ""

    def _in(self, name: str, one: Language) -> Any:
        label = label_of(self.asking.operation, self._named(name))
        return lambda reader: f"{label} · {language_name(one)}"

    @property
    def gone(self) -> bool:
        """Return whether it is ticked away, or says nothing."""
        return self.optional and (bool(self.data.get(self.add_prefix("gone"))) or not self.has_changed())

    @cached_property
    def changed_data(self) -> list[str]:
        """Return the fields that differ from the defaults of the model."""
        asked = [(name, self[name]) for name in self.fields if name != "gone"]
        return [
            name
            for name, bound in asked
            if bound.field.has_changed(bound.field.prepare_value(bound.field.initial), bound.data)
        ]

    def has_changed(self) -> bool:
        return super().has_changed() or any(part.has_changed() and not part.gone for part in self._inside())

    def is_valid(self) -> bool:
        inside = [part.is_valid() for part in self._inside() if not part.gone]
        return super().is_valid() and all(inside)

    def said(self) -> dict[str, Any]:
        """Return the part as it is spelled."""
        given = {name: value for name, value in self.cleaned_data.items() if value not in (None, "", [], {})}
        both = {name: {one: given.pop(f"{name}_{one}", "") for one in LANGUAGES} for name in self.localized}
        given |= {name: {one: said for one, said in each.items() if said} for name, each in both.items()}
        given.pop("gone", None)
        left = {name: value for name, value in self.before.items() if self._named(name) in self.asking.left}
        parts = {name: part.said() for name, part in self.parts.items() if not part.gone}
        rows = {name: [row.said() for row in rows.kept] for name, rows in self.rows.items()}
        return {**left, **{name: value for name, value in given.items() if value != {}}, **parts, **rows}

    def at(self, steps: Sequence[str]) -> tuple[DocumentPart, str | None]:
        """Return the form and the field that a path leads to, as far as there is one."""
        name, rest = (steps[0], steps[1:]) if steps else ("", ())
        if name in self.parts:
            return self.parts[name].at(rest)
        if name in self.rows and rest:
            return self.rows[name].kept[int(rest[0])].at(rest[1:])
        if name in self.localized:
            return self, f"{name}_{language()}"
        return self, name if name in self.fields else None

    @property
    def fits(self) -> bool:
        """Return whether every row is shown."""
        return all(len(rows.rows) <= MOST_ROWS for rows in self.rows.values()) and all(p.fits for p in self._inside())

    @property
    def _sent(self) -> QueryDict | None:
        return self.data if self.is_bound else None  # type: ignore[return-value]

    def _named(self, name: str) -> str:
        return f"{self.place}.{name}" if self.place else name

    def _inside(self) -> Iterator[DocumentPart]:
        yield from self.parts.values()
        for rows in self.rows.values():
            yield from rows.rows


class Rows:
    """A list of parts: those that are known, and at least one to be filled in."""

    def __init__(
        self, asking: Asking, model: Model, known: Sequence[Any], data: QueryDict | None, prefix: str, place: str
    ) -> None:
        self.label, self.help = (label_of(asking.operation, place, part) for part in ("", "help"))
        self.prefix, self.counted = prefix, f"{prefix}-rows"
        count = len(known) + 1
        if data is not None:
            sent = data.get(self.counted, "")
            count = min(int(sent) if sent.isdecimal() else count, MOST_ROWS) + (data.get(ADD) == prefix)
        self.rows = [
            DocumentPart(asking, model, row, data, prefix=f"{prefix}-{number}", place=place, optional=True)
            for number, row in enumerate([*known, *[{}] * count][:count])
        ]
        for row in self.rows[: len(known)]:
            row.fields["gone"] = forms.BooleanField(label=t("planning.row.gone"), required=False)

    @property
    def kept(self) -> list[DocumentPart]:
        """Return the rows that say something."""
        return [row for row in self.rows if not row.gone]


class Spelled(forms.Form):
    """A document as YAML, for experts; it counts where it was edited."""

    yaml = forms.CharField(
        **asked("studio.yaml", "studio.yaml_help"),
        widget=forms.Textarea(attrs={"rows": 24, "class": "code", "spellcheck": "false", "wrap": "off"}),
        max_length=MAXIMUM_BYTES,
        required=False,
    )
    shown = forms.CharField(widget=forms.HiddenInput, max_length=80, required=False)

    def __init__(self, model: Model, before: str, data: QueryDict | None) -> None:
        self.now = _digest(before)
        super().__init__(data, initial={"yaml": before, "shown": self.now})
        self.model = model

    @property
    def edited(self) -> bool:
        """Return whether it is other than the page showed it."""
        sent = self.data.get("yaml", "")
        return bool(sent.strip()) and _digest(sent) != (self.data.get("shown") or self.now)

    @property
    def is_late(self) -> bool:
        """Return whether somebody else has changed the document since the page was shown."""
        return str(self.data.get("shown", self.now)) != self.now

    def said(self) -> Any:
        """Return the document; raises `InputError` with the lines of its problems."""
        source = parse_yaml(self.cleaned_data["yaml"].encode(), _FILE)
        if "document" in self.model.model_fields:
            return build_document(self.model, source)  # type: ignore[type-var]
        return parse_request(self.model, source.value)


class Editor:
    """A document on a page: its fields, and the same as YAML, of which one is taken.

    ``before``: the document as JSON, or what a new one begins with; ``spelled``: its YAML.
    """

    def __init__(
        self, asking: Asking, model: Model, before: Mapping[str, Any], spelled: str, data: QueryDict | None
    ) -> None:
        self.asking = asking
        self.form, self.spelled = DocumentPart(asking, model, before, data), Spelled(model, spelled, data)

    @property
    def offered(self) -> Iterable[tuple[str, Choices]]:
        """Return the values that are offered for each field."""
        return self.asking.choices.items()

    @property
    def unfolded(self) -> bool:
        """Return whether the YAML is shown at once."""
        return self.spelled.edited or not self.form.fits

    def is_valid(self) -> bool:
        """Return whether the document can be read from what was sent."""
        if ADD in self.form.data:
            return False
        sent = self.spelled if self.spelled.edited else self.form
        if sent.is_valid() and self.spelled.is_late:
            sent.add_error(None, t("studio.changed_meanwhile"))
        return sent.is_valid()

    def said(self) -> Any:
        """Return what was sent; raises `InputError`."""
        return self.spelled.said() if self.spelled.edited else self.form.said()

    def refuse(self, error: PilotbaseError) -> None:
        """Show every problem of ``error`` at the field that it is about."""
        error = of_fields(error, self.asking.inside or self.asking.operation.whole)
        if self.spelled.edited or not isinstance(error, InputError) or not error.issues:
            add_errors(self.spelled if self.spelled.edited else self.form, error)
            return
        for issue in error.issues:
            part, name = self.form.at(re.findall(r"[^.\[\]]+", issue.path))
            part.add_error(name, issue.say(language(), make_visible))


def _digest(spelled: str) -> str:
    return digest_bytes("\n".join(spelled.split()).encode())


def _models_in(annotation: Any) -> list[Model]:
    """Return the parts that a field holds; empty: it holds plain values."""
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return [] if issubclass(annotation, pydantic.RootModel) else [annotation]
    return [one for inner in get_args(annotation) for one in _models_in(inner)]
