"""My work: everyone's first page. What waits for me, since when, due when."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from pilotbase.catalogue.my_work import my_work
from pilotbase.documents.texts import text
from pilotbase.hub.acting import Acting, HubRequest, actor_of
from pilotbase.hub.guards import member_only


@require_safe
@member_only
def show(request: HubRequest) -> HttpResponse:
    """Show what waits for the reader."""
    acting = request.acting
    shown = {"title": text("hub.nav_my_work"), "tasks": my_work(acting.view), "elsewhere": list(_elsewhere(acting))}
    return render(request, "hub/work.html", shown)


def _elsewhere(acting: Acting) -> Iterator[tuple[str, int]]:
    """Yield the person's other organisations in which something waits for them, and how much."""
    assert acting.person is not None
    for membership in acting.memberships:
        if membership.organisation != acting.organisation:
            view = acting.view.store.as_actor(actor_of(membership, acting.person))
            waiting = len(my_work(view))
            if waiting:
                yield membership.organisation, waiting
