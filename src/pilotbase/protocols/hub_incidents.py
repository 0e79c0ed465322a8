"""Incidents, runbooks and the duty desk of a hub, for programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pilotbase.documents.api.incidents import DutyDesk, ListedIncidents
from pilotbase.documents.hashes import Digest
from pilotbase.documents.vocabularies import EventGrade, ResponseLevel
from pilotbase.documents.watch import Incident, Runbook
from pilotbase.protocols.hub_client import read_model
from pilotbase.protocols.hub_requests import HubRequests

_LISTED = 100


@dataclass(frozen=True)
class HubIncidents:
    """What a person may do about incidents on a hub; everything raises as `HubRequests.send`.

    Whoever gives the digest of the incident as it was ``seen`` is refused where others were first.
    """

    requests: HubRequests

    def all(self, service: str = "", closed: bool = True) -> list[Incident]:
        """Return the newest 100 incidents that the caller sees: of one service or all, the closed or not."""
        asked = {"service": service, "closed": str(closed).lower(), "limit": str(_LISTED)}
        return read_model(ListedIncidents, self.requests.get("/incidents", asked)).items

    def show(self, number: int) -> Incident:
        """Return an incident."""
        return read_model(Incident, self.requests.get(f"/incidents/{number}"))

    def note(
        self, number: int, words: str, unknown: tuple[str, ...] | None = None, seen: Digest | None = None
    ) -> Incident:
        """Add a note; ``unknown`` says anew what is not known yet."""
        return self._amend(number, "notes", {"text": words, "unknown": unknown}, seen)

    def grade(
        self, number: int, levels: tuple[EventGrade, ResponseLevel], note: str = "", seen: Digest | None = None
    ) -> Incident:
        """Set event grade and response level."""
        said = {"grade": levels[0].value, "response": levels[1].value, "note": note}
        return self._amend(number, "grade", said, seen)

    def report(self, number: int, clock: str, note: str = "", seen: Digest | None = None) -> Incident:
        """Say that a report was made now."""
        return self._amend(number, "reports", {"clock": clock, "note": note}, seen)

    def mitigate(self, number: int, note: str = "", seen: Digest | None = None) -> Incident:
        """Say that the harm has been stopped."""
        return self._amend(number, "mitigation", {"note": note}, seen)

    def close(self, number: int, summary: str, seen: Digest | None = None) -> Incident:
        """Close an incident with its summary."""
        return self._amend(number, "closing", {"summary": summary}, seen)

    def correct(self, number: int, line: int, words: str, seen: Digest | None = None) -> Incident:
        """Set a line of the timeline right; lines count from 1."""
        return self._amend(number, "corrections", {"line": line, "text": words}, seen)

    def desk(self) -> DutyDesk:
        """Return where every service of the caller stands, the most serious first."""
        return read_model(DutyDesk, self.requests.get("/desk"))

    def runbook(self, service: str) -> Runbook:
        """Return the runbook of a service; the default where it has none."""
        return read_model(Runbook, self.requests.get(_runbook(service)))

    def set_runbook(self, service: str, runbook: Runbook, seen: Digest | None = None) -> Runbook:
        """Let a service be run by another runbook from now on; ``seen``: the digest of the one that it replaces."""
        return read_model(Runbook, self.requests.write("PUT", _runbook(service), runbook.to_json_value(), seen))

    def _amend(self, number: int, act: str, said: dict[str, Any], seen: Digest | None) -> Incident:
        return read_model(Incident, self.requests.write("POST", f"/incidents/{number}/{act}", said, seen))


def _runbook(service: str) -> str:
    return f"/services/{quote(service, safe='')}/runbook"
