"""Forms about people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.contrib.auth.password_validation import validate_password

from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.acting import language, roles_of
from pilotbase.hub.models import Person
from pilotbase.hub.sentences import t


def role_choices(roles: Iterable[Role] = Role) -> list[tuple[str, str]]:
    """Return ``roles`` with their names in the reader's language."""
    return [(role.value, text(f"role.{role}").render(language())) for role in Role if role in set(roles)]


class InvitationForm(forms.Form):
    """Whom an operator invites, and as what."""

    email = forms.EmailField(label=t("hub.field_email"), help_text=t("hub.help_invited_email"), max_length=254)
    roles = forms.MultipleChoiceField(
        label=t("hub.field_roles"),
        help_text=t("hub.help_invited_roles"),
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, organisation: str, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        held = roles_of(organisation)
        roles = cast(forms.MultipleChoiceField, self.fields["roles"])
        roles.choices = role_choices(held)
        if len(held) == 1:
            self.initial.setdefault("roles", [role.value for role in held])


class JoinForm(forms.Form):
    """What an invited person tells."""

    name = forms.CharField(
        label=t("hub.field_name"),
        help_text=t("hub.help_name"),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        max_length=120,
    )
    password = forms.CharField(
        label=t("hub.field_password"),
        help_text=t("hub.help_password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        max_length=1000,
    )

    def __init__(self, *arguments: Any, email: str, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._email = email

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, Person(email=self._email, name=self.cleaned_data.get("name", "")))
        return password


class TokenForm(forms.Form):
    """A new API token."""

    label = forms.CharField(label=t("hub.field_token_label"), help_text=t("hub.help_token_label"), max_length=80)
    scope = forms.ChoiceField(
        label=t("hub.field_scope"),
        help_text=t("hub.help_token_scope"),
        choices=[("read", t("hub.scope_read")), ("write", t("hub.scope_write"))],
    )
    days = forms.IntegerField(
        label=t("hub.field_days"), help_text=t("hub.help_token_days"), min_value=1, max_value=365, initial=90
    )
