"""Duty desk, incidents and runbooks."""

from __future__ import annotations

from pilotbase.documents.api.watch import ListedIncidents
from pilotbase.documents.watch import Incident, Runbook
from pilotbase.operations import incidents as declared
from pilotbase.operations.services import OfServiceWith
from pilotbase.watch import incidents
from pilotbase.worker.operations.binding import Caller, Versioned, does
from pilotbase.worker.services.duty_desk import told_desk

does(declared.DESK)(lambda caller, asked: told_desk(caller.view, caller.language))
does(declared.SHOW)(lambda caller, asked: Versioned(*incidents.load_incident(caller.view, asked.number)))
does(declared.DRAFT)(lambda caller, asked: incidents.draft_report(caller.view, asked.number, caller.language))
does(declared.RUNBOOK)(lambda caller, asked: incidents.read_runbook(caller.view, asked.service)[1])
does(declared.NOTE)(
    lambda caller, asked: incidents.add_note(caller.view, asked.number, asked.text, asked.unknown, caller.seen)
)
does(declared.REPORT)(
    lambda caller, asked: incidents.mark_reported(caller.view, asked.number, asked.clock, asked.note, caller.seen)
)
does(declared.MITIGATE)(lambda caller, asked: incidents.mitigate(caller.view, asked.number, asked.note, caller.seen))
does(declared.CLOSE)(lambda caller, asked: incidents.close(caller.view, asked.number, asked.summary, caller.seen))
does(declared.CORRECT)(
    lambda caller, asked: incidents.correct(caller.view, asked.number, asked.line, asked.text, caller.seen)
)


@does(declared.LIST)
def list_all(caller: Caller, asked: declared.IncidentsAsked) -> ListedIncidents:
    """List incidents, newest first."""
    return ListedIncidents(items=incidents.list_incidents(caller.view, asked.service, asked.closed, asked.limit))


@does(declared.GRADE)
def grade(caller: Caller, asked: declared.IncidentGrade) -> Incident:
    """Set event grade and response level."""
    return incidents.set_grade(caller.view, asked.number, (asked.grade, asked.response), asked.note, caller.seen)


@does(declared.SET_RUNBOOK)
def set_runbook(caller: Caller, asked: OfServiceWith[Runbook]) -> Runbook:
    """Replace the runbook of a service."""
    service, _ = incidents.read_runbook(caller.view, asked.service)
    incidents.keep_runbook(caller.view, service, asked.sent, caller.seen)
    return asked.sent
