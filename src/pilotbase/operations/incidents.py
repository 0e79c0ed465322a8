"""Duty desk, incidents and runbooks."""

from __future__ import annotations

from typing import Annotated, Any

import pydantic

from pilotbase.documents.api.shapes import SHORT, RequestModel
from pilotbase.documents.api.watch import DraftedReport, DutyDesk, ListedIncidents
from pilotbase.documents.base import LONGEST_NOTE, Name, Trimmed
from pilotbase.documents.permissions import IncidentAct, ReadScope
from pilotbase.documents.vocabularies import EventGrade, ResponseLevel
from pilotbase.documents.watch import Incident, Runbook
from pilotbase.operations.operation import PATH, In, NoInput, Operation
from pilotbase.operations.services import OfService, OfServiceWith

Words = Annotated[str, Trimmed(LONGEST_NOTE)]
Note = Annotated[str, Trimmed(LONGEST_NOTE, min_length=0)]


class OfIncident(RequestModel):
    """Which incident."""

    number: Annotated[int, pydantic.Field(ge=1, le=2**31 - 1), SHORT, PATH]


class IncidentsAsked(pydantic.BaseModel):
    """What a list is asked for."""

    service: str = pydantic.Field("", max_length=63, pattern=r"^[a-z0-9_-]*$")
    closed: bool = True
    limit: int = pydantic.Field(50, ge=1, le=200)


class IncidentNote(OfIncident):
    """A note; ``unknown`` says anew what is not known yet."""

    text: Words
    unknown: tuple[Words, ...] | None = pydantic.Field(None, max_length=50)


class IncidentGrade(OfIncident):
    """Event grade and response level."""

    grade: EventGrade
    response: ResponseLevel
    note: Note = ""


class IncidentReport(OfIncident):
    """That a report was made."""

    clock: Name
    note: Note = ""


class IncidentMitigation(OfIncident):
    """That the harm was stopped."""

    note: Note = ""


class IncidentClosing(OfIncident):
    """What happened, why, and what was learned."""

    summary: Words


class IncidentCorrection(OfIncident):
    """What is right instead of a line of the timeline."""

    line: int = pydantic.Field(ge=1, le=100_000)
    text: Words


def _amends(act: IncidentAct, place: str, takes: type[In], example: dict[str, Any]) -> Operation[In, Incident]:
    """Return what adds a line to the timeline of an incident."""
    name, http = f"incidents.{act.name.lower()}", f"POST /incidents/{{number}}/{place}"
    return Operation(name, http, takes, Incident, who=act, marked=True, example=example)


DESK = Operation("incidents.desk", "GET /desk", NoInput, DutyDesk, who=ReadScope.DESK)
LIST = Operation("incidents.list", "GET /incidents", IncidentsAsked, ListedIncidents)
SHOW = Operation("incidents.show", "GET /incidents/{number}", OfIncident, Incident, marked=True)
DRAFT = Operation("incidents.draft", "GET /incidents/{number}/draft", OfIncident, DraftedReport)
NOTE = _amends(IncidentAct.NOTE, "notes", IncidentNote, {"text": "The night shift saw it, too.", "unknown": ["Cause"]})
GRADE = _amends(
    IncidentAct.GRADE,
    "grade",
    IncidentGrade,
    {"grade": "larger", "response": "III", "note": "Two lines stood still."},
)
REPORT = _amends(
    IncidentAct.REPORT, "reports", IncidentReport, {"clock": "operator_to_province", "note": "Reference 2027-17"}
)
MITIGATE = _amends(IncidentAct.MITIGATE, "mitigation", IncidentMitigation, {"note": "An earlier version answers."})
CLOSE = _amends(
    IncidentAct.CLOSE,
    "closing",
    IncidentClosing,
    {"summary": "A worn sensor. Exchanged; the trial is repeated with its new readings."},
)
CORRECT = _amends(IncidentAct.CORRECT, "corrections", IncidentCorrection, {"line": 1, "text": "It was the late shift."})
RUNBOOK = Operation("incidents.runbook", "GET /services/{service}/runbook", OfService, Runbook, marked=True)
SET_RUNBOOK = Operation(
    "incidents.set_runbook",
    "PUT /services/{service}/runbook",
    OfServiceWith[Runbook],
    Runbook,
    who=IncidentAct.RUNBOOK,
    marked=True,
    example={
        "document": "runbook/1",
        "service": "milling",
        "rules": [{"signal": "risk", "colour": "red", "measures": ["fall_back", "notify"], "incident": True}],
        "reporter": "critical_infrastructure",
    },
)
