"""The watch of a service as it stands, for whoever sees the service."""

from __future__ import annotations

import json

from pilotbase.documents.api.watch import (
    CohortReading,
    DetectorReading,
    LevelReading,
    PathPoint,
    RaisedWarning,
    WatchStatus,
)
from pilotbase.documents.hashes import Digest
from pilotbase.documents.vocabularies import Colour
from pilotbase.documents.watch import RiskWarning, Watch
from pilotbase.watch.cohorts import Cohort, list_cohorts
from pilotbase.watch.detectors import LevelState, restored
from pilotbase.watch.following import LEVELS, risk_detector
from pilotbase.watch.intake_counters import counts_of
from pilotbase.watch.silences import acknowledgements, silences
from pilotbase.watch.standings import DetectorStanding, detectors_of, path_of, standing_of
from pilotbase.watch.subjects import service_of, watch_of
from pilotbase.watch.warnings import all_warnings, standing_warnings, warnings_of
from pilotbase.workspace.store import View

COHORTS = 30


def status_of(view: View, service: str) -> WatchStatus:
    """Return how the watch of a service stands; raises `NotFoundError` where the actor sees no such service."""
    service_of(view, service)
    with view.reading() as connection:
        standing = standing_of(connection, service)
        detectors = detectors_of(connection, service)
        cohorts = list_cohorts(connection, service, COHORTS)
        counts = counts_of(connection, service)
    raised, watch = standing_warnings(view, service), watch_of(view, service)
    return WatchStatus(
        service=service,
        watch=watch,
        colour=standing.colour if standing is not None else Colour.GREEN,
        detectors=tuple(_reading(one, watch) for one in detectors),
        warnings=_raised(view, list(raised.items())),
        silences=tuple(silences(view, service)),
        cohorts=tuple(map(_cohort, cohorts)),
        counts={one.what.value: one.count for one in counts},
    )


def list_warnings(view: View, service: str | None = None, limit: int = 100) -> tuple[RaisedWarning, ...]:
    """Return the warnings of a service, or of all that the actor sees, newest first, those that are over among them.

    Raises:
        NotFoundError: the actor sees no such service.
    """
    if service is None:
        return _raised(view, all_warnings(view, limit))
    service_of(view, service)
    return _raised(view, warnings_of(view, service, limit))


def path(view: View, service: str, detector: str) -> tuple[PathPoint, ...]:
    """Return the path of a detector, oldest first; raises `NotFoundError` where the actor sees no such service."""
    service_of(view, service)
    with view.reading() as connection:
        found = path_of(connection, service, detector)
    return tuple(PathPoint(at=one.at, seen=one.seen, value=one.value, colour=one.colour) for one in found)


def _raised(view: View, warnings: list[tuple[Digest, RiskWarning]]) -> tuple[RaisedWarning, ...]:
    known = acknowledgements(view, [digest for digest, _ in warnings])
    return tuple(
        RaisedWarning(digest=digest, warning=warning, acknowledged=known.get(digest)) for digest, warning in warnings
    )


def _reading(one: DetectorStanding, watch: Watch | None) -> DetectorReading:
    risks = {risk_detector(risk): risk for risk in watch.risks} if watch is not None else {}
    return DetectorReading(
        detector=one.detector,
        signal=one.signal,
        colour=one.colour,
        seen=one.seen,
        value=one.value,
        level=1 / risks[one.detector].alpha if one.detector in risks else None,
        promise=one.promise,
        last_at=one.last_at,
        today=_today(one),
    )


def _today(one: DetectorStanding) -> LevelReading | None:
    if one.signal not in LEVELS:
        return None
    state = restored(LevelState, json.loads(one.state))
    return LevelReading(calls=state.calls, bad=state.bad)


def _cohort(one: Cohort) -> CohortReading:
    return CohortReading(
        begins_at=one.begins_at,
        seconds=one.seconds,
        closes_at=one.closes_at,
        state=one.state.value,
        cases=one.cases,
        labelled=one.labelled,
    )
