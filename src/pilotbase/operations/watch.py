"""The watch of a service: observations and labels are handed in, warnings read; what only the operator does."""

from __future__ import annotations

from typing import Annotated, Any

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.api.shapes import RequestModel
from pilotbase.documents.api.watch import MAXIMUM_BATCHES, AuditWork, PathPoint, RaisedWarning, SentBatch, WatchStatus
from pilotbase.documents.base import Moment
from pilotbase.documents.hashes import DIGEST_PATTERN, Digest
from pilotbase.documents.observation import CaseId, LabelBatch, ObservationBatch, Taken
from pilotbase.documents.permissions import WatchAct
from pilotbase.documents.watch import Acknowledgement, Replay, Silence, Watch, WatchTerms
from pilotbase.operations.operation import NOTHING, PATH, Callers, In, NoInput, Operation, Repeated
from pilotbase.operations.services import OfService, OfServiceWith

Detector = Annotated[str, StringConstraints(min_length=1, max_length=400)]


_DIGEST = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_CASES = {
    "document": "observation-batch/1",
    "service": "milling",
    "batch": "shift-7",
    "at": "2027-05-07T06:00:00Z",
    "ids": ["shift-7/0"],
    "inputs": {"torque": [41.5]},
    "answers": ["fine"],
}
_LABELS = {"document": "label-batch/1", "service": "milling", "batch": "may-7", "labels": {"shift-7/0": "broken"}}


class Batches(OfService):
    """Batches of one service that are handed in together: those of labels are taken after those of observations."""

    batches: Annotated[
        tuple[Annotated[SentBatch, pydantic.Field(discriminator="document")], ...],
        pydantic.Field(min_length=1, max_length=MAXIMUM_BATCHES),
    ]


class OfDetector(OfService):
    """Which detector."""

    detector: Detector


class Arming(OfService):
    """Which replay was looked at before a watch is armed."""

    replay: Digest


class NewSilence(OfService):
    """A detector whose notices to silence, until when, and why."""

    detector: Detector | None = None
    """None: of all of the service."""
    reason: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    until: Moment


class SilenceEnd(OfService):
    """A detector whose silence to end."""

    detector: Detector | None = None


class Erasure(OfService):
    """Which case is to be erased, with its labels."""

    case: CaseId


class Care(RequestModel):
    """A note by the person who takes care of a warning."""

    digest: Annotated[str, StringConstraints(pattern=DIGEST_PATTERN), PATH]
    note: Annotated[str, StringConstraints(max_length=2000)] = ""


def _hands_in(verb: str, place: str, takes: type[In], example: dict[str, Any]) -> Operation[In, Taken]:
    """Return what takes cases or labels of a service, from a person or under its key."""
    return Operation(
        f"watch.{verb}",
        f"POST /services/{{service}}/{place}",
        takes,
        Taken,
        who=WatchAct.HAND_IN,
        callers=Callers.OBSERVERS,
        repeated=Repeated.HARMLESS,
        example=example,
    )


_PAGE = "/api/services/{asked.service}/watch"
OBSERVE = _hands_in("observe", "observations", OfServiceWith[ObservationBatch], _CASES)
LABEL = _hands_in("label", "labels", OfServiceWith[LabelBatch], _LABELS)
HAND_IN = _hands_in("hand_in", "batches", Batches, {"batches": [_CASES, _LABELS]})
SHOW = Operation("watch.show", "GET /services/{service}/watch", OfService, WatchStatus)
AUDIT = Operation("watch.audit", "GET /services/{service}/watch/audit", OfService, AuditWork, who=WatchAct.HAND_IN)
PATH_OF = Operation("watch.path", "GET /services/{service}/watch/path", OfDetector, list[PathPoint])
REPLAY = Operation(
    "watch.replay",
    "POST /services/{service}/watch/replays",
    OfServiceWith[WatchTerms],
    Replay,
    who=WatchAct.REPLAY,
    location=_PAGE,
    example={"tolerance": 0.02, "alpha": 0.05},
)
ARM = Operation(
    "watch.arm", "POST /services/{service}/watch/arming", Arming, Watch, who=WatchAct.ARM, example={"replay": _DIGEST}
)
DISARM = Operation("watch.disarm", "POST /services/{service}/watch/disarming", OfService, Watch, who=WatchAct.DISARM)
WARNINGS_OF = Operation("watch.warnings_of", "GET /services/{service}/warnings", OfService, list[RaisedWarning])
WARNINGS = Operation("watch.warnings", "GET /warnings", NoInput, list[RaisedWarning])
ACKNOWLEDGE = Operation(
    "watch.acknowledge",
    "POST /warnings/{digest}/acknowledgement",
    Care,
    Acknowledgement,
    who=WatchAct.CARE,
    location="/api/warnings",
    example={"note": "The night shift looks at the sensor."},
)
SILENCE = Operation(
    "watch.silence",
    "POST /services/{service}/silences",
    NewSilence,
    Silence,
    who=WatchAct.SILENCE,
    location=_PAGE,
    example={"detector": "drift:torque", "reason": "The tool is changed", "until": "2027-05-08T06:00:00Z"},
)
END_SILENCE = Operation(
    "watch.end_silence",
    "POST /services/{service}/silences/end",
    SilenceEnd,
    NOTHING,
    who=WatchAct.SILENCE,
    example={"detector": "drift:torque"},
)
ERASE = Operation(
    "watch.erase",
    "POST /services/{service}/erasures",
    Erasure,
    NOTHING,
    who=WatchAct.ERASE,
    example={"case": "shift-7/0"},
)
