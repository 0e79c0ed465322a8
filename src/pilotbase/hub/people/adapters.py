"""How allauth's logins fit this hub: nobody signs up without invitation; secrets of second factors are encrypted."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter  # type: ignore[import-untyped]
from allauth.mfa.adapter import DefaultMFAAdapter  # type: ignore[import-untyped]
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter  # type: ignore[import-untyped]
from cryptography.fernet import Fernet
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse


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
    """An identity provider lets in those who have an account here, by their verified address."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc] # allauth is untyped
    """Keeps the secrets of second factors encrypted under the hub's key, which backups leave out."""

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _cipher().decrypt(encrypted_text.encode()).decode()


def _cipher() -> Fernet:
    key = hashlib.sha256(b"pilotbase second factor\0" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
