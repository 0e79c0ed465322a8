"""How logins fit this hub: no sign-up without invitation, long passwords, second factors encrypted."""

from __future__ import annotations

import base64
import hashlib
import re
from itertools import pairwise
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter  # type: ignore[import-untyped]
from allauth.mfa.adapter import DefaultMFAAdapter  # type: ignore[import-untyped]
from allauth.mfa.models import Authenticator  # type: ignore[import-untyped]
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter  # type: ignore[import-untyped]
from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib.auth.password_validation import MinimumLengthValidator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse

from pilotbase.documents.texts import text
from pilotbase.hub.acting import language
from pilotbase.hub.base import operator_view
from pilotbase.hub.models import Person
from pilotbase.hub.people.joining import domain_of, join_by_domain

_LEAST_CHARACTERS = 5
_MOST_NEIGHBOURS = 0.6
"""Such a share of the steps between characters may lead to a neighbour or nowhere, as in ``1234`` or ``aaaa``."""


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc] # allauth is untyped
    """Accounts come from invitations; links in mails begin with the hub's own address, whatever a request says."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        identity, _, secret = key.partition("-")
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": identity, "key": secret})
        return f"{settings.CONFIGURATION.url}{path}"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        address = settings.CONFIGURATION.url
        super().send_mail(template_prefix, email, {**context, "hub_url": address})


class IdentityProviderAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc] # allauth is untyped
    """An identity provider lets in those whose verified address has an account here, or a domain that may join."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        email = sociallogin.user.email
        return _is_proven(sociallogin, email) and domain_of(email) is not None

    def can_authenticate_by_email(self, login: Any, email: str) -> bool:
        return _is_proven(login, email) and super().can_authenticate_by_email(login, email)

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: Any) -> Person:
        person: Person = super().populate_user(request, sociallogin, data)
        person.name = (data.get("name") or data.get("username") or person.email.partition("@")[0])[:120]
        person.language = language()
        return person

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> Person:
        with transaction.atomic():
            person: Person = super().save_user(request, sociallogin, form)
            join_by_domain(operator_view(), person)
        return person


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc] # allauth is untyped
    """Keeps the secrets of second factors encrypted under the hub's key, which backups leave out."""

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _cipher().decrypt(encrypted_text.encode()).decode()

    def generate_authenticator_name(self, user: Person, type: Authenticator.Type) -> str:
        number = 1 + Authenticator.objects.filter(user=user, type=type).count()
        return text("hub.passkey_unnamed", number=number).render(language())


def _is_proven(login: Any, email: str) -> bool:
    """Return whether the provider says that ``email`` is theirs; some providers spell ``false`` as a string."""
    proven = {one.email.lower() for one in login.email_addresses if str(one.verified).lower() == "true"}
    return email.lower() in proven


def _cipher() -> Fernet:
    key = hashlib.sha256(b"pilotbase second factor\0" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


class LongEnough(MinimumLengthValidator):
    """Refuses passwords that are shorter than ``min_length``."""

    def get_error_message(self) -> str:
        return text("hub.password_short", allowed=self.min_length).render(language())

    def get_help_text(self) -> str:
        return text("hub.help_password").render(language())


class Varied:
    """Refuses what is long and easy to guess: few characters, a short piece repeated, a row of neighbours."""

    def validate(self, password: str, user: object = None) -> None:
        folded = password.casefold()
        neighbours = sum(abs(ord(one) - ord(other)) <= 1 for one, other in pairwise(folded))
        is_row = neighbours > (len(folded) - 1) * _MOST_NEIGHBOURS
        if len(set(folded)) < _LEAST_CHARACTERS or re.fullmatch(r"(.+?)\1+", folded, re.DOTALL) or is_row:
            raise ValidationError(text("hub.password_monotonous").render(language()))

    def get_help_text(self) -> str:
        return ""
