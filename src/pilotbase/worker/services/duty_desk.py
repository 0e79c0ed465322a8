"""The duty desk: the status and warnings of every service, what was done, and which reports are due when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pilotbase.catalogue.records import both_languages
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.api.watch import DeskClock, DeskService, DeskWarning, DutyDesk
from pilotbase.documents.moments import format_minute
from pilotbase.documents.permissions import ReadScope, permitted
from pilotbase.documents.service import Service, ServiceStatus
from pilotbase.documents.texts import Language, Text, text
from pilotbase.documents.vocabularies import Colour, ServingState
from pilotbase.documents.watch import Incident, ReportingClock, RiskWarning
from pilotbase.service.registry import services_of
from pilotbase.watch.incidents import list_incidents
from pilotbase.watch.standings import armed_services, read_services
from pilotbase.watch.warnings import Done, newest_steps, warned_heads
from pilotbase.workspace.store import View

_COLOURS, _STATES = list(Colour), list(ServingState)
_SHOWN_ACTS, _LOOKED_AT, _INCIDENTS = 6, 60, 500
"""For each service: the shown acts, and the newest steps that are read; incidents of all services."""
_OF_ONE_TIME = frozenset({"seconds"})
"""Parameters that differ when the same act is repeated."""


@dataclass(frozen=True)
class RunningClock:
    """A due report and its incident."""

    incident: int
    clock: ReportingClock
    overdue: bool


@dataclass(frozen=True)
class DoneAct:
    """An automatic act in its newest form, and how often it occurs among the steps that are read."""

    last: Done
    times: int = 1

    @property
    def what(self) -> Text:
        """Return what was done; for repeated acts, how often, and when last."""
        if self.times == 1:
            return self.last.what
        return text("incident.done_times", what=self.last.what, times=self.times, at=format_minute(self.last.at))


@dataclass(frozen=True)
class DeskLine:
    """One service as the desk shows it."""

    service: Service
    standing: ServiceStatus
    watched: bool
    """Whether a watch is armed: without one, green means nothing."""
    has_data: bool
    """Whether its detectors have read anything since: if not, green means nothing either."""
    warnings: tuple[RiskWarning, ...]
    """Its present warnings, most serious first."""
    done: tuple[DoneAct, ...]
    """Automatic acts about it, newest first; repeated acts are listed once."""
    incidents: tuple[Incident, ...]
    """The open ones."""
    clocks: tuple[RunningClock, ...]
    """Reports by due date, earliest first; those of closed incidents too."""

    @property
    def colour(self) -> Colour:
        """Return the most serious colour of its warnings."""
        return self.warnings[0].colour if self.warnings else Colour.GREEN

    @property
    def since(self) -> datetime | None:
        """Return the time since when it has this colour; None while it is green."""
        return min((one.at for one in self.warnings if one.colour is self.colour), default=None)


def duty_desk(view: View) -> list[DeskLine]:
    """Return the services that the actor has on their desk, most serious first; none for other roles."""
    actor = view.actor
    if not permitted(ReadScope.DESK, actor):
        return []
    found = _read(view)
    seen = [pair for pair in services_of(view) if actor.sees_all or pair[0].organisation == actor.organisation]
    return sorted((_line(found, service, standing, view.store.clock()) for service, standing in seen), key=_order)


def clocks_of(incidents: Iterable[Incident], now: datetime) -> tuple[RunningClock, ...]:
    """Return the unmade reports of ``incidents``, earliest due date first."""
    running = [
        RunningClock(incident.number, clock, clock.due < now)
        for incident in incidents
        for clock in incident.clocks
        if clock.done_at is None
    ]
    return tuple(sorted(running, key=lambda one: one.clock.due))


@dataclass(frozen=True)
class _Found:
    """The facts about all services, read in a fixed number of queries."""

    armed: frozenset[str]
    read: frozenset[str]
    warnings: Sequence[RiskWarning]
    done: Mapping[str, list[Done]]
    incidents: Sequence[Incident]


def _read(view: View) -> _Found:
    with view.reading() as connection:
        armed, heads = frozenset(armed_services(connection)), warned_heads(connection)
        read = frozenset(read_services(connection))
        done = newest_steps(connection, _LOOKED_AT)
    warnings = [stored.load(RiskWarning) for stored in view.named(heads).values()]
    standing = [one for one in warnings if one.colour is not Colour.GREEN]
    standing.sort(key=lambda one: (-_COLOURS.index(one.colour), one.at))
    return _Found(armed, read, standing, done, list_incidents(view, limit=_INCIDENTS))


def _line(found: _Found, service: Service, standing: ServiceStatus, now: datetime) -> DeskLine:
    own = [incident for incident in found.incidents if incident.service == service.name]
    return DeskLine(
        service=service,
        standing=standing,
        watched=service.name in found.armed,
        has_data=service.name in found.read,
        warnings=tuple(one for one in found.warnings if one.service == service.name),
        done=_folded(found.done.get(service.name, ()))[:_SHOWN_ACTS],
        incidents=tuple(incident for incident in own if incident.state != "closed"),
        clocks=clocks_of(own, now),
    )


def _folded(steps: Sequence[Done]) -> tuple[DoneAct, ...]:
    """Return the acts among ``steps``, newest first: for repeats, the newest and their number."""
    acts = [(one.failed, one.what.code, {**one.what.params, **dict.fromkeys(_OF_ONE_TIME)}) for one in steps]
    return tuple(DoneAct(steps[place], acts.count(act)) for place, act in enumerate(acts) if acts.index(act) == place)


def _order(line: DeskLine) -> tuple[bool, int, int, str]:
    overdue = any(clock.overdue for clock in line.clocks)
    return not overdue, -_COLOURS.index(line.colour), -_STATES.index(line.standing.state), line.service.name


def told_desk(view: View, reader: Language) -> DutyDesk:
    """Return the status of every service on the actor's desk, in the language of ``reader``."""
    return DutyDesk(items=[_service(line, reader) for line in duty_desk(view)])


def _service(line: DeskLine, reader: Language) -> DeskService:
    standing, service = line.standing, line.service
    return filled(
        DeskService,
        line,
        service=service.name,
        title=both_languages(service.title),
        organisation=service.organisation,
        state=standing.state,
        state_since=standing.at,
        reason=standing.reason.render(reader),
        warnings=[filled(DeskWarning, one, since=one.at, reason=one.reason.render(reader)) for one in line.warnings],
        done=[act.what.render(reader) for act in line.done],
        incidents=[incident.number for incident in line.incidents],
        clocks=[filled(DeskClock, one.clock, one) for one in line.clocks],
    )
