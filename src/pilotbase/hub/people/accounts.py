"""The accounts of this hub as operations need them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pilotbase.documents.api.people import Caller, Invitation, Membership
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.acting import RequestActor, language, roles_held
from pilotbase.hub.people.invitations import invite, open_invitations


@dataclass(frozen=True)
class HubAccounts:
    """What ``acting`` sees of the accounts and does to them."""

    acting: RequestActor

    def me(self) -> Caller:
        """Return the person, whom they act for, and every organisation that they may act for."""
        person = self.acting.person
        assert person is not None
        memberships = [
            Membership(organisation=one.organisation, roles=sorted(roles_held(one.organisation, one.roles)))
            for one in self.acting.memberships
        ]
        acting_for = self.acting.organisation
        return Caller(person=person.identity, name=person.name, acting_for=acting_for, memberships=memberships)

    def invitations(self, organisation: str) -> list[Invitation]:
        """Return the invitations into ``organisation`` whose links work, newest first."""
        return [Invitation.model_validate(one) for one in open_invitations(organisation)]

    def invite(self, organisation: str, email: str, roles: Sequence[Role]) -> Invitation:
        """Invite ``email`` and return the invitation with its link; raises as `invite`."""
        sent = invite(self.acting.view, self.acting.person, email, organisation, roles, language())
        return Invitation.model_validate(sent.invitation).model_copy(update={"link": sent.link})
