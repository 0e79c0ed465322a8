"""What people do about an incident: for each act the form that it asks for, and what it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from pilotbase.documents.base import LONGEST_NOTE
from pilotbase.documents.permissions import IncidentAct
from pilotbase.documents.vocabularies import EventGrade, ResponseLevel
from pilotbase.documents.watch import Incident
from pilotbase.hub.acting import language
from pilotbase.hub.sentences import t
from pilotbase.watch import incidents
from pilotbase.workspace.store import View


def _words(label: str, help_text: str = "", required: bool = True) -> forms.CharField:
    area = forms.Textarea(attrs={"rows": 4})
    told = t(help_text) if help_text else ""
    return forms.CharField(label=t(label), help_text=told, required=required, max_length=LONGEST_NOTE, widget=area)


class IncidentForm(forms.Form):
    """An act on an incident as the reader has seen it."""

    seen = forms.CharField(widget=forms.HiddenInput, max_length=71)

    def __init__(self, incident: Incident, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.number = incident.number
        self.prepare(incident)

    def prepare(self, incident: Incident) -> None:
        """Offer what there is to choose from."""

    def asked(self) -> incidents.Asked:
        """Return how the act is asked for: of the version that the reader has seen."""
        return incidents.Asked(self.said("seen"))

    def said(self, name: str = "note") -> str:
        """Return what was written in a field."""
        return str(self.cleaned_data[name])


class NoteForm(IncidentForm):
    """A note, and what is not known yet."""

    note = _words("incident.field_note")
    unknown = _words("incident.field_unknown", "incident.help_unknown", required=False)

    def do(self, view: View) -> Incident:
        unknown = tuple(line.strip() for line in self.said("unknown").splitlines() if line.strip())
        return incidents.add_note(view, self.number, self.said(), unknown, self.asked())


class GradeForm(IncidentForm):
    """Event grade and response level."""

    grade = forms.ChoiceField(
        label=t("incident.event_grade"),
        help_text=t("incident.help_grade"),
        choices=[(one.value, t(f"grade.{one}")) for one in EventGrade],
    )
    response = forms.ChoiceField(
        label=t("incident.response_level"), choices=[(one.value, t(f"response.{one}")) for one in ResponseLevel]
    )
    note = _words("incident.field_note", required=False)

    def do(self, view: View) -> Incident:
        levels = (EventGrade(self.said("grade")), ResponseLevel(self.said("response")))
        return incidents.set_grade(view, self.number, levels, self.said(), self.asked())


class ReportForm(IncidentForm):
    """Which report was made."""

    clock = forms.ChoiceField(label=t("incident.field_clock"))
    note = _words("incident.field_note", "incident.help_reference", required=False)

    def prepare(self, incident: Incident) -> None:
        due = [(one.clock, one.to.render(language())) for one in incident.clocks if one.done_at is None]
        self.fields["clock"].choices = due  # type: ignore[attr-defined]

    def do(self, view: View) -> Incident:
        return incidents.mark_reported(view, self.number, self.said("clock"), self.said(), self.asked())


class MitigateForm(IncidentForm):
    """How the harm was stopped."""

    note = _words("incident.field_note", required=False)

    def do(self, view: View) -> Incident:
        return incidents.mitigate(view, self.number, self.said(), self.asked())


class CloseForm(IncidentForm):
    """The summary."""

    summary = _words("incident.field_summary", "incident.help_summary")

    def do(self, view: View) -> Incident:
        return incidents.close(view, self.number, self.said("summary"), self.asked())


class CorrectForm(IncidentForm):
    """What is right instead of a line."""

    line = forms.ChoiceField(label=t("incident.field_line"))
    note = _words("incident.field_right")

    def prepare(self, incident: Incident) -> None:
        lines = enumerate(incident.timeline, 1)
        named = [(str(number), f"{number}. {line.what.render(language())[:100]}") for number, line in lines]
        self.fields["line"].choices = named  # type: ignore[attr-defined]

    def do(self, view: View) -> Incident:
        return incidents.correct(view, self.number, int(self.said("line")), self.said(), self.asked())


FORMS: Mapping[
    str, type[NoteForm] | type[GradeForm] | type[ReportForm] | type[MitigateForm] | type[CloseForm] | type[CorrectForm]
] = {
    IncidentAct.NOTE: NoteForm,
    IncidentAct.GRADE: GradeForm,
    IncidentAct.REPORT: ReportForm,
    IncidentAct.MITIGATE: MitigateForm,
    IncidentAct.CLOSE: CloseForm,
    IncidentAct.CORRECT: CorrectForm,
}
"""Act → its form; ``do`` does it, and raises as the act."""
