"""The watch of a hub, for programs: what is handed in, how watches stand, what an operator does about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from pilotbase.documents.api.watch import PathPoint, RaisedWarning, SentBatch, WatchStatus
from pilotbase.documents.contract import Contract
from pilotbase.documents.hashes import Digest
from pilotbase.documents.observation import LabelBatch, Taken
from pilotbase.documents.report import Report
from pilotbase.documents.service import CertifiedRoute, Route
from pilotbase.documents.watch import Acknowledgement, Replay, Silence, Watch, WatchTerms
from pilotbase.protocols.guarded_http import Answer
from pilotbase.protocols.hub_client import read_list, read_model
from pilotbase.protocols.hub_requests import HubRequests
from pilotbase.protocols.hub_services import HubServices


@dataclass(frozen=True)
class HubWatch:
    """What a person may do to the watches of a hub; everything raises as `HubRequests.send`."""

    requests: HubRequests

    def take(self, batch: SentBatch) -> Taken:
        """Hand in a batch of at most 2 MiB as JSON; the same one again changes nothing. Refused: `InputError`."""
        what = "labels" if isinstance(batch, LabelBatch) else "observations"
        return read_model(Taken, self._write(batch.service, what, batch.to_json_value()))

    def take_all(self, service: str, batches: Sequence[SentBatch]) -> Taken:
        """Hand in up to 1000 batches of a service, at most 2 MiB as JSON together; the same again change nothing.

        What is refused stands in the answer with its reason, and the rest is taken.
        """
        value = {"batches": [batch.to_json_value() for batch in batches]}
        return read_model(Taken, self._write(service, "batches", value))

    def answering(self, service: str) -> Route:
        """Return what answers for a service now."""
        seen = HubServices(self.requests).show(quote(service, safe=""))
        return seen.service.routes[min(seen.standing.route, len(seen.service.routes) - 1)]

    def contract(self, route: Route) -> Contract | None:
        """Return the data contract of what answers, by the report of its trial; None where the hub keeps no trial."""
        if not isinstance(route, CertifiedRoute) or route.commission is None:
            return None
        trial = route.commission.partition(":")[2]
        return read_model(Report, self.requests.get(f"/trials/{trial}/report")).contract

    def status(self, service: str) -> WatchStatus:
        """Return how the watch of a service stands: detectors, warnings, cohorts, what was refused."""
        return read_model(WatchStatus, self.requests.get(_path(service, "watch")))

    def path(self, service: str, detector: str) -> list[PathPoint]:
        """Return where a detector stood over time."""
        return read_list(PathPoint, self.requests.get(_path(service, "watch/path"), {"detector": detector}))

    def warnings(self, service: str = "") -> list[RaisedWarning]:
        """Return the warnings of a service, or of all that the caller sees, newest first."""
        place = _path(service, "warnings") if service else "/warnings"
        return read_list(RaisedWarning, self.requests.get(place))

    def replay(self, service: str, terms: WatchTerms) -> Replay:
        """Return what a watch on these terms would have warned of; its digest is what `arm` wants."""
        return read_model(Replay, self._write(service, "watch/replays", terms.to_json_value()))

    def arm(self, service: str, replay: Digest) -> Watch:
        """Arm the watch that was replayed last; its detectors begin anew."""
        return read_model(Watch, self._write(service, "watch/arming", {"replay": replay}))

    def disarm(self, service: str) -> Watch:
        """Let a service go unwatched."""
        return read_model(Watch, self._write(service, "watch/disarming", {}))

    def acknowledge(self, warning: Digest, note: str = "") -> Acknowledgement:
        """Say that somebody takes care of a warning."""
        place = f"/warnings/{quote(warning, safe=':')}/acknowledgement"
        return read_model(Acknowledgement, self.requests.write("POST", place, {"note": note}))

    def silence(self, service: str, reason: str, until: datetime, detector: str | None = None) -> Silence:
        """Let notices of a detector, or of all of a service, rest until a moment with a zone, and say why."""
        wanted = {"reason": reason, "until": until.isoformat(), "detector": detector}
        return read_model(Silence, self._write(service, "silences", wanted))

    def end_silence(self, service: str, detector: str | None = None) -> None:
        """Let notices of a detector, or of a service, go out again."""
        self._write(service, "silences/end", {"detector": detector})

    def erase(self, service: str, case: str) -> None:
        """Erase one case with its labels, as the person whom it is about may ask."""
        self._write(service, "erasures", {"case": case})

    def _write(self, service: str, what: str, value: Any) -> Answer:
        return self.requests.write("POST", _path(service, what), value)


def _path(service: str, what: str) -> str:
    return f"/services/{quote(service, safe='')}/{what}"
