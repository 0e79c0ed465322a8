"""API tokens: a program acts for a person in one organisation, within a scope, until a day."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Literal

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import hash_secret
from pilotbase.documents.subjects import organisation_subject
from pilotbase.hub.acting import RequestActor, of_token
from pilotbase.hub.models import ApiToken
from pilotbase.workspace.store import View

SCOPES = ("read", "write")
MAXIMUM_DAYS = 365
MAXIMUM_TOKENS = 50
_TOUCH_SECONDS = 60


def create_token(acting: RequestActor, label: str, scope: Literal["read", "write"], days: int) -> tuple[ApiToken, str]:
    """Return a new token of the acting person and its secret, which is shown once.

    Raises:
        InputError: visitors have none; too long a life; too many tokens.
    """
    if acting.person is None or not acting.organisation:
        raise InputError("hub.token_without_organisation")
    if not 1 <= days <= MAXIMUM_DAYS:
        raise InputError("hub.token_days", found=days, allowed=MAXIMUM_DAYS)
    if tokens_of(acting).count() >= MAXIMUM_TOKENS:
        raise InputError("hub.token_too_many", allowed=MAXIMUM_TOKENS)
    secret = new_secret("pilot")
    with transaction.atomic():
        token = ApiToken.objects.create(
            person=acting.person,
            organisation=acting.organisation,
            label=label,
            scope=scope,
            secret_hash=hash_secret(secret),
            expires_at=timezone.now() + timedelta(days=days),
        )
        with acting.view.transaction("token.created") as change:
            facts: dict[str, str | int] = {"token": token.pk, "scope": scope, "person": acting.person.identity}
            change.record("token.created", [organisation_subject(acting.organisation)], facts)
    return token, secret


def tokens_of(acting: RequestActor) -> QuerySet[ApiToken]:
    """Return the acting person's tokens that still work, newest first."""
    return working_tokens().filter(person=acting.person)


def working_tokens() -> QuerySet[ApiToken]:
    """Return everybody's tokens that still work, newest first."""
    return ApiToken.objects.filter(revoked_at=None, expires_at__gt=timezone.now()).order_by("-created_at")


def revoke_token(acting: RequestActor, number: int) -> None:
    """Let one of the acting person's own tokens work no more; a number of others' changes nothing."""
    token = ApiToken.objects.filter(person=acting.person, pk=number).first()
    if token is not None:
        end_token(acting.view, token)


def end_token(view: View, token: ApiToken) -> None:
    """Let a token work no more; one that was revoked before stays as it is."""
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
        with view.transaction("token.revoked") as change:
            facts: dict[str, str | int] = {"token": token.pk, "person": token.person.identity}
            change.record("token.revoked", [organisation_subject(token.organisation)], facts)


def acting_by(secret: str) -> RequestActor | None:
    """Return who acts by the token of ``secret``, or None where it does not work (any more)."""
    now = timezone.now()
    found = ApiToken.objects.filter(secret_hash=hash_secret(secret), revoked_at=None, expires_at__gt=now)
    token = found.select_related("person").first()
    if token is None:
        return None
    if token.last_used_at is None or (now - token.last_used_at).total_seconds() > _TOUCH_SECONDS:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return of_token(token)


def new_secret(prefix: str) -> str:
    """Return ``<prefix>_`` and 256 bits of chance: too many to guess, so a fast hash of it is enough."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"
