"""Records that the reader sees in the name of another of their organisations: a link in a mail knows of no choice."""

from __future__ import annotations

from pilotbase.hub.acting import RequestActor, actor_of
from pilotbase.workspace.listings import find_listing


def other_organisation(acting: RequestActor, subject: str) -> str | None:
    """Return the first of the person's other organisations that sees ``subject``, or None."""
    if acting.person is None:
        return None
    for membership in acting.memberships:
        view = acting.view.store.as_actor(actor_of(membership, acting.person))
        if membership.organisation != acting.organisation and find_listing(view, subject) is not None:
            return membership.organisation
    return None
