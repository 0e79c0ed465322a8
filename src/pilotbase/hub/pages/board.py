"""The board of a scenario: who leads, how it came so, and what it said to one's own submissions."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from pilotbase.charts import LeaderStep, leader_chart
from pilotbase.documents.board import Board
from pilotbase.documents.moments import format_day
from pilotbase.documents.states import ApplicationState
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Role
from pilotbase.hub.acting import HubRequest, RequestActor, language
from pilotbase.hub.presenters.addresses import address_of, subject_of
from pilotbase.hub.presenters.drawn import drawn
from pilotbase.worker.progress import progress_of
from pilotbase.worker.trials.boards import board_for
from pilotbase.workspace.listings import Listing, Query, list_page

_APPLICATIONS = 50


@require_safe
def show(request: HubRequest, name: str) -> HttpResponse:
    """Show a board to its owner, to the base and to suppliers."""
    acting, subject = request.acting, subject_of("scenarios", name)
    seen = board_for(acting.view, subject)
    applications = [(one, progress_of(acting.view, one.subject, "board")) for one in own_applications(acting, subject)]
    shown = {
        "title": text(
            "live.board_of", scenario=seen.title.render(language()) if not isinstance(seen.title, str) else seen.title
        ),
        "seen": seen,
        "steps": list(seen.board.ranked) if seen.board else [],
        "used": sorted(seen.board.used.items()) if seen.board else [],
        "chart": drawn(leader_chart(steps_of(seen.board), language())) if seen.board else "",
        "applications": applications,
        "at_work": any(work is not None and work.live for _, work in applications),
        "crumbs": [
            {"url": "/scenarios/", "label": text("hub.nav_scenarios")},
            {"url": address_of(subject), "label": seen.title},
        ],
    }
    return render(request, "hub/board.html", shown)


def steps_of(board: Board) -> list[LeaderStep]:
    """Return the leaders of a board, oldest first."""
    return [LeaderStep(format_day(entry.submitted_at), entry.released) for entry in reversed(board.ranked)]


def own_applications(acting: RequestActor, scenario: str) -> tuple[Listing, ...]:
    """Return the supplier's applications that were made for a scenario."""
    if not acting.has(Role.SUPPLIER):
        return ()
    states = (ApplicationState.DRAFT, ApplicationState.SUBMITTED)
    query = Query("application", states=states, scenario=scenario, owner=acting.organisation)
    return list_page(acting.view, query, limit=_APPLICATIONS).items
