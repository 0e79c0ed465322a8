"""Accounts: people, their memberships, invitations and API tokens. Rows only: rules stand in `people` and below."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Now


class People(BaseUserManager["Person"]):
    """Finds people by address, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> Person:
        return self.get(email__iexact=username)


def new_identity() -> str:
    """Return the opaque identifier by which records and the log know a person."""
    return f"p{secrets.token_hex(8)}"


class Person(AbstractBaseUser):
    """One human being with one address; what they may do stands in their memberships."""

    identity: models.CharField[str, str] = models.CharField(
        max_length=63, unique=True, default=new_identity, editable=False
    )
    """Records and the log know them by this and nothing else: erasing the account leaves no name behind."""
    email: models.EmailField[str, str] = models.EmailField(max_length=254, unique=True)
    name: models.CharField[str, str] = models.CharField(max_length=120)
    is_active: models.BooleanField[bool, bool] = models.BooleanField(default=True)
    language: models.CharField[str, str] = models.CharField(max_length=10, default="en")
    joined_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(auto_now_add=True)
    seen_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(null=True)
    """When they, or a program of theirs, last asked for anything, to the hour."""

    objects = People()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:  # noqa: D106
        indexes: ClassVar = [
            models.Index(fields=["name", "id", "email"], name="person_name"),
            models.Index(fields=["is_active", "name", "id"], name="person_active"),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person acts for an organisation (a name in the workspace store) in some of its roles."""

    person: models.ForeignKey[Person, Person] = models.ForeignKey(
        Person, on_delete=models.CASCADE, related_name="memberships"
    )
    organisation: models.CharField[str, str] = models.CharField(max_length=63)
    roles = models.JSONField(default=list)
    manages: models.BooleanField[bool, bool] = models.BooleanField(default=False)
    """Whether the person decides who is in the organisation, and as what."""
    since: models.DateTimeField[datetime, datetime] = models.DateTimeField(auto_now_add=True)

    class Meta:  # noqa: D106
        constraints: ClassVar = [models.UniqueConstraint(fields=["person", "organisation"], name="one_membership")]
        indexes: ClassVar = [models.Index(fields=["organisation"], name="membership_organisation")]


class Invitation(models.Model):
    """An address invited into an organisation; the link's secret is kept as a hash and works once."""

    email: models.EmailField[str, str] = models.EmailField(max_length=254)
    organisation: models.CharField[str, str] = models.CharField(max_length=63)
    roles = models.JSONField(default=list)
    secret_hash: models.CharField[str, str] = models.CharField(max_length=64, unique=True)
    invited_by: models.ForeignKey[Person | None, Person | None] = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, related_name="invitations"
    )
    invited_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(auto_now_add=True)
    expires_at: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    used_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(null=True)
    withdrawn_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(null=True)


class SignUpDomain(models.Model):
    """Whoever proves an address of this domain at an identity provider may join an organisation."""

    domain: models.CharField[str, str] = models.CharField(max_length=253, unique=True)
    organisation: models.CharField[str, str] = models.CharField(max_length=63)
    roles = models.JSONField(default=list)
    """What they are when they join."""


class RoleChanges(models.Manager["RoleChange"]):
    """Finds proposals."""

    def open(self) -> models.QuerySet[RoleChange]:
        """Return those that somebody may still consent to, oldest first."""
        waiting = self.filter(decided_at=None, expires_at__gt=Now(), proposed_by__is_active=True)
        return waiting.select_related("proposed_by").order_by("proposed_at")


class RoleChange(models.Model):
    """What one operator proposes that somebody is in an organisation; it takes effect when another consents."""

    email: models.EmailField[str, str] = models.EmailField(max_length=254)
    organisation: models.CharField[str, str] = models.CharField(max_length=63)
    roles = models.JSONField(default=list)
    """All their roles from then on; none: the membership ends."""
    language: models.CharField[str, str] = models.CharField(max_length=10, default="en")
    proposed_by: models.ForeignKey[Person, Person] = models.ForeignKey(
        Person, on_delete=models.CASCADE, related_name="proposed"
    )
    proposed_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(auto_now_add=True)
    expires_at: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    decided_by: models.ForeignKey[Person | None, Person | None] = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, related_name="decided"
    )
    decided_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(null=True)
    consented: models.BooleanField[bool, bool] = models.BooleanField(default=False)

    objects = RoleChanges()


class ApiToken(models.Model):
    """A secret by which a program acts for a person in one organisation; kept as a hash, shown once."""

    person: models.ForeignKey[Person, Person] = models.ForeignKey(
        Person, on_delete=models.CASCADE, related_name="tokens"
    )
    organisation: models.CharField[str, str] = models.CharField(max_length=63)
    label: models.CharField[str, str] = models.CharField(max_length=80)
    scope: models.CharField[str, str] = models.CharField(max_length=10)
    secret_hash: models.CharField[str, str] = models.CharField(max_length=64, unique=True)
    created_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(auto_now_add=True)
    expires_at: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    last_used_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(null=True)
    revoked_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(null=True)


class GivenAnswer(models.Model):
    """What the API answered to a request with an Idempotency-Key: the same request gets the same answer for a day."""

    person: models.ForeignKey[Person, Person] = models.ForeignKey(Person, on_delete=models.CASCADE)
    organisation: models.CharField[str, str] = models.CharField(max_length=63)
    key: models.CharField[str, str] = models.CharField(max_length=120)
    request_hash: models.CharField[str, str] = models.CharField(max_length=64)
    status: models.IntegerField[int | None, int | None] = models.IntegerField(null=True)
    headers = models.JSONField(default=dict)
    body: models.BinaryField[bytes, bytes] = models.BinaryField(default=b"")
    given_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(auto_now_add=True)

    class Meta:  # noqa: D106
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "organisation", "key"], name="one_answer_per_key")
        ]
