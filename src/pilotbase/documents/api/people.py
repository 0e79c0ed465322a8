"""The caller of the API, people and what they may do, and invitations."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pilotbase.documents.api.shapes import ResponseModel
from pilotbase.documents.base import Name
from pilotbase.documents.texts import Text, has_text
from pilotbase.documents.vocabularies import Role


class AccountState(StrEnum):
    """Whether somebody can sign in; names: text ``hub.account.<value>``."""

    ACTIVE = "active"
    BLOCKED = "blocked"
    INVITED = "invited"
    """There is no account yet, or no membership: the link of an invitation works."""


class Membership(ResponseModel):
    """An organisation and the roles that the person acts in."""

    organisation: str
    roles: list[Role]
    manages: bool = False
    """Whether the person decides who is in the organisation, and as what."""


class Caller(ResponseModel):
    """Who calls."""

    person: str
    """Opaque identifier, as in records."""
    name: str
    acting_for: str
    memberships: list[Membership]


class AccountSummary(ResponseModel):
    """One person as the directory lists them."""

    person: str
    """Opaque identifier, as in records; empty for an invitation."""
    name: str
    email: str
    state: AccountState
    second_factor: bool
    seen_at: datetime | None
    """When they, or a program of theirs, last called, to the hour."""
    memberships: list[Membership]
    """Those that the caller may see."""


class AccountPage(ResponseModel):
    """Some people, by name; pass ``next`` as ``after`` to read on."""

    items: list[AccountSummary]
    total: int
    next: str | None


class AccountToken(ResponseModel):
    """A token by which a program acts for the person, without its secret."""

    token: int
    label: str
    organisation: str
    scope: str
    expires_at: datetime
    last_used_at: datetime | None


class ProposedRoles(ResponseModel):
    """What somebody is to be in an organisation, as soon as a second operator consents."""

    number: int
    email: str
    organisation: Name
    roles: list[Role]
    """All roles from then on; none: the membership ends."""
    proposed_by: str
    """Name of who proposed it."""
    proposed_at: datetime
    expires_at: datetime


class AccountDetails(AccountSummary):
    """One person, with what acts for them."""

    joined_at: datetime
    sessions: int | None
    """In how many browsers they are signed in; null for callers who may not end them."""
    tokens: list[AccountToken]
    """Empty for callers who may not revoke them."""
    proposals: list[ProposedRoles]
    """Changes of their roles that wait for the consent of a second operator."""


class JoiningDomain(ResponseModel):
    """An email domain whose people join an organisation by the identity provider, without invitation."""

    domain: str
    roles: list[Role]
    """What they are when they join."""


class Invitation(ResponseModel):
    """An invitation whose link is still valid."""

    email: str
    organisation: Name
    roles: list[Role]
    expires_at: datetime
    link: str | None = None
    """Only in the response that creates it."""
    waits_for_consent: bool = False
    """The invitation goes out when a second operator consents to a role over the whole base."""


class AuditEntry(ResponseModel):
    """One line of the base's log."""

    number: int
    at: datetime
    organisation: str
    """Who acted."""
    roles: list[str]
    person: str | None
    """Opaque identifier of who acted; null for the base's own process."""
    action: str
    subjects: list[str]
    """Names and digests of what it is about."""
    facts: dict[str, str | int | bool]

    @property
    def done(self) -> Text | str:
        """What was done, in words; the action itself where there are none, as of a plug-in that is gone."""
        known = (code for code in (f"done.{self.action}", f"act.{self.action}") if has_text(code))
        return next((Text(code=code) for code in known), self.action)


class AuditPage(ResponseModel):
    """Some lines of the log, newest first; pass ``next`` as ``before`` to read on, though this page may be empty."""

    items: list[AuditEntry]
    next: int | None
