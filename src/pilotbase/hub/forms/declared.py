"""Operations on pages: a form with one field per input, checked by the operation's own model, or a button."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

import pydantic
from django import forms
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.text import format_lazy

from pilotbase.documents.base import IS_DAY, LONGEST_NAME, NAME_PATTERN, slug
from pilotbase.documents.errors import InputError, InvalidProofError, PilotbaseError, RefusedError
from pilotbase.documents.estimate import IN_HUNDREDTHS, format_plain, read_money
from pilotbase.documents.loading import parse_request
from pilotbase.documents.quantities import IS_DURATION, format_duration, read_duration
from pilotbase.documents.texts import make_visible, text
from pilotbase.hub.acting import HubRequest, caller, language
from pilotbase.hub.presenters.addresses import address_of
from pilotbase.hub.routing import MEMBERS, POST
from pilotbase.hub.routing import page as page_at
from pilotbase.hub.sentences import asked, later, t
from pilotbase.operations.operation import Operation, Out
from pilotbase.worker.operations.binding import Here
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.store import View

AGAINST = (InputError, InvalidProofError, RefusedError, ConflictError)
"""Errors that a page shows next to the person's input."""
_LONG = 400
Choices = Sequence[tuple[str, Any]]
"""Values, each with its name."""


def do(operation: Operation[Any, Out], view: View, said: Mapping[str, Any], seen: str | None = None) -> Out:
    """Call an operation for a page and return its result.

    Raises as the operation, and `InputError` for what does not fit it.
    """
    wanted = parse_request(operation.takes, said)
    return Here(replace(caller(view), address_of=address_of)).call(operation, wanted, seen)


class ShortNameField(forms.RegexField):
    """The name of a new record in addresses; left empty, `derive_name` makes it of a title."""

    def __init__(self) -> None:
        words = asked("hub.field_short_name", "hub.help_short_name")
        wrong = {"invalid": t("hub.no_short_name")}
        super().__init__(NAME_PATTERN, **words, error_messages=wrong, max_length=LONGEST_NAME, required=False)


def derive_name(form: forms.Form, given: dict[str, Any], *titles: str | None) -> None:
    """Make a short name that was left empty of the first title; the form says so where that gives none."""
    if not given.get("name") and "name" not in form.errors:
        given["name"] = slug(next(filter(None, titles), ""))
        if not given["name"]:
            form.add_error("name", t("hub.no_short_name"))


class OperationForm(forms.Form):
    """A person's input to an operation; ``given`` is what the page already knows."""

    operation: Operation[Any, Any]
    found: Any = None
    """The result of the operation."""

    def __init__(
        self,
        posted: QueryDict | None = None,
        *,
        given: Mapping[str, Any] | None = None,
        choices: Mapping[str, Choices] | None = None,
        initial: Mapping[str, Any] | None = None,
        files: Any = None,
    ) -> None:
        super().__init__(posted, files, initial=initial)  # type: ignore[arg-type]
        self._given = given or {}
        if "seen" in self.initial:
            self.fields["seen"] = forms.CharField(widget=forms.HiddenInput, max_length=71)
        offer(self, choices or {})

    def done(self, view: View) -> bool:
        """Call the operation and return whether it succeeded; the form shows refusals. Raises `NotFoundError`."""
        if not self.is_valid():
            return False
        said, whole, in_path = self.said(view), self.operation.whole, self.operation.in_path
        seen = said.pop("seen", None)
        place = {name: value for name, value in self._given.items() if name in in_path}
        said = {name: value for name, value in self._given.items() if name not in in_path} | said
        said = {**place, **({whole: said} if whole else said)}
        try:
            self.found = do(self.operation, view, said, seen)
        except AGAINST as error:
            if isinstance(error, NotFoundError):
                raise
            add_errors(self, of_fields(error, whole))
        return self.is_valid()

    def said(self, view: View) -> dict[str, Any]:
        """Return what was filled in, by the fields of the operation; ``seen``: the version that was looked at."""
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}


def offer(form: forms.Form, choices: Mapping[str, Choices]) -> None:
    """Let each of some fields be chosen from what there is now; for yes or no nothing is chosen beforehand."""
    for name, offered in choices.items():
        old = form.fields[name]
        words: dict[str, Any] = {"label": old.label, "help_text": old.help_text, "required": old.required}
        if isinstance(old, forms.BooleanField):
            words |= {"required": True, "widget": forms.RadioSelect}
        kind = int if isinstance(old, forms.IntegerField) else str
        form.fields[name] = forms.TypedChoiceField(choices=offered, coerce=kind, **words)


def form_of(
    operation: Operation[Any, Any],
    *asks: str,
    words: Mapping[str, str] | None = None,
    base: type[OperationForm] = OperationForm,
) -> type[Any]:
    """Return the form of ``operation`` with the fields `fields_of` returns, besides those of ``base``."""
    return type("Form", (base,), {"operation": operation, **fields_of(operation, *asks, words=words)})


def fields_of(
    operation: Operation[Any, Any], *asks: str, words: Mapping[str, str] | None = None
) -> dict[str, forms.Field]:
    """Return the fields ``asks`` of an operation's input, or all that are not in its address.

    ``words``: a field of choices → the prefix of their texts, if it is not a vocabulary.
    """
    model = operation.takes.model_fields[operation.whole].annotation if operation.whole else operation.takes
    fields = cast("type[pydantic.BaseModel]", model).model_fields
    wanted = asks or (tuple(fields) if operation.whole else operation.others)
    return {name: field_of(operation, name, fields[name], (words or {}).get(name, "")) for name in wanted}


def post_of(
    address: str,
    name: str,
    operation: Operation[Any, Any],
    page: str,
    /,
    *,
    back: Sequence[str] = ("name",),
    **fields: str,
) -> None:
    """Let a POST to ``address`` call ``operation`` and redirect to ``page``, which shows any refusal.

    ``back``: the parts of the address that the page shares; ``fields``: a field of the operation → its part of the
    address. Callers who may never call it get 404.
    """

    @page_at(address, name, operation.who or MEMBERS, POST)
    def view(request: HubRequest, /, **where: Any) -> HttpResponse:
        said = {name: request.POST[name] for name in operation.takes.model_fields if request.POST.get(name)}
        try:
            do(operation, request.acting.view, {**said, **{name: where[part] for name, part in fields.items()}})
        except AGAINST as error:
            if isinstance(error, NotFoundError):
                raise
            messages.error(request, error.render(language(), make_visible))
        else:
            tell(request, operation)
        return redirect(reverse(page, kwargs={part: where[part] for part in back}))


def form_post(
    address: str,
    name: str,
    form: type[OperationForm],
    page: tuple[Callable[..., HttpResponse], str],
    back: str,
    /,
    **fields: str,
) -> None:
    """Let a POST to ``address`` do what ``form`` asks and redirect to the page ``back``; else ``page`` shows it again.

    ``page``: the function of the page, and what that calls the form; ``back`` may name a place of its page, such as
    ``watch#replay``; ``fields`` and who gets 404: as `post_of`.
    """
    (show, shown_as), (to, _, mark) = page, back.partition("#")

    @page_at(address, name, form.operation.who or MEMBERS, POST)
    def view(request: HubRequest, /, **where: Any) -> HttpResponse:
        asked = form(request.POST, given={field: where[part] for field, part in fields.items()})
        if asked.done(request.acting.view):
            tell(request, form.operation)
            return redirect(f"{reverse(to, kwargs=where)}{mark and '#'}{mark}")
        return show(request, **where, **{shown_as: asked})


def tell(request: HubRequest, operation: Operation[Any, Any]) -> None:
    """Say on the next page that it was done."""
    if said := operation.said(language()):
        messages.success(request, text("hub.did", what=said).render(language(), make_visible))


@contextmanager
def refusals_in(form: forms.Form) -> Iterator[None]:
    """Show in ``form`` why what the block does was refused, and go on behind the block."""
    try:
        yield
    except AGAINST as error:
        add_errors(form, error)


def add_errors(form: forms.Form, error: PilotbaseError) -> None:
    """Add every problem of ``error`` to ``form``: to the field that it is about, else to the whole form."""
    reader = language()
    issues = error.issues if isinstance(error, InputError) else ()
    if not issues:
        form.add_error(None, error.render(reader, make_visible).splitlines())
    for issue in issues:
        problem = issue.say(reader, make_visible)
        if issue.path in form.fields:
            form.add_error(issue.path, problem)
        else:
            line = text("hub.line", line=issue.line).render(reader) if issue.line else ""
            place = " ".join(filter(None, (line, make_visible(issue.path))))
            form.add_error(None, f"{place}: {problem}" if place else problem)


def label_of(operation: Operation[Any, Any], name: str, part: str = "") -> Any:
    """Return the label of a field, or its help, in the language of the request; ``name``: with its place in parts."""
    last = name.rpartition(".")[2]
    return later(lambda reader: operation.called(name, reader, part) or operation.called(last, reader, part))


def pairs_of(said: str) -> dict[str, str]:
    """Return name → value of lines such as ``inlet = kPa``."""
    found = (line.partition("=") for line in said.splitlines() if line.strip())
    return {name.strip(): value.strip() for name, _, value in found}


def bound_of(marks: Sequence[Any], name: str) -> Any:
    """Return the bound ``name`` (such as ``ge``) among the marks of a field, or None."""
    return next((found for one in marks if (found := getattr(one, name, None)) is not None), None)


def of_fields(error: PilotbaseError, whole: str | None) -> PilotbaseError:
    """Return ``error`` with the form's names of its places: for a whole document, its own fields."""
    if not isinstance(error, InputError) or whole is None:
        return error
    issues = [one.model_copy(update={"path": one.path.removeprefix(f"{whole}.")}) for one in error.issues]
    return InputError.from_issues("", issues) if issues else error


def field_of(operation: Operation[Any, Any], name: str, info: pydantic.fields.FieldInfo, words: str) -> forms.Field:
    """Return the field that asks for a value; ``name``: where it stands, ``words``: the prefix of its choices."""
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    default = getattr(default, "root", default)
    told: dict[str, Any] = {
        "label": label_of(operation, name),
        "help_text": label_of(operation, name, "help"),
        "required": info.is_required() or default not in (None, "", (), frozenset(), {}),
        "initial": sorted(default) if isinstance(default, frozenset) else default,
    }
    if IS_DURATION in info.metadata or (name.endswith("_seconds") and info.annotation is int):
        least, most = (int(bound_of(info.metadata, bound) or 0) for bound in ("ge", "le"))
        return _DurationField(least=least, most=most, **told)
    return _made(info.annotation, info.metadata, told, words)


def _made(annotation: Any, marks: Sequence[Any], told: dict[str, Any], words: str) -> forms.Field:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        more = [each for one in inner[1:] for each in getattr(one, "metadata", [one])]
        return _made(inner[0], [*marks, *more], told, words)
    if origin in (Union, types.UnionType):
        plain = [one for one in inner if one is not type(None)]
        if plain == [bool]:
            return forms.NullBooleanField(**told)
        return _made(str if str in plain else plain[0], marks, told, words)
    if origin in (tuple, list, frozenset):
        return _several(inner[0], told, words)
    if origin in (dict, Mapping) or (isinstance(annotation, type) and issubclass(annotation, pydantic.RootModel)):
        told |= {"help_text": _followed_by(told, "ask.a_name_and_value_a_line"), "initial": None}
        return _Pairs(max_length=20_000, widget=forms.Textarea(attrs={"rows": 3}), **told)
    if origin is Literal or (isinstance(annotation, type) and issubclass(annotation, Enum)):
        return forms.ChoiceField(choices=_choices(annotation, words), **told)
    if annotation is datetime:
        return _MomentField(**told)
    if annotation is bool:
        return forms.BooleanField(**{**told, "required": False})
    return _plain(annotation, marks, told)


def _several(kind: Any, told: dict[str, Any], words: str) -> forms.Field:
    if get_origin(kind) is Literal or (isinstance(kind, type) and issubclass(kind, Enum)):
        return forms.MultipleChoiceField(choices=_choices(kind, words), widget=forms.CheckboxSelectMultiple, **told)
    told["help_text"] = _followed_by(told, "ask.one_a_line")
    return _Lines(max_length=50_000, widget=forms.Textarea(attrs={"rows": 4}), **told)


def _followed_by(told: Mapping[str, Any], code: str) -> Any:
    return format_lazy("{} {}", told["help_text"], t(code))


def _plain(annotation: Any, marks: Sequence[Any], told: dict[str, Any]) -> forms.Field:
    if IS_DAY in marks:
        return DayField(**told)
    if IN_HUNDREDTHS in marks:
        return _HundredthsField(max_length=20, **told)
    bounds = {name: bound_of(marks, name) for name in ("ge", "le", "max_length")}
    if annotation in (int, float):
        number = forms.IntegerField if annotation is int else forms.FloatField
        return number(min_value=bounds["ge"], max_value=bounds["le"], **told)
    area = forms.Textarea(attrs={"rows": 4}) if (bounds["max_length"] or 0) > _LONG else forms.TextInput()
    return forms.CharField(widget=area, max_length=bounds["max_length"], **told)


def _choices(kind: Any, words: str) -> list[tuple[str, Any]]:
    values: Sequence[Any] = get_args(kind) or list(kind)
    prefix = words or f"{kind.domain}."
    return [(str(value), t(f"{prefix}{value}")) for value in values]


class DayField(forms.DateField):
    """A day; cleaned it is spelled as documents spell it, or empty."""

    def __init__(self, **told: Any) -> None:
        super().__init__(widget=forms.DateInput(attrs={"type": "date"}), **told)

    def clean(self, value: object) -> str:
        day = super().clean(value)
        return day.isoformat() if day is not None else ""


class _DurationField(forms.CharField):
    """A length of time of ``least`` to ``most`` seconds, spelled with its unit; cleaned it is a number of seconds."""

    def __init__(self, *, least: int, most: int, **told: Any) -> None:
        super().__init__(max_length=40, **told)
        self.least, self.most = least, most

    def prepare_value(self, value: Any) -> Any:
        return format_duration(int(value)) if isinstance(value, int | float) else value

    def clean(self, value: object) -> int:
        """Return the seconds; raises `ValidationError`: no length of time, or out of bounds."""
        seconds = read_duration(super().clean(value))
        if seconds is None:
            raise forms.ValidationError(t("watching.no_duration"))
        if not self.least <= seconds <= self.most:
            bounds = {"least": format_duration(self.least), "most": format_duration(self.most)}
            raise forms.ValidationError(text("watching.duration_bounds", **bounds).render(language()))
        return seconds


class _MomentField(forms.CharField):
    """A moment in UTC; cleaned it is spelled as documents spell it, or empty."""

    def __init__(self, **told: Any) -> None:
        super().__init__(max_length=30, widget=forms.DateTimeInput(attrs={"type": "datetime-local"}), **told)

    def prepare_value(self, value: Any) -> Any:
        return value.removesuffix("Z") if isinstance(value, str) else value

    def clean(self, value: object) -> str:
        moment = super().clean(value)
        return moment and f"{moment}Z"


class _HundredthsField(forms.CharField):
    """An amount with at most two decimals; cleaned it is a whole number of hundredths, or empty."""

    def prepare_value(self, value: Any) -> Any:
        return format_plain(value) if isinstance(value, int) else value

    def clean(self, value: object) -> Any:
        """Return the hundredths; raises `ValidationError`: no amount."""
        written = super().clean(value)
        try:
            return read_money(written) if written else ""
        except InputError as error:
            raise forms.ValidationError(error.render(language(), make_visible).splitlines()) from None


class _Pairs(forms.CharField):
    """Names with a value each, one a line: ``cpu = 8``."""

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(f"{name} = {one}" for name, one in value.items()) if isinstance(value, Mapping) else value

    def clean(self, value: object) -> dict[str, str]:
        return pairs_of(super().clean(value))


class _Lines(forms.CharField):
    """Several values, one per line."""

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, tuple | list) else value

    def clean(self, value: object) -> list[str]:
        return [line.strip() for line in str(super().clean(value)).splitlines() if line.strip()]
