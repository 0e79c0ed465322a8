"""What people do about an incident: for each act the form that it asks for."""

from __future__ import annotations

from collections.abc import Mapping

from pilotbase.documents.permissions import IncidentAct
from pilotbase.documents.watch import Incident
from pilotbase.hub.acting import language
from pilotbase.hub.forms.declared import Choices, OperationForm, form_of
from pilotbase.operations import incidents

FORMS: Mapping[str, type[OperationForm]] = {
    IncidentAct.NOTE: form_of(incidents.NOTE),
    IncidentAct.GRADE: form_of(incidents.GRADE),
    IncidentAct.REPORT: form_of(incidents.REPORT),
    IncidentAct.MITIGATE: form_of(incidents.MITIGATE),
    IncidentAct.CLOSE: form_of(incidents.CLOSE),
    IncidentAct.CORRECT: form_of(incidents.CORRECT),
}
"""Act → its form."""


def choices_of(act: str, incident: Incident) -> dict[str, Choices]:
    """Return what there is to choose from: reports that are due, lines of the timeline."""
    if act == IncidentAct.REPORT:
        return {"clock": [(one.clock, one.to.render(language())) for one in incident.clocks if one.done_at is None]}
    if act == IncidentAct.CORRECT:
        lines = enumerate(incident.timeline, 1)
        return {"line": [(str(at), f"{at}. {line.what.render(language())[:100]}") for at, line in lines]}
    return {}
