"""The watch of a service as its readers see it: how it stands now, and how it stood before."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise

import numpy as np

from pilotbase.documents.api.shapes import filled
from pilotbase.documents.api.watch import (
    CohortReading,
    DetectorReading,
    LevelReading,
    PathPoint,
    RaisedWarning,
    WatchStatus,
)
from pilotbase.documents.hashes import Digest
from pilotbase.documents.service import CertifiedRoute, Service
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Colour, Signal
from pilotbase.documents.watch import RiskWarning, Watch
from pilotbase.evidence.monitoring import exceeded
from pilotbase.watch.cohorts import list_cohorts
from pilotbase.watch.detectors.interface import restored
from pilotbase.watch.detectors.level import LevelState
from pilotbase.watch.following import LEVELS, risk_detector
from pilotbase.watch.labels import counts_of
from pilotbase.watch.standings import (
    DetectorStanding,
    EnteredMean,
    detectors_of,
    means_of,
    path_of,
    service_of,
    standing_of,
    watch_of,
)
from pilotbase.watch.warnings import (
    KIND,
    Done,
    acknowledgements,
    all_warnings,
    next_of,
    silences,
    standing_warnings,
    steps_of,
    sure_of,
    warnings_of,
)
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View

_COHORTS = 30
_STORED, _SHOWN = 200, 10
_COLOURS = list(Colour)
_EVENTS = 24
_SHOWN_STEPS = ("measure", "suspension", "confirmation", "retrial")


def status_of(view: View, service: str) -> WatchStatus:
    """Return how the watch of a service stands; raises `NotFoundError` where the actor sees no such service."""
    service_of(view, service)
    with view.reading() as connection:
        standing = standing_of(connection, service)
        detectors = detectors_of(connection, service)
        cohorts = list_cohorts(connection, service, _COHORTS)
        counts = counts_of(connection, service)
    raised, watch = standing_warnings(view, service), watch_of(view, service)
    return WatchStatus(
        service=service,
        watch=watch,
        colour=standing.colour if standing is not None else Colour.GREEN,
        detectors=tuple(_reading(one, watch) for one in detectors),
        warnings=_raised(view, list(raised.items())),
        silences=tuple(silences(view, service)),
        cohorts=tuple(CohortReading.model_validate(one, from_attributes=True) for one in cohorts),
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


def warning_of(view: View, digest: Digest) -> RaisedWarning:
    """Return one warning; raises `NotFoundError` where the actor sees none of this digest."""
    found = view.get(digest)
    if found is None or found.kind != KIND:
        raise NotFoundError("workspace.not_found", name=digest)
    return _raised(view, [(digest, found.load(RiskWarning))])[0]


def path(view: View, service: str, detector: str) -> tuple[PathPoint, ...]:
    """Return the path of a detector, oldest first; raises `NotFoundError` where the actor sees no such service."""
    service_of(view, service)
    with view.reading() as connection:
        standing = standing_of(connection, service)
        return tuple(path_of(connection, service, detector, standing.watch if standing is not None else None))


@dataclass(frozen=True)
class AlarmEvent:
    """What was said or done at a moment; with a colour, the detector took it."""

    at: datetime
    what: Text
    colour: Colour | None = None


@dataclass(frozen=True)
class AlarmHistory:
    """What led to a colour of a criterion and what followed, over all armings; ``exceeded`` as `evidence.exceeded`."""

    means: list[EnteredMean]
    exceeded: list[float]
    path: list[PathPoint]
    alpha: float
    events: list[AlarmEvent]
    raised: tuple[RaisedWarning, ...]


def alarm_history(view: View, service: Service, detector: str, acts: bool) -> AlarmHistory | None:
    """Return the history of a detector of risk, None before its first cohort; ``acts``: with what the base did."""
    with view.reading() as connection:
        means, path = means_of(connection, service.name, detector), path_of(connection, service.name, detector)
    if not means:
        return None
    exceeding: list[float] = []
    alpha = 1.0
    for watch, own in groupby(means, lambda one: one.watch):
        known = [one for one in view.load(watch, Watch).risks if detector.startswith(risk_detector(one))]
        risk = max(known, key=lambda one: len(one.criterion), default=None)
        alpha, life = (risk.alpha, risk.periods) if risk is not None else (alpha, 1)
        exceeding += exceeded(np.array([one.mean for one in own]), life, alpha).tolist()
    raised = list_warnings(view, service.name, _STORED)
    own_warnings = [one for one in raised if one.warning.detector == detector]
    events = [*_armings(view, service), *_turns(own_warnings)]
    events += _acts(view, own_warnings) if acts else []
    since = min(one.at for one in means)
    shown = sorted((one for one in events if one.at >= since or one.colour is None), key=lambda one: one.at)
    return AlarmHistory(means, exceeding, path, alpha, shown[-_EVENTS:], raised)


def _armings(view: View, service: Service) -> list[AlarmEvent]:
    found = [one.load(Watch) for one in view.find("watch", {"service": service.name}, _STORED)]
    return [
        AlarmEvent(one.armed_at, text("chart.alarm.armed", version=_watched(service, one)))
        for one in found
        if one.armed_at is not None
    ]


def _turns(raised: Sequence[RaisedWarning]) -> Iterator[AlarmEvent]:
    for one in raised:
        said = text(f"colour.{one.warning.colour}")
        yield AlarmEvent(one.warning.began, said, one.warning.colour)


def _acts(view: View, raised: Sequence[RaisedWarning]) -> Iterator[AlarmEvent]:
    """Yield what the base did about the warnings, in the words of its runbook."""
    with view.reading() as connection:
        for one in raised:
            for step, done in steps_of(connection, one.digest).items():
                kind, _, measure = step.partition(":")
                if not done.failed and kind in _SHOWN_STEPS:
                    code = f"countermeasure.{measure}" if measure else f"reaction.step.{kind}"
                    yield AlarmEvent(done.at, text(code))


@dataclass(frozen=True)
class EarlierArming:
    """From when what was watched, and the highest colour of each detector that had one."""

    armed_at: datetime
    watched: str
    warnings: tuple[RiskWarning, ...]


@dataclass(frozen=True)
class ColourSpell:
    """A time during which something had a colour."""

    begins: datetime
    ends: datetime
    colour: Colour


def drift_spells(raised: Sequence[RaisedWarning], begins: datetime, ends: datetime) -> dict[str, list[ColourSpell]]:
    """Return column → how long it had which colour; of a column that is not drifting the last spell has ended."""
    spells = defaultdict[str, list[ColourSpell]](list)
    until = dict[str, datetime]()
    for one in raised:  # newest first
        warning = one.warning
        if warning.signal is Signal.DRIFT and warning.at >= begins:
            column = warning.detector.partition(":")[2]
            if warning.colour is not Colour.GREEN:
                began = max(warning.began, begins)
                spells[column].insert(0, ColourSpell(began, max(until.get(column, ends), began), warning.colour))
            until[column] = warning.began
    return spells


def earlier_armings(
    view: View, service: Service, current: Watch | None, raised: Sequence[RaisedWarning]
) -> list[EarlierArming]:
    """Return the armings before the one that stands now, newest first; ``raised`` is what the service was warned of."""
    found = [one.load(Watch) for one in view.find("watch", {"service": service.name}, _STORED)]
    armings = {one.armed_at: one for one in found if one.armed_at is not None}
    begun = sorted(armings)
    ends = dict(pairwise([*begun, None]))
    now = current.armed_at if current is not None else None
    earlier = [at for at in reversed(begun) if at != now][:_SHOWN]
    return [EarlierArming(at, _watched(service, armings[at]), _highest(raised, at, ends[at])) for at in earlier]


def done_about(view: View, warning: Digest) -> tuple[Done, ...]:
    """Return what the base did about a warning, in order."""
    with view.reading() as connection:
        return tuple(steps_of(connection, warning).values())


def _raised(view: View, warnings: list[tuple[Digest, RiskWarning]]) -> tuple[RaisedWarning, ...]:
    known = acknowledgements(view, [digest for digest, _ in warnings])
    return tuple(
        RaisedWarning(
            digest=digest, warning=warning, acknowledged=known.get(digest), next=next_of(warning), sure=sure_of(warning)
        )
        for digest, warning in warnings
    )


def _reading(one: DetectorStanding, watch: Watch | None) -> DetectorReading:
    risks = {risk_detector(risk): risk for risk in watch.risks} if watch is not None else {}
    level = 1 / risks[one.detector].alpha if one.detector in risks else None
    return filled(DetectorReading, one, level=level, today=_today(one))


def _today(one: DetectorStanding) -> LevelReading | None:
    if one.signal not in LEVELS:
        return None
    state = restored(LevelState, json.loads(one.state))
    return LevelReading(calls=state.calls, bad=state.bad)


def _watched(service: Service, watch: Watch) -> str:
    """Return name and version of what was watched, as far as the service still has it; of others a dash."""
    for route in service.routes:
        if isinstance(route, CertifiedRoute) and route.certificate == watch.certificate:
            return f"{route.application.name} {route.application.version}"
    return "–"


def _highest(raised: Sequence[RaisedWarning], begins: datetime, ends: datetime | None) -> tuple[RiskWarning, ...]:
    highest = dict[str, RiskWarning]()
    for warning in reversed([one.warning for one in raised]):
        inside = warning.at >= begins and (ends is None or warning.at < ends)
        known = highest.get(warning.detector)
        rank = _COLOURS.index(warning.colour)
        if inside and rank > _COLOURS.index(known.colour if known else Colour.GREEN):
            highest[warning.detector] = warning
    return tuple(sorted(highest.values(), key=lambda one: -_COLOURS.index(one.colour)))
