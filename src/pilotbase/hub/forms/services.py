"""The forms of a service: put into service, move, key, budget."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms

from pilotbase.documents.api.services import MOST_BOUND, NewBudget, NewKey, ServiceMove
from pilotbase.documents.base import NAME_PATTERN
from pilotbase.documents.service import ServiceTerms
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import Scope
from pilotbase.hub.acting import language
from pilotbase.hub.forms.bounds import bounds_of
from pilotbase.hub.sentences import t


def _words(prefix: str, values: Iterable[str]) -> list[tuple[str, str]]:
    return [(value, Text(code=f"{prefix}.{value}").render(language())) for value in values]


class ServiceForm(forms.Form):
    """Under which name a certified application serves."""

    name = forms.RegexField(NAME_PATTERN, label=t("service.name"), help_text=t("service.name_help"), max_length=63)
    title = forms.CharField(label=t("service.title"), required=False, max_length=200)


class TermsForm(forms.Form):
    """The terms of a service: one field for each of the document, with its bounds."""

    def __init__(self, *given: object, **options: object) -> None:
        super().__init__(*given, **options)  # type: ignore[arg-type]
        for name, field in ServiceTerms.model_fields.items():
            words = {"label": t(f"service.term.{name}"), "help_text": t(f"service.term.{name}_help")}
            if field.annotation is bool:
                self.fields[name] = forms.BooleanField(required=False, **words)  # type: ignore[arg-type]
                continue
            kind = forms.FloatField if field.annotation is float else forms.IntegerField
            self.fields[name] = kind(**bounds_of(ServiceTerms, name), **words)  # type: ignore[arg-type]

    @classmethod
    def told(cls, terms: ServiceTerms) -> list[tuple[object, object]]:
        """Return terms as they stand in the form: what each is called, and its value."""
        said = terms.model_dump() | {"ask_human": t("service.asks_human" if terms.ask_human else "service.asks_nobody")}
        return [(t(f"service.term.{name}"), value) for name, value in said.items()]

    def wanted(self) -> ServiceTerms:
        """Return what was asked for."""
        return ServiceTerms(**self.cleaned_data)


class MoveForm(forms.Form):
    """How a service is moved, and why."""

    move = forms.ChoiceField(label=t("service.what"))
    reason = forms.CharField(
        label=t("service.why"),
        widget=forms.Textarea(attrs={"rows": 2}),
        max_length=2000,
        help_text=t("service.why_help"),
    )

    def __init__(self, *given: object, **options: object) -> None:
        super().__init__(*given, **options)  # type: ignore[arg-type]
        self.fields["move"].choices = _words("service.move", ServiceMove)  # type: ignore[attr-defined]

    def wanted(self) -> tuple[ServiceMove, str]:
        """Return what is to be done, and why."""
        return ServiceMove(self.cleaned_data["move"]), self.cleaned_data["reason"]


class KeyForm(forms.Form):
    """On which terms a key is made."""

    title = forms.CharField(label=t("service.key_title"), help_text=t("service.key_title_help"), max_length=200)
    scopes = forms.MultipleChoiceField(
        label=t("service.scopes"), widget=forms.CheckboxSelectMultiple, initial=[Scope.INFER.value]
    )
    budget = forms.ChoiceField(label=t("service.budget"), required=False)
    days = forms.IntegerField(label=t("service.days"), initial=90, min_value=1, max_value=730)

    def __init__(self, budgets: Iterable[str], *given: object, **options: object) -> None:
        super().__init__(*given, **options)  # type: ignore[arg-type]
        self.fields["scopes"].choices = _words("scope", Scope)  # type: ignore[attr-defined]
        self.fields["budget"].choices = [("", "–"), *((name, name) for name in budgets)]  # type: ignore[attr-defined]

    def wanted(self) -> NewKey:
        """Return what was asked for."""
        return NewKey(**{**self.cleaned_data, "budget": self.cleaned_data["budget"] or None})


class BudgetForm(forms.Form):
    """How much may be used in each period."""

    name = forms.RegexField(NAME_PATTERN, label=t("service.budget_name"), initial="main", max_length=63)
    period = forms.ChoiceField(label=t("service.period"))
    calls = forms.IntegerField(label=t("service.most_calls"), required=False, min_value=0, max_value=MOST_BOUND)
    tokens = forms.IntegerField(label=t("service.most_tokens"), required=False, min_value=0, max_value=MOST_BOUND)

    def __init__(self, *given: object, **options: object) -> None:
        super().__init__(*given, **options)  # type: ignore[arg-type]
        self.fields["period"].choices = _words("service.period", ("month", "total"))  # type: ignore[attr-defined]

    def wanted(self) -> tuple[str, NewBudget]:
        """Return the budget's name and its bounds."""
        bounds = {name: self.cleaned_data[name] for name in ("period", "calls", "tokens")}
        return self.cleaned_data["name"], NewBudget(**bounds)
