"""The caller and invitations: a hub keeps the accounts."""

from __future__ import annotations

from pilotbase.documents.api import people
from pilotbase.documents.permissions import DeskAct, SubjectRelation, permitted
from pilotbase.operations import people as declared
from pilotbase.operations.operation import NoInput
from pilotbase.worker.operations.binding import Accounts, Caller, does
from pilotbase.workspace.failures import NotFoundError


@does(declared.ME)
def me(caller: Caller, asked: NoInput) -> people.Caller:
    """Return the caller and the organisation that they act for."""
    return _there(caller.accounts).me()


@does(declared.INVITATIONS)
def invitations(caller: Caller, asked: declared.OfOrganisation) -> list[people.Invitation]:
    """Return the invitations whose links work."""
    return _of_inviter(caller, asked.name).invitations(asked.name)


@does(declared.INVITE)
def invite(caller: Caller, asked: declared.NewInvitation) -> people.Invitation:
    """Invite an address into an organisation."""
    return _of_inviter(caller, asked.name).invite(asked.name, asked.email, asked.roles)


def _of_inviter(caller: Caller, organisation: str) -> Accounts:
    """Return the accounts for whom may invite into ``organisation``; for everybody else there are no invitations."""
    stands = SubjectRelation(organisation=organisation)
    return _there(caller.accounts if permitted(DeskAct.INVITE, caller.view.actor, stands) else None)


def _there(accounts: Accounts | None) -> Accounts:
    if accounts is None:
        raise NotFoundError("hub.not_found")
    return accounts
