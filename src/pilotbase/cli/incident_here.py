"""Incidents of the base on this machine: the same as `protocols.hub_incidents.HubIncidents` over a hub's API."""

from __future__ import annotations

from dataclasses import dataclass

from pilotbase.documents.api.incidents import DutyDesk
from pilotbase.documents.texts import Language
from pilotbase.documents.vocabularies import EventGrade, ResponseLevel
from pilotbase.documents.watch import Incident, Runbook
from pilotbase.watch import incidents
from pilotbase.watch.runbooks import keep_runbook, read_runbook
from pilotbase.worker.services.told_desk import told_desk
from pilotbase.workspace.store import View


@dataclass(frozen=True)
class IncidentsHere:
    """What ``view`` may do about incidents; everything raises as the functions of `pilotbase.watch.incidents`."""

    view: View
    language: Language

    def all(self, service: str = "", closed: bool = True) -> list[Incident]:
        """Return incidents, newest first."""
        return incidents.list_incidents(self.view, service, closed)

    def show(self, number: int) -> Incident:
        """Return an incident."""
        return incidents.load_incident(self.view, number)[0]

    def note(self, number: int, words: str, unknown: tuple[str, ...] | None = None) -> Incident:
        """Add a note."""
        return incidents.add_note(self.view, number, words, unknown)

    def grade(self, number: int, levels: tuple[EventGrade, ResponseLevel], note: str = "") -> Incident:
        """Set event grade and response level."""
        return incidents.set_grade(self.view, number, levels, note)

    def report(self, number: int, clock: str, note: str = "") -> Incident:
        """Say that a report was made now."""
        return incidents.mark_reported(self.view, number, clock, note)

    def mitigate(self, number: int, note: str = "") -> Incident:
        """Say that the harm has been stopped."""
        return incidents.mitigate(self.view, number, note)

    def close(self, number: int, summary: str) -> Incident:
        """Close an incident with its summary."""
        return incidents.close(self.view, number, summary)

    def correct(self, number: int, line: int, words: str) -> Incident:
        """Set a line of the timeline right."""
        return incidents.correct(self.view, number, line, words)

    def desk(self) -> DutyDesk:
        """Return where every service stands, in the words of ``language``."""
        return told_desk(self.view, self.language)

    def runbook(self, service: str) -> Runbook:
        """Return the runbook of a service."""
        return read_runbook(self.view, service)[1]

    def set_runbook(self, service: str, runbook: Runbook) -> Runbook:
        """Let a service be run by another runbook from now on."""
        keep_runbook(self.view, read_runbook(self.view, service)[0], runbook)
        return runbook
