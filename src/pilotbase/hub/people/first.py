"""The first operator of a base: nobody could invite them."""

from __future__ import annotations

from pilotbase.documents.vocabularies import Role
from pilotbase.hub.base import base, operator_view
from pilotbase.hub.models import Membership
from pilotbase.hub.people.invitations import invite


def invite_operator(email: str) -> str:
    """Return the link by which ``email`` becomes an operator of the base; raises `InputError`: a member already."""
    return invite(operator_view(), None, email, base().trust.issuer, [Role.OPERATOR]).link


def is_empty() -> bool:
    """Tell whether nobody has joined yet."""
    return not Membership.objects.exists()
