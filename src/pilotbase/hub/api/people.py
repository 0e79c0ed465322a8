"""People over the API: who calls, and invitations."""

from __future__ import annotations

from datetime import datetime

import pydantic
from ninja import Router

from pilotbase.documents.base import Name
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.api.answers import answers
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.api.records import Word
from pilotbase.hub.people.invitations import invite, open_invitations
from pilotbase.workspace.failures import NotFoundError

router = Router(tags=["people"], auth=MEMBERS)


class MembershipOut(pydantic.BaseModel):
    """An organisation and the roles that the person acts in."""

    organisation: str
    roles: list[Role]


class MeOut(pydantic.BaseModel):
    """Who calls."""

    person: str
    """Opaque identifier, as records hold it."""
    name: str
    acting_for: str
    memberships: list[MembershipOut]


class InvitationIn(pydantic.BaseModel):
    """Whom to invite."""

    model_config = pydantic.ConfigDict(extra="forbid")

    email: str = pydantic.Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    roles: list[Role] = pydantic.Field(min_length=1)


class InvitationOut(pydantic.BaseModel):
    """An invitation whose link works."""

    email: str
    organisation: Name
    roles: list[Role]
    expires_at: datetime
    link: str | None = None
    """Only in the answer that made it."""


@router.get("/me", response=answers(MeOut), summary="Who I am")
def me(request: HubRequest) -> MeOut:
    """Return who the caller is and acts for."""
    acting = request.acting
    assert acting.person is not None
    memberships = [MembershipOut(organisation=one.organisation, roles=one.roles) for one in acting.memberships]
    return MeOut(
        person=acting.person.identity,
        name=acting.person.name,
        acting_for=acting.organisation,
        memberships=memberships,
    )


@router.get("/organisations/{name}/invitations", response=answers(list[InvitationOut]), summary="Open invitations")
def invitations(request: HubRequest, name: Word) -> list[InvitationOut]:
    """Return the invitations whose links work; for all but operators there is no such list."""
    _require_operator(request)
    return [InvitationOut.model_validate(one, from_attributes=True) for one in open_invitations(name)]


@router.post("/organisations/{name}/invitations", response=answers(InvitationOut, 201), summary="Invite an address")
def send(request: HubRequest, wanted: InvitationIn, name: Word) -> tuple[int, InvitationOut]:
    """Invite an address into an organisation."""
    _require_operator(request)
    acting = request.acting
    sent = invite(acting.view, acting.person, wanted.email, name, wanted.roles, language())
    return 201, InvitationOut.model_validate(sent.invitation, from_attributes=True).model_copy(
        update={"link": sent.link}
    )


def _require_operator(request: HubRequest) -> None:
    if not request.acting.has(Role.OPERATOR):
        raise NotFoundError("hub.not_found")
