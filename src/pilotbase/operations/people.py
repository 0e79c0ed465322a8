"""The caller, and invitations into an organisation."""

from __future__ import annotations

from typing import Annotated

import pydantic

from pilotbase.documents.api.people import Caller, Invitation
from pilotbase.documents.api.shapes import RequestModel
from pilotbase.documents.base import Name
from pilotbase.documents.permissions import DeskAct
from pilotbase.documents.vocabularies import Role
from pilotbase.operations.operation import PATH, NoInput, Operation, Repeated


class OfOrganisation(RequestModel):
    """Which organisation."""

    name: Annotated[Name, PATH]


class NewInvitation(OfOrganisation):
    """Whom to invite."""

    email: str = pydantic.Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    roles: list[Role] = pydantic.Field(min_length=1, max_length=len(Role))


_PATH = "/organisations/{name}/invitations"
ME = Operation("people.me", "GET /me", NoInput, Caller)
INVITATIONS = Operation("people.invitations", f"GET {_PATH}", OfOrganisation, list[Invitation], who=DeskAct.INVITE)
INVITE = Operation(
    "people.invite",
    f"POST {_PATH}",
    NewInvitation,
    Invitation,
    who=DeskAct.INVITE,
    repeated=Repeated.ANEW,
    location="/api/organisations/{asked.name}/invitations",
    example={"email": "wang@plant.example", "roles": ["demand_owner"]},
)
