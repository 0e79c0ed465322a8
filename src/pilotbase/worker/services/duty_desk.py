"""The duty desk: the status and warnings of every service, what was done, and which reports are due when.

And the diligence record of one service: which of its rules were kept, by the same facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pilotbase.catalogue.records import both_languages
from pilotbase.certificate.status import IssuedCertificate
from pilotbase.documents.api.services import DiligenceLine, DiligenceRecord, DiligenceRule
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.api.watch import DeskClock, DeskService, DeskWarning, DutyDesk
from pilotbase.documents.hashes import Digest
from pilotbase.documents.moments import format_minute
from pilotbase.documents.permissions import ReadScope, ServiceAct, permitted
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.service import CertifiedRoute, EndpointRoute, Service, ServiceStatus
from pilotbase.documents.texts import Language, Text, text
from pilotbase.documents.vocabularies import Colour, ServingState
from pilotbase.documents.watch import Incident, ReportingClock, RiskWarning
from pilotbase.service.registry import opened, services_of
from pilotbase.service.terms import tell_exposure
from pilotbase.watch.incidents import list_incidents
from pilotbase.watch.standings import armed_services, read_services
from pilotbase.watch.warnings import Done, acknowledgements, newest_steps, steps_of, warned_heads, warnings_of
from pilotbase.worker.base import Base
from pilotbase.workspace.store import View

_COLOURS, _STATES = list(Colour), list(ServingState)
_SHOWN_ACTS, _LOOKED_AT, _INCIDENTS = 6, 60, 500
"""For each service: the shown acts, and the newest steps that are read; incidents of all services."""
_MOST_WARNINGS, _MOST_SHOWN = 10_000, 20
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


def diligence_of(base: Base, view: View, name: str) -> DiligenceRecord:
    """Return which rules a service has kept; raises `NotFoundError`, `RefusedError`."""
    service = opened(view, name, ServiceAct.INSPECT)
    warnings = warnings_of(view, name, _MOST_WARNINGS)
    lines = (
        _certified(service),
        _attempts(base.lab.view, service),
        _exposed(view, name),
        _answered(view, warnings),
        _reacted(view, warnings),
        _reported(list_incidents(view, name, limit=_INCIDENTS), view.store.clock()),
    )
    return DiligenceRecord(service=name, at=view.store.clock(), lines=lines)


def _certified(service: Service) -> DiligenceLine:
    certified = [one.certificate for one in service.routes if isinstance(one, CertifiedRoute)]
    others = [one.override for one in service.routes if isinstance(one, EndpointRoute)]
    fact = text("service.diligence_certified", certified=len(certified), others=len(others))
    return _line_of("certified", not others, fact, [*others, *certified])


def _attempts(view: View, service: Service) -> DiligenceLine:
    """Return whether each certificate came within the attempts that its plan allows."""
    made = [one for one in service.routes if isinstance(one, CertifiedRoute)]
    found = [(view.load(one.certificate, IssuedCertificate).certificate, view.get(one.plan)) for one in made]
    known = [(one.attempt, plan.load(TrialPlan).attempts) for one, plan in found if plan is not None]
    if not known:
        return _not_applicable("attempts", text("service.diligence_no_plan"))
    spelled = ", ".join(f"{attempt}/{allowed}" for attempt, allowed in known)
    kept = all(attempt <= allowed for attempt, allowed in known)
    return _line_of("attempts", kept, text("service.diligence_attempts", attempts=spelled), [one.plan for one in made])


def _exposed(view: View, name: str) -> DiligenceLine:
    told = tell_exposure(view, name)
    if told.exposure is None or told.cases is None:
        return _not_applicable("exposure", text("service.exposure_none"))
    fact = text("service.diligence_exposure", used=told.used + told.held, cases=told.cases)
    granted = [one.digest() for one in (told.exposure, *told.earlier)]
    return _line_of("exposure", told.used + told.held <= told.cases, fact, granted)


def _answered(view: View, warnings: Sequence[tuple[Digest, RiskWarning]]) -> DiligenceLine:
    """Return whether somebody took care of every warning."""
    raised = {digest: one for digest, one in warnings if one.colour is not Colour.GREEN}
    if not raised:
        return _not_applicable("warnings", text("service.diligence_no_warnings"))
    answered = acknowledgements(view, raised)
    hours = [(said.at - raised[digest].at).total_seconds() / 3600 for digest, said in answered.items()]
    fact = text("service.diligence_unanswered", warnings=len(raised))
    if hours:
        longest = f"{max(hours):.1f}"
        fact = text("service.diligence_warnings", answered=len(answered), warnings=len(raised), hours=longest)
    return _line_of("warnings", len(answered) == len(raised), fact, raised)


def _reacted(view: View, warnings: Sequence[tuple[Digest, RiskWarning]]) -> DiligenceLine:
    """Return whether every red warning had its reaction, and no step of it failed."""
    red = [digest for digest, one in warnings if one.colour is Colour.RED]
    if not red:
        return _not_applicable("reactions", text("service.diligence_no_red"))
    with view.reading() as connection:
        steps = [steps_of(connection, digest).values() for digest in red]
    done = [bool(one) and not any(step.failed for step in one) for one in steps]
    fact = text("service.diligence_reactions", done=sum(done), red=len(red))
    return _line_of("reactions", all(done), fact, red)


def _reported(incidents: Sequence[Incident], now: datetime) -> DiligenceLine:
    """Return whether every report was made by its time; one that is not due yet counts for neither."""
    due = [clock for one in incidents if not one.drill for clock in one.clocks if clock.done_at or clock.due < now]
    if not due:
        return _not_applicable("reports", text("service.diligence_no_reports"))
    late = [clock for clock in due if (clock.done_at or now) > clock.due]
    fact = text("service.diligence_reports", made=len(due) - len(late), due=len(due))
    return _line_of("reports", not late, fact, [one.digest() for one in incidents])


def _line_of(rule: DiligenceRule, kept: bool, fact: Text, records: Iterable[Digest]) -> DiligenceLine:
    shown = tuple(records)[:_MOST_SHOWN]
    return DiligenceLine(rule=rule, state="kept" if kept else "not_kept", fact=fact, records=shown)


def _not_applicable(rule: DiligenceRule, fact: Text) -> DiligenceLine:
    return DiligenceLine(rule=rule, state="not_applicable", fact=fact)
