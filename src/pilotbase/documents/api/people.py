"""The caller of the API, and invitations."""

from __future__ import annotations

from datetime import datetime

import pydantic

from pilotbase.documents.api.shapes import RequestModel, ResponseModel
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


class NewInvitation(RequestModel):
    """Whom to invite."""

    email: str = pydantic.Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    roles: list[Role] = pydantic.Field(min_length=1, max_length=len(Role))


class Invitation(ResponseModel):
    """An invitation whose link is still valid."""

    email: str
    organisation: Name
    roles: list[Role]
    expires_at: datetime
    link: str | None = None
    """Only in the response that creates it."""
