"""Passkeys: asked for at the hub's own address, each challenge once, and refused where one may have been copied."""

from __future__ import annotations

import struct
from typing import Any, TypeVar
from urllib.parse import urlsplit

from allauth.core import context  # type: ignore[import-untyped]
from allauth.mfa.adapter import get_adapter  # type: ignore[import-untyped]
from allauth.mfa.models import Authenticator  # type: ignore[import-untyped]
from allauth.mfa.webauthn import forms as webauthn  # type: ignore[import-untyped]
from allauth.mfa.webauthn import views
from allauth.mfa.webauthn.internal import auth  # type: ignore[import-untyped]
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse_lazy
from fido2.cose import UnsupportedKey
from fido2.webauthn import AuthenticationResponse, RegistrationResponse

from pilotbase.documents.texts import text
from pilotbase.hub.acting import language
from pilotbase.hub.base import operator_view
from pilotbase.hub.people.directory import log_about
from pilotbase.hub.sentences import asked, t

_MOST = 20
"""Passkeys that a person may have."""
_CREDENTIAL_CHARACTERS = 32 << 10
_NAME = 80
_HANDLE = 13
"""Longest spelling of a person's number in base 36 that a database holds."""

_UNREADABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError, struct.error)
_Said = TypeVar("_Said", AuthenticationResponse, RegistrationResponse)


class _Credential(forms.JSONField):
    """JSON that strangers send."""

    def to_python(self, value: Any) -> Any:
        if len(value or "") > _CREDENTIAL_CHARACTERS:
            raise _refused()
        try:
            return super().to_python(value)
        except (RecursionError, ValueError):
            raise _refused() from None


class _Answer(forms.Form):
    """What a browser answers with a passkey; the forms of allauth verify its signature over the challenge."""

    credential = _Credential(widget=forms.HiddenInput)

    def clean_credential(self) -> Any:
        try:
            answer = _read(AuthenticationResponse, self.cleaned_data["credential"])
            if len(answer.response.user_handle or b"") > _HANDLE:
                raise _refused()
            passkey = super().clean_credential()  # type: ignore[misc]
        finally:
            auth.clear_state()
        _require_original(passkey, answer)
        return passkey


class LoginForm(_Answer, webauthn.LoginWebAuthnForm):  # type: ignore[misc] # allauth is untyped
    """Signs in without a password."""


class SecondFactorForm(_Answer, webauthn.AuthenticateWebAuthnForm):  # type: ignore[misc]
    """Follows the password."""


class ReauthenticateForm(_Answer, webauthn.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """Confirms that whoever is signed in is still there."""


class NewPasskeyForm(webauthn.AddWebAuthnForm):  # type: ignore[misc]
    """Keeps another passkey."""

    name = forms.CharField(**asked("hub.passkey_name", "hub.passkey_name_help"), max_length=_NAME, required=False)
    credential = _Credential(widget=forms.HiddenInput)

    def clean_credential(self) -> Any:
        credential = self.cleaned_data["credential"]
        said = _read(RegistrationResponse, credential).response.attestation_object.auth_data.credential_data
        if said is None or isinstance(said.public_key, UnsupportedKey):
            raise _refused()
        if len(auth.get_credentials(self.user)) >= _MOST:
            raise ValidationError(text("hub.passkeys_too_many", allowed=_MOST).render(language()))
        return credential

    def clean(self) -> Any:
        try:
            return super().clean()
        finally:
            auth.clear_state()


class RenameForm(webauthn.EditWebAuthnForm):  # type: ignore[misc]
    """Gives a passkey another name."""

    name = forms.CharField(label=t("hub.passkey_name"), max_length=_NAME)


class NewPasskey(views.AddWebAuthnView):  # type: ignore[misc]
    """Asks for a passkey that signs in alone, where what holds it can do that, and else follows the password."""

    def get_context_data(self, **shown: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().get_context_data(**shown)
        wanted = found["js_data"]["creation_options"]["publicKey"]["authenticatorSelection"]
        wanted["residentKey"] = "preferred"
        # The view of allauth leaves out the form that was refused.
        return {**found, **shown}


class Rename(views.EditWebAuthnView):  # type: ignore[misc]
    """Asks for another name."""

    success_url = reverse_lazy("mfa_index")


class Remove(views.RemoveWebAuthnView):  # type: ignore[misc]
    """Asks whether a passkey is to sign in no more."""

    success_url = reverse_lazy("mfa_index")


class Reauthenticate(views.ReauthenticateWebAuthnView):  # type: ignore[misc]
    """Shows on its own page why an answer was refused."""

    def form_invalid(self, form: forms.Form) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form))  # type: ignore[no-any-return]


def _read(kind: type[_Said], credential: Any) -> _Said:
    """Return what a browser sent, which must have been asked for at this hub; raises `ValidationError`."""
    try:
        said: _Said = kind.from_dict(credential)
        origin = said.response.client_data.origin
    except _UNREADABLE:
        raise _refused() from None
    if origin != _own_origin():
        raise _refused()
    return said


def _own_origin() -> str:
    """Return where browsers reach this hub: under another name that it answers, with scheme and port of its own."""
    own = urlsplit(settings.CONFIGURATION.url)
    name = context.request.get_host().partition(":")[0]
    return f"{own.scheme}://{own.netloc.replace(own.hostname or '', name)}"


def _require_original(passkey: Authenticator, answer: AuthenticationResponse) -> None:
    """Raise where a passkey that counts its answers has not gone on counting: a copy of it has answered too."""
    count = answer.response.authenticator_data.counter
    with transaction.atomic():
        kept = Authenticator.objects.select_for_update().select_related("user").get(pk=passkey.pk)
        before = kept.data.get("count", kept.wrap().authenticator_data.counter)
        is_original = count > before or count == before == 0
        if is_original:
            kept.data["count"] = count
            kept.save(update_fields=["data"])
        else:
            log_about(operator_view(), "passkey.copied", kept.user)
    if not is_original:
        raise ValidationError(text("hub.passkey_copied").render(language()))


def _refused() -> ValidationError:
    refused: ValidationError = get_adapter().validation_error("incorrect_code")
    return refused
