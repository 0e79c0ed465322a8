"""Who may be named a reviewer of a trial."""

from __future__ import annotations

from functools import cache

from pilotbase.documents.vocabularies import Role
from pilotbase.hub.acting import roles_of
from pilotbase.hub.models import Membership


def reviewers() -> list[Membership]:
    """Return the people who act as reviewers, each for an organisation, by organisation and name."""
    people = Membership.objects.select_related("person").order_by("organisation", "person__name")
    held = cache(roles_of)
    return [one for one in people if Role.REVIEWER in one.roles and Role.REVIEWER in held(one.organisation)]
