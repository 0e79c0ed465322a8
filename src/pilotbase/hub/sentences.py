"""Sentences rendered when a page is, for places where Django wants a string early: labels of forms and their areas."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.utils.functional import lazy

from pilotbase.documents.catalogues import catalogue
from pilotbase.documents.texts import Language, make_visible, text
from pilotbase.hub.acting import language

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


def t(code: str) -> _StrPromise:
    """Return the sentence of ``code``, rendered in the language of the request that shows it."""
    return cast("_StrPromise", _render(code))


def asked(label: str, help_text: str) -> dict[str, Any]:
    """Return what a field is called and the help beside it, by their codes, as a field takes them."""
    return {"label": t(label), "help_text": t(help_text)}


def area(label: object, help_text: object = "", rows: int = 3, **options: Any) -> forms.CharField:
    """Return a field of several lines."""
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=label, help_text=help_text, widget=widget, **options)  # type: ignore[arg-type]


def later(say: Callable[[Language], str]) -> _StrPromise:
    """Return what ``say`` says in the language of the request that shows it."""
    return cast("_StrPromise", _said(say))


def approval_kind(kind: str) -> str:
    """Return the name of a kind of approval; owners may use kinds of their own, which stand as they are."""
    return _named(f"hub.approval.{kind}", kind)


def language_name(of: str) -> str:
    """Return the name of a language by its code; one whose name is not known stands as it is."""
    return _named(f"hub.language.{of}", of)


def _named(code: str, otherwise: str) -> str:
    return text(code).render(language()) if code in catalogue("hub", language()) else make_visible(otherwise)


def _sentence(code: str) -> str:
    return text(code).render(language())


def _in_language(say: Callable[[Language], str]) -> str:
    return say(language())


_render = lazy(_sentence, str)
_said = lazy(_in_language, str)
