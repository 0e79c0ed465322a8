"""Operations on pages: a form with one field per input, checked by the operation's own model, or a button."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

import pydantic
from django import forms
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.text import format_lazy
from django.views.decorators.http import require_POST

from pilotbase.documents.errors import InputError, InvalidProofError, PilotbaseError, RefusedError
from pilotbase.documents.loading import parse_request
from pilotbase.documents.permissions import ReadScope
from pilotbase.documents.texts import text
from pilotbase.documents.visible_text import make_visible
from pilotbase.hub.acting import HubRequest, caller, language
from pilotbase.hub.guards import for_act, for_reading, member_only
from pilotbase.hub.presenters.addresses import address_of
from pilotbase.hub.sentences import later, t
from pilotbase.operations.operation import Operation, Out
from pilotbase.worker.bound.binding import Here
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.store import View

AGAINST = (InputError, InvalidProofError, RefusedError, ConflictError)
"""Errors that a page shows next to the person's input."""
_LONG = 400
Choices = Sequence[tuple[str, str]]


def do(operation: Operation[Any, Out], view: View, said: Mapping[str, Any], seen: str | None = None) -> Out:
    """Call an operation for a page and return its result.

    Raises as the operation, and `InputError` for what does not fit it.
    """
    wanted = parse_request(operation.takes, said)
    return Here(replace(caller(view), address_of=address_of)).call(operation, wanted, seen)


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
    ) -> None:
        super().__init__(posted, initial=initial)  # type: ignore[arg-type]
        self._given = given or {}
        if self.operation.marked:
            self.fields["seen"] = forms.CharField(widget=forms.HiddenInput, max_length=71)
        for name, offered in (choices or {}).items():
            old = self.fields[name]
            words = {"label": old.label, "help_text": old.help_text, "required": old.required}
            kind = int if isinstance(old, forms.IntegerField) else str
            self.fields[name] = forms.TypedChoiceField(choices=offered, coerce=kind, **words)  # type: ignore[arg-type]

    def done(self, view: View) -> bool:
        """Call the operation and return whether it succeeded; the form shows refusals. Raises `NotFoundError`."""
        if not self.is_valid():
            return False
        said = {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}
        seen, whole = said.pop("seen", None), self.operation.whole
        try:
            self.found = do(self.operation, view, {**self._given, **({whole: said} if whole else said)}, seen)
        except AGAINST as error:
            if isinstance(error, NotFoundError):
                raise
            add_errors(self, _of_fields(error, whole))
        return self.is_valid()


def form_of(operation: Operation[Any, Any], *asks: str, words: Mapping[str, str] | None = None) -> type[OperationForm]:
    """Return the form of ``operation`` with the fields ``asks``, or with all fields that are not in its address.

    ``words``: a field of choices → the prefix of their texts, if it is not a vocabulary.
    """
    model = operation.takes.model_fields[operation.whole].annotation if operation.whole else operation.takes
    fields = cast("type[pydantic.BaseModel]", model).model_fields
    wanted = asks or (tuple(fields) if operation.whole else operation.others)
    made = {name: _field(operation, name, fields[name], (words or {}).get(name, "")) for name in wanted}
    return type("Form", (OperationForm,), {"operation": operation, **made})


def post_of(operation: Operation[Any, Any], page: str, back: Sequence[str] = ("name",), **fields: str) -> Any:
    """Return the view that calls ``operation`` and redirects to ``page``, which shows any refusal.

    ``back``: the parts of the address that the page shares; ``fields``: a field of the operation → its part of the
    address. Callers who may never call it get 404.
    """

    def view(request: HubRequest, **where: Any) -> HttpResponse:
        said = {name: request.POST[name] for name in operation.takes.model_fields if request.POST.get(name)}
        try:
            do(operation, request.acting.view, {**said, **{name: where[part] for name, part in fields.items()}})
        except AGAINST as error:
            if isinstance(error, NotFoundError):
                raise
            messages.error(request, error.render(language(), make_visible))
        return redirect(reverse(page, kwargs={part: where[part] for part in back}))

    who = operation.who
    guard: Callable[[Any], Any] = (
        member_only if who is None else for_reading(who) if isinstance(who, ReadScope) else for_act(who)
    )
    return require_POST(guard(view))


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
    """Return the label of a field, or its help, in the language of the request."""
    return later(lambda reader: operation.called(name, reader, part))


def bound_of(marks: Sequence[Any], name: str) -> Any:
    """Return the bound ``name`` (such as ``ge``) among the marks of a field, or None."""
    return next((found for one in marks if (found := getattr(one, name, None)) is not None), None)


def _of_fields(error: PilotbaseError, whole: str | None) -> PilotbaseError:
    """Return ``error`` with the form's names of its places: for a whole document, its own fields."""
    if not isinstance(error, InputError) or whole is None:
        return error
    issues = [one.model_copy(update={"path": one.path.removeprefix(f"{whole}.")}) for one in error.issues]
    return InputError.from_issues("", issues) if issues else error


def _field(operation: Operation[Any, Any], name: str, info: pydantic.fields.FieldInfo, words: str) -> forms.Field:
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    told: dict[str, Any] = {
        "label": label_of(operation, name),
        "help_text": label_of(operation, name, "help"),
        "required": info.is_required() or default not in (None, ""),
        "initial": sorted(default) if isinstance(default, frozenset) else default,
    }
    return _made(info.annotation, info.metadata, told, words)


def _made(annotation: Any, marks: Sequence[Any], told: dict[str, Any], words: str) -> forms.Field:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _made(inner[0], [*marks, *inner[1:]], told, words)
    if origin in (Union, types.UnionType):
        plain = [one for one in inner if one is not type(None)]
        return _made(str if str in plain else plain[0], marks, told, words)
    if origin is tuple:
        told["help_text"] = format_lazy("{} {}", told["help_text"], t("ask.one_a_line"))
        return _Lines(max_length=50_000, widget=forms.Textarea(attrs={"rows": 4}), **told)
    if origin is frozenset:
        return forms.MultipleChoiceField(choices=_choices(inner[0], words), widget=forms.CheckboxSelectMultiple, **told)
    if origin is Literal or (isinstance(annotation, type) and issubclass(annotation, Enum)):
        return forms.ChoiceField(choices=_choices(annotation, words), **told)
    if annotation is bool:
        return forms.BooleanField(**{**told, "required": False})
    bounds = {name: bound_of(marks, name) for name in ("ge", "le", "max_length")}
    if annotation in (int, float):
        number = forms.IntegerField if annotation is int else forms.FloatField
        return number(min_value=bounds["ge"], max_value=bounds["le"], **told)
    area = forms.Textarea(attrs={"rows": 4}) if (bounds["max_length"] or 0) > _LONG else forms.TextInput()
    return forms.CharField(widget=area, max_length=bounds["max_length"], **told)


def _choices(kind: Any, words: str) -> list[tuple[str, Any]]:
    values: Sequence[Any] = get_args(kind) or list(kind)
    return [(str(value), t(f"{words or kind.domain}.{value}")) for value in values]


class _Lines(forms.CharField):
    """Several values, one per line."""

    def clean(self, value: object) -> list[str]:
        return [line.strip() for line in str(super().clean(value)).splitlines() if line.strip()]
