"""The caller of the API, and invitations."""

from __future__ import annotations

from datetime import datetime

from pilotbase.documents.api.shapes import ResponseModel
from pilotbase.documents.base import Name
from pilotbase.documents.vocabularies import Role


class Membership(ResponseModel):
    """An organisation and the roles that the person acts in."""

    organisation: str
    roles: list[Role]


class Caller(ResponseModel):
    """Who calls."""

    person: str
    """Opaque identifier, as in records."""
    name: str
    acting_for: str
    memberships: list[Membership]


class Invitation(ResponseModel):
    """An invitation whose link is still valid."""

    email: str
    organisation: Name
    roles: list[Role]
    expires_at: datetime
    link: str | None = None
    """Only in the response that creates it."""
