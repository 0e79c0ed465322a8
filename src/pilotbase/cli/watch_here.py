"""The watch of the base on this machine: the same as `protocols.hub_watch.HubWatch` over a hub's API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pilotbase.documents.api.watch import RaisedWarning, WatchStatus
from pilotbase.documents.hashes import Digest
from pilotbase.documents.observation import LabelBatch, ObservationBatch, Taken
from pilotbase.documents.watch import Acknowledgement, Replay, Silence, Watch, WatchTerms
from pilotbase.watch import arming, muting, status
from pilotbase.watch.observations import take
from pilotbase.watch.retention import erase_case
from pilotbase.worker.base import Base
from pilotbase.workspace.store import View


@dataclass(frozen=True)
class WatchHere:
    """What the operator does to the watches of ``base``; everything raises as the functions of `pilotbase.watch`."""

    base: Base

    @property
    def view(self) -> View:
        """Return what the base itself sees."""
        return self.base.lab.view

    def take(self, batch: ObservationBatch | LabelBatch) -> Taken:
        """Take a batch in."""
        return take(self.view, [batch])

    def status(self, service: str) -> WatchStatus:
        """Return how the watch of a service stands."""
        return status.status_of(self.view, service)

    def warnings(self, service: str = "") -> Sequence[RaisedWarning]:
        """Return the warnings of a service, or of all, newest first."""
        return status.list_warnings(self.view, service or None)

    def replay(self, service: str, terms: WatchTerms) -> Replay:
        """Return what a watch on these terms would have warned of."""
        lab = self.base.lab
        return arming.replay_watch(lab, self.view, arming.prepare_watch(lab, self.view, service, terms))

    def arm(self, service: str, replay: Digest) -> Watch:
        """Arm the watch that was replayed last."""
        return arming.arm(self.view, service, replay)

    def disarm(self, service: str) -> Watch:
        """Let a service go unwatched."""
        return arming.disarm(self.view, service)

    def acknowledge(self, warning: Digest, note: str = "") -> Acknowledgement:
        """Say that somebody takes care of a warning."""
        return muting.acknowledge(self.view, warning, note)

    def silence(self, service: str, reason: str, until: datetime, detector: str | None = None) -> Silence:
        """Let notices rest until a moment."""
        return muting.silence(self.view, service, reason, until, detector)

    def end_silence(self, service: str, detector: str | None = None) -> None:
        """Let notices go out again."""
        muting.end_silence(self.view, service, detector)

    def erase(self, service: str, case: str) -> None:
        """Erase one case with its labels."""
        erase_case(self.view, service, case)
