"""What runs on a node of a cluster for one box that answers batches: the warm worker, called remotely.

It takes columns and gives answers, both as plain arrays; it reports how the box ended in words, not as an exception.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pilotbase.documents.application import Form
from pilotbase.documents.contract import Contract
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.hashes import hex_of
from pilotbase.documents.limits import EndReason, IsolationLevel, Limits
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.sandbox.box.ends import BoxEnded
from pilotbase.sandbox.box.environments import Environment
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy
from pilotbase.sandbox.box.warm_worker import WarmWorker, start_worker
from pilotbase_estate.backends.parcels import ParcelHost


@dataclass(frozen=True)
class BoxOpening:
    """What a box is opened with, in texts and numbers."""

    application: str
    """Parcel of the application's files."""
    form: str
    contract: str
    environment: tuple[str, tuple[str, ...], str]
    """Digest, packages, seal; the seal names its parcel."""
    limits: str
    level: str
    uid: int
    logs: str


@dataclass(frozen=True)
class BoxReply:
    """The result of a call to a box: a value, or how it ended, or an error of ours by code and parameters."""

    value: Any = None
    end: tuple[str, int, str] | None = None
    error: tuple[str, Mapping[str, Any]] | None = None


class SessionHost(ParcelHost):
    """One warm worker on this node."""

    def __init__(self, folder: str = "") -> None:
        super().__init__(folder)
        self._worker: WarmWorker | None = None

    def open(self, opening: BoxOpening) -> BoxReply:
        """Open the box and load the application; the value is its facts and how long it loaded."""
        digest, packages, seal = opening.environment
        settings = BoxSettings(
            limits=Limits.model_validate_json(opening.limits),
            level=IsolationLevel(opening.level),
            uid=opening.uid,
            logs=LogPolicy(opening.logs),
        )
        try:
            self._worker = start_worker(
                self.parcel(opening.application),
                Form.model_validate_json(opening.form),
                Contract.model_validate_json(opening.contract),
                Environment(digest, self.parcel(hex_of(seal)), packages, seal),
                settings,
            )
        except BoxEnded as ended:
            return _ended(ended)
        except PilotbaseError as error:
            return BoxReply(error=(error.code, dict(error.text.params)))
        return BoxReply((asdict(self._worker.facts), self._worker.load_seconds))

    def predict(self, columns: Mapping[str, Any], rows: int) -> BoxReply:
        """Return the values of the answers to one batch."""
        assert self._worker is not None
        try:
            return BoxReply(self._worker.predict(FeatureBatch(dict(columns), rows)).values)
        except BoxEnded as ended:
            return _ended(ended)
        except PilotbaseError as error:
            return BoxReply(error=(error.code, dict(error.text.params)))

    def usage(self) -> dict[str, Any]:
        """Return what the box has used."""
        assert self._worker is not None
        return asdict(self._worker.usage())

    def logs(self) -> dict[str, Any]:
        """Return what the log policy releases."""
        assert self._worker is not None
        return asdict(self._worker.logs())

    def close(self, reason: str) -> None:
        """End the box."""
        if self._worker is not None:
            self._worker.close(EndReason(reason))


def _ended(ended: BoxEnded) -> BoxReply:
    return BoxReply(end=(ended.reason.value, ended.end.batch, ended.detail))
