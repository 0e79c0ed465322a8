"""People over the API: who calls, and invitations."""

from __future__ import annotations

from ninja import Path, Router

from pilotbase.documents.api.people import Caller, Invitation, Membership, NewInvitation
from pilotbase.documents.base import Name
from pilotbase.documents.permissions import DeskAct
from pilotbase.hub.acting import HubRequest, language, roles_held
from pilotbase.hub.api.answers import answers
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.people.invitations import invite, open_invitations
from pilotbase.workspace.failures import NotFoundError

router = Router(tags=["people"], auth=MEMBERS)


@router.get("/me", response=answers(Caller), summary="Who I am")
def me(request: HubRequest) -> Caller:
    """Return who the caller is and acts for."""
    acting = request.acting
    assert acting.person is not None
    memberships = [
        Membership(organisation=one.organisation, roles=sorted(roles_held(one.organisation, one.roles)))
        for one in acting.memberships
    ]
    return Caller(
        person=acting.person.identity,
        name=acting.person.name,
        acting_for=acting.organisation,
        memberships=memberships,
    )


@router.get("/organisations/{name}/invitations", response=answers(list[Invitation]), summary="Open invitations")
def invitations(request: HubRequest, name: Path[Name]) -> list[Invitation]:
    """Return the invitations whose links work; for all but operators there is no such list."""
    _require_operator(request)
    return [Invitation.model_validate(one) for one in open_invitations(name)]


@router.post("/organisations/{name}/invitations", response=answers(Invitation, 201), summary="Invite an address")
def send(request: HubRequest, wanted: NewInvitation, name: Path[Name]) -> tuple[int, Invitation]:
    """Invite an address into an organisation."""
    _require_operator(request)
    acting = request.acting
    sent = invite(acting.view, acting.person, wanted.email, name, wanted.roles, language())
    return 201, Invitation.model_validate(sent.invitation).model_copy(update={"link": sent.link})


def _require_operator(request: HubRequest) -> None:
    if not request.acting.may(DeskAct.INVITE):
        raise NotFoundError("hub.not_found")
