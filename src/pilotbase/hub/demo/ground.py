"""Which bases the demonstration may fill: its own, and those that hold nothing."""

from __future__ import annotations

from pilotbase.documents.errors import InputError
from pilotbase.hub.base import base, operator_view
from pilotbase.hub.models import Invitation, Person

_MARK = "desk@pilot.example"
"""The account that is made first: whose base this is, however far it was filled."""
_SETUP = frozenset({"revocations.published", "organisation.register"})
_MOST_SETUP = 20


def require_own_ground() -> None:
    """Return if the base holds nothing, or the demonstration has filled it before; raises `InputError`."""
    if not Person.objects.filter(email=_MARK).exists() and not _is_unused():
        raise InputError("cli.demo_not_here", home=base().home.path)


def _is_unused() -> bool:
    done = [entry.action for entry in operator_view().log_entries(limit=_MOST_SETUP)]
    only_set_up = len(done) < _MOST_SETUP and _SETUP.issuperset(done) and done.count("organisation.register") <= 1
    return only_set_up and not Person.objects.exists() and not Invitation.objects.exists()
