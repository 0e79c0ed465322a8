"""What runs on a node of a cluster for one box that answers batches: the warm worker, called remotely.

It takes columns and gives answers, both as plain arrays; how the box ended is a reply, not an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pilotbase.documents.application import Form
from pilotbase.documents.contract import Contract
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.hashes import hex_of
from pilotbase.documents.limits import EndReason
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.sandbox.box.box import BoxFacts
from pilotbase.sandbox.box.ends import BoxEnd, BoxEnded, Logs
from pilotbase.sandbox.box.environments import Environment
from pilotbase.sandbox.box.settings import BoxSettings
from pilotbase.sandbox.box.supervisor import BoxUsage
from pilotbase.sandbox.box.warm_worker import WarmWorker, start_worker
from pilotbase_estate.backends.parcels import ParcelHost


@dataclass(frozen=True)
class BoxOpening:
    """What a box is opened with; every node has the same version of these classes as we do."""

    application: str
    """Parcel of the application's files."""
    form: Form
    contract: Contract
    environment: tuple[str, tuple[str, ...], str]
    """Digest, packages, seal; the seal names its parcel."""
    settings: BoxSettings
    """Without how the box is started and watched: that is for the node."""


@dataclass(frozen=True)
class BoxReply:
    """The result of a call to a box: a value, or how it ended, or an error of ours."""

    value: Any = None
    end: BoxEnd | None = None
    error: PilotbaseError | None = None


class SessionHost(ParcelHost):
    """One warm worker on this node."""

    def __init__(self, folder: str = "") -> None:
        super().__init__(folder)
        self._worker: WarmWorker | None = None

    def open(self, opening: BoxOpening) -> BoxReply:
        """Open the box and load the application; the value is its facts and how long it loaded."""
        digest, packages, seal = opening.environment
        environment = Environment(digest, self.parcel(hex_of(seal)), packages, seal)
        application = self.parcel(opening.application)

        def opened() -> tuple[BoxFacts, float]:
            self._worker = start_worker(application, opening.form, opening.contract, environment, opening.settings)
            return self._worker.facts, self._worker.load_seconds

        return _reply(opened)

    def predict(self, columns: Mapping[str, Any], rows: int) -> BoxReply:
        """Return the values of the answers to one batch."""
        return _reply(lambda: self._opened.predict(FeatureBatch(dict(columns), rows)).values)

    def usage(self) -> BoxUsage:
        """Return what the box has used."""
        return self._opened.usage()

    def logs(self) -> Logs:
        """Return what the log policy releases."""
        return self._opened.logs()

    def close(self, reason: EndReason) -> None:
        """End the box."""
        if self._worker is not None:
            self._worker.close(reason)

    @property
    def _opened(self) -> WarmWorker:
        assert self._worker is not None
        return self._worker


def _reply(ask: Callable[[], Any]) -> BoxReply:
    try:
        return BoxReply(ask())
    except BoxEnded as ended:
        return BoxReply(end=BoxEnd(ended.reason, ended.end.batch, ended.detail))
    except PilotbaseError as error:
        return BoxReply(error=error)
