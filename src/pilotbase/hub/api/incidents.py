"""Duty desk and incidents over the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import pydantic
from django.http import HttpResponse
from ninja import Path, Query, Router

from pilotbase.documents.api.incidents import (
    DutyDesk,
    IncidentClosing,
    IncidentCorrection,
    IncidentGrade,
    IncidentMitigation,
    IncidentNote,
    IncidentReport,
    ListedIncidents,
)
from pilotbase.documents.api.shapes import SHORT, InAddress
from pilotbase.documents.watch import Incident, Runbook
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.api.answers import answers, document, once, seen
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.api.records import Word
from pilotbase.watch import incidents
from pilotbase.watch.runbooks import keep_runbook, read_runbook
from pilotbase.worker.services.told_desk import told_desk
from pilotbase.workspace.listings import MAXIMUM_PAGE
from pilotbase.workspace.store import View

router = Router(tags=["incidents"], auth=MEMBERS)
Number = Path[Annotated[int, pydantic.Field(ge=1, le=2**31 - 1), SHORT]]
Amend = Callable[[View, incidents.Asked], Incident]


class IncidentsAsked(InAddress):
    """What a list is asked for."""

    service: str = pydantic.Field("", max_length=63, pattern=r"^[a-z0-9_-]*$")
    closed: bool = True
    limit: int = pydantic.Field(50, ge=1, le=MAXIMUM_PAGE)


@router.get("/desk", response=answers(DutyDesk), summary="The duty desk")
def read_desk(request: HubRequest) -> DutyDesk:
    """Return where every service of the caller stands: all to operator and regulator, to an owner their own."""
    return told_desk(request.acting.view, language())


@router.get("/incidents", response=answers(ListedIncidents), by_alias=True, summary="List incidents")
def list_all(request: HubRequest, asked: Query[IncidentsAsked]) -> ListedIncidents:
    """Return the incidents that the caller sees, newest first."""
    found = incidents.list_incidents(request.acting.view, asked.service, asked.closed, asked.limit)
    return ListedIncidents(items=found)


@router.get("/incidents/{number}", response=answers(Incident), by_alias=True, summary="An incident")
def read(request: HubRequest, number: Number) -> HttpResponse:
    """Return an incident with its timeline and its reporting clocks."""
    incident, head = incidents.load_incident(request.acting.view, number)
    return document(request, incident, version=head)


@router.post("/incidents/{number}/notes", response=answers(Incident), by_alias=True, summary="Add a note")
def note(request: HubRequest, number: Number, said: IncidentNote) -> HttpResponse:
    """Add a note to the timeline."""
    return _amend(request, lambda view, asked: incidents.add_note(view, number, said.text, said.unknown, asked))


@router.post("/incidents/{number}/grade", response=answers(Incident), by_alias=True, summary="Set grade and response")
def grade(request: HubRequest, number: Number, said: IncidentGrade) -> HttpResponse:
    """Set event grade and response level, which starts or ends reporting clocks."""
    levels = (said.grade, said.response)
    return _amend(request, lambda view, asked: incidents.set_grade(view, number, levels, said.note, asked))


@router.post("/incidents/{number}/reports", response=answers(Incident), by_alias=True, summary="Mark as reported")
def report(request: HubRequest, number: Number, said: IncidentReport) -> HttpResponse:
    """Say that a report was made now, by the caller."""
    return _amend(request, lambda view, asked: incidents.mark_reported(view, number, said.clock, said.note, asked))


@router.post("/incidents/{number}/mitigation", response=answers(Incident), by_alias=True, summary="Harm stopped")
def mitigate(request: HubRequest, number: Number, said: IncidentMitigation) -> HttpResponse:
    """Say that the harm has been stopped."""
    return _amend(request, lambda view, asked: incidents.mitigate(view, number, said.note, asked))


@router.post("/incidents/{number}/closing", response=answers(Incident), by_alias=True, summary="Close an incident")
def close(request: HubRequest, number: Number, said: IncidentClosing) -> HttpResponse:
    """Close an incident with its summary."""
    return _amend(request, lambda view, asked: incidents.close(view, number, said.summary, asked))


@router.post("/incidents/{number}/corrections", response=answers(Incident), by_alias=True, summary="Correct a line")
def correct(request: HubRequest, number: Number, said: IncidentCorrection) -> HttpResponse:
    """Set a line of the timeline right; the line stays as it was."""
    return _amend(request, lambda view, asked: incidents.correct(view, number, said.line, said.text, asked))


@router.get("/services/{service}/runbook", response=answers(Runbook), by_alias=True, summary="The runbook of a service")
def read_service_runbook(request: HubRequest, service: Word) -> HttpResponse:
    """Return what is done when a warning about the service reaches a colour; the default where it has none."""
    return document(request, read_runbook(request.acting.view, service)[1])


@router.put("/services/{service}/runbook", response=answers(Runbook), by_alias=True, summary="Change a runbook")
def write_service_runbook(request: HubRequest, service: Word, runbook: Runbook) -> HttpResponse:
    """Let the service be run by another runbook from now on."""

    def act(view: View) -> HttpResponse:
        keep_runbook(view, read_runbook(view, service)[0], runbook, seen(request))
        return document(request, runbook)

    return once(request, act)


def _amend(request: HubRequest, amend: Amend) -> HttpResponse:
    version = seen(request)
    return once(request, lambda view: document(request, amend(view, incidents.Asked(version, view.request))))
