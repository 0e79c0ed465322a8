"""The way of a scenario from demand to use as one thread: its records, when each had which state, what comes next.

Of a scenario, an application, a trial or a service it holds what belongs to it and what the actor sees; the rest does
not exist for them, also where it is counted. The number of statements does not depend on the number of records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from pilotbase.catalogue.records import records_of
from pilotbase.certificate.status import CertificateStatus, RevocationList, certificate_in, revocations_of, standing_of
from pilotbase.documents.base import Localized
from pilotbase.documents.moments import format_day
from pilotbase.documents.permissions import Act, ReadScope, permitted
from pilotbase.documents.record import ApplicationVersion, Record, StepTaken, Waiting
from pilotbase.documents.service import CertifiedRoute, Service, ServiceStatus
from pilotbase.documents.states import ApplicationState, CommissionState, DemandState, ScenarioState
from pilotbase.documents.subjects import incident_subject, kind_of, name_of, watch_head
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Colour, ServingState
from pilotbase.documents.watch import Incident, RiskWarning, Watch
from pilotbase.service.registry import load_service
from pilotbase.watch.incidents import list_incidents
from pilotbase.watch.warnings import warnings_of
from pilotbase.workspace.listings import Listing, Query, find_listings, list_page
from pilotbase.workspace.records import Stored
from pilotbase.workspace.store import View

MOST = {"application": 4, "commission": 5, "service": 2}
"""Kind of record → how many of the newest a thread shows; of a trial also its application and its certificate."""
_SERVICES, _INCIDENTS, _PAST = 20, 3, 40
_READ = ("application", "certificate")
_CERTIFICATE = {
    CommissionState.CERTIFIED: CertificateStatus.VALID,
    CommissionState.SUSPENDED: CertificateStatus.SUSPENDED,
    CommissionState.REVOKED: CertificateStatus.REVOKED,
}
_OVER = frozenset(
    {
        ScenarioState.CLOSED,
        ScenarioState.WITHDRAWN,
        DemandState.WITHDRAWN,
        ApplicationState.WITHDRAWN,
        ServingState.STOPPED,
    }
    | {CommissionState.DECLINED, CommissionState.CANCELLED, CertificateStatus.REVOKED, CertificateStatus.EXPIRED}
)
"""States after which nothing goes on."""
_DONE = (*_CERTIFICATE, CommissionState.DECLINED, CommissionState.CANCELLED)


class MissionStage(StrEnum):
    """The stages of a thread, in order; names: text ``mission.stage.<value>``."""

    WORDS = "words"
    """The demand in words that the scenario was made of."""
    DEMAND = "demand"
    APPLICATION = "application"
    TRIAL = "trial"
    CERTIFICATE = "certificate"
    SERVICE = "service"
    WATCH = "watch"
    INCIDENT = "incident"


@dataclass(frozen=True)
class StateSpell:
    """A time during which something was in one state."""

    begins: datetime
    ends: datetime | None
    """None: it still is."""
    state: str


@dataclass(frozen=True)
class Happening:
    """What happened, and by whom; nobody is named where the base's own process did it."""

    at: datetime
    what: Text
    organisation: str = ""
    person: str | None = None


@dataclass(frozen=True)
class Stop:
    """One record of a thread."""

    stage: MissionStage
    subject: str
    """What it leads to: a record, ``service:alarm``, ``watch:alarm``, ``incident:1``, ``certificate:<serial>``."""
    title: Localized | Text | str
    vocabulary: str
    """Of its state, as pages name it: ``state.scenario``, ``serving``, ``colour``."""
    state: str
    spells: tuple[StateSpell, ...]
    happened: tuple[Happening, ...] = ()
    waits: tuple[Waiting, ...] = ()
    version: Text | str = ""


@dataclass(frozen=True)
class Mission:
    """The stops of a thread by stage, oldest first, and the stages of which the actor sees more."""

    stops: tuple[Stop, ...] = ()
    more: frozenset[MissionStage] = frozenset()
    hints: tuple[Text, ...] = ()
    """What comes next where nobody's work waits."""
    scenario: str = ""


@dataclass
class _Found:
    """The subjects of a thread, before they are read."""

    scenario: str = ""
    demand: str = ""
    """In words."""
    applications: list[str] = field(default_factory=list)
    trials: list[str] = field(default_factory=list)
    more: set[MissionStage] = field(default_factory=set)


def mission_of(view: View, subject: str, trial: Record | None = None) -> Mission:
    """Return the thread of a demand, a scenario, an application, a trial (its record) or a service, as it is seen."""
    services = [load_service(view, name_of(subject))] if kind_of(subject) == "service" else None
    found = _around(trial) if trial is not None else _thread(view, subject, services)
    records = {} if trial is None else {trial.subject: trial}
    named = (found.demand, found.scenario, *found.applications, *found.trials)
    asked = [one for one in named if one and one not in records]
    records |= records_of(view, asked)
    demand = _words_behind(view, found, records.get(found.scenario))
    trials = [records[one] for one in found.trials if one in records]
    tried = [one.subjects["application"] for one in trials if "application" in one.subjects]
    applications = list(dict.fromkeys([*tried, *found.applications]))
    later = [one for one in (demand, *applications) if one and one not in asked]
    records |= records_of(view, later) if later else {}
    listings = find_listings(view, [one for one in (demand, found.scenario, *applications) if one])
    if services is None:
        services = _services_behind(view, found.scenario, None if subject == found.scenario else trials)
    kept = view.get_all([one.documents[name] for one in trials for name in _READ if name in one.documents])
    stops = [
        *_listed(MissionStage.WORDS, demand, listings, records),
        *_listed(MissionStage.DEMAND, found.scenario, listings, records),
        *(stop for one in applications for stop in _listed(MissionStage.APPLICATION, one, listings, records)),
        *_trials(trials, kept, records),
        *_certificates(trials, kept, revocations_of(view), view.store.clock()),
        *(stop for one in services[: MOST["service"]] for stop in _in_use(view, one)),
    ]
    order = list(MissionStage)
    stops.sort(key=lambda one: (order.index(one.stage), one.spells[0].begins))
    return Mission(tuple(stops), frozenset(found.more), tuple(_hints(stops)), found.scenario)


def version_numbers(record: Record) -> dict[str, int]:
    """Return digest → number of each version of a record's content, oldest first."""
    brought = (step.document for step in record.history if step.document and step.act.endswith((".register", ".edit")))
    return {digest: number for number, digest in enumerate(dict.fromkeys(brought), 1)}


def _thread(view: View, subject: str, services: Sequence[Service] | None) -> _Found:
    """Return the newest records of a thread, and how many more there are."""
    if services is not None:
        routes = [route for one in services for route in one.routes if isinstance(route, CertifiedRoute)]
        trials = [route.commission for route in routes if route.commission is not None][: MOST["commission"]]
        return _Found(services[0].scenario or "", trials=trials)
    if kind_of(subject) == "demand":
        made = _made_for(view, subject)
        return replace(_thread(view, made, None) if made else _Found(), demand=subject)
    kind = kind_of(subject)
    found = _Found(subject) if kind == "scenario" else _Found(applications=[subject])
    _take(view, Query("commission", **{kind: subject}), found)
    if kind == "scenario":
        _take(view, Query("application", scenario=subject), found)
    else:
        found.scenario = _made_for(view, subject)
    return found


def _take(view: View, query: Query, found: _Found) -> None:
    """Add the newest trials, with their applications, or the newest applications."""
    page = list_page(view, query, limit=MOST[query.kind])
    subjects = [one.subject for one in page.items]
    if query.kind == "commission":
        found.trials += subjects
        subjects = [one.application for one in page.items if one.application]
    found.applications = list(dict.fromkeys([*found.applications, *subjects]))
    if page.after is not None:
        found.more.add(MissionStage.TRIAL if query.kind == "commission" else MissionStage.APPLICATION)


def _made_for(view: View, subject: str) -> str:
    """Return the scenario of an application, or the one that was made of a demand."""
    listing = find_listings(view, [subject]).get(subject)
    return listing.scenario if listing is not None else ""


def _words_behind(view: View, found: _Found, scenario: Record | None) -> str:
    """Return the demand in words that a thread begins with; ``scenario``: its record, for whom may see that."""
    if found.demand or not found.scenario:
        return found.demand
    if scenario is not None:
        return scenario.subjects.get("demand", "")
    return next((one.subject for one in list_page(view, Query("demand", scenario=found.scenario), limit=1).items), "")


def _around(trial: Record) -> _Found:
    scenario, application = trial.subjects.get("scenario", ""), trial.subjects.get("application")
    return _Found(scenario, applications=[application] if application is not None else [], trials=[trial.subject])


def _services_behind(view: View, scenario: str, trials: Sequence[Record] | None) -> list[Service]:
    """Return the newest services of a scenario that the actor sees, those behind which is one of ``trials``."""
    if not scenario or trials == []:
        return []
    limit = MOST["service"] if trials is None else _SERVICES
    page = list_page(view, Query("service", scenario=scenario), limit=limit)
    named = view.named([one.subject for one in page.items]) if page.items else {}
    found = [stored.load(Service) for stored in named.values()]
    if trials is None:
        return found
    wanted = {one.subject for one in trials}
    return [one for one in found if wanted & {getattr(route, "commission", None) for route in one.routes}]


def _spells(moments: Iterable[tuple[datetime, str]]) -> tuple[StateSpell, ...]:
    """Return the times between changes of state, given when it had which; the last goes on unless it is an end."""
    changes: list[tuple[datetime, str]] = []
    for at, state in sorted(moments, key=lambda one: one[0]):
        if not changes or changes[-1][1] != state:
            changes.append((at, state))
    if not changes:
        return ()
    spells = [StateSpell(at, following[0], state) for (at, state), following in pairwise(changes)]
    at, state = changes[-1]
    return (*spells[-_PAST:], StateSpell(at, at if state in _OVER else None, state))


def _steps(steps: Iterable[StepTaken]) -> tuple[Happening, ...]:
    return tuple(Happening(step.at, Text(code=f"done.{step.act}"), step.organisation, step.person) for step in steps)[
        -_PAST:
    ]


def _listed(
    stage: MissionStage, subject: str, listings: Mapping[str, Listing], records: Mapping[str, Record]
) -> Iterator[Stop]:
    """Yield a scenario or an application; who sees no record sees since when it has been in its state."""
    listing, record = listings.get(subject), records.get(subject)
    if listing is None:
        return
    vocabulary = f"state.{kind_of(subject)}"
    if record is None:
        assert listing.moved_at is not None
        spells = _spells([(listing.moved_at, listing.state)])
        yield Stop(stage, subject, listing.title, vocabulary, listing.state, spells)
        return
    spells = _spells((step.at, step.state) for step in record.history)
    version = text("mission.version", number=record.version)
    yield Stop(
        stage, subject, listing.title, vocabulary, record.state, spells, _steps(record.history), record.waits, version
    )


def _trials(trials: Sequence[Record], kept: Mapping[str, Stored], records: Mapping[str, Record]) -> Iterator[Stop]:
    for trial in trials:
        spells = _spells((step.at, step.state) for step in trial.history)
        shown = tuple(one for one in spells if one.state not in _CERTIFICATE) or spells
        if shown[-1].ends is None and trial.state in _DONE:
            shown = (*shown[:-1], StateSpell(shown[-1].begins, shown[-1].begins, shown[-1].state))
        happened = _steps(step for step in trial.history if not _of_certificate(step))
        version = _met(trial, kept.get(trial.documents.get("application", "")), records)
        stands = ("state.commission", trial.state, shown)
        yield Stop(MissionStage.TRIAL, trial.subject, trial.title, *stands, happened, trial.waits, version)


def _met(trial: Record, tried: Stored | None, records: Mapping[str, Record]) -> Text | str:
    """Return which version of an application met which version of the scenario, as far as the actor sees both."""
    if tried is None:
        return ""
    application = tried.load(ApplicationVersion).application
    scenario = records.get(trial.subjects.get("scenario", ""))
    number = version_numbers(scenario).get(trial.documents.get("scenario", "")) if scenario is not None else None
    named = f"{application.name} {application.version}"
    return named if number is None else text("mission.versions_met", application=named, scenario=number)


def _of_certificate(step: StepTaken) -> bool:
    return step.act in (
        Act.CERTIFICATE_ISSUE,
        Act.CERTIFICATE_SUSPEND,
        Act.CERTIFICATE_REINSTATE,
        Act.CERTIFICATE_REVOKE,
    )


def _certificates(
    trials: Sequence[Record], kept: Mapping[str, Stored], listed: RevocationList | None, now: datetime
) -> Iterator[Stop]:
    for trial in trials:
        issued = kept.get(trial.documents.get("certificate", ""))
        spells = [one for one in _spells((step.at, step.state) for step in trial.history) if one.state in _CERTIFICATE]
        if issued is None or not spells:
            continue
        certificate = certificate_in(issued)
        named = tuple(StateSpell(one.begins, one.ends, _CERTIFICATE[CommissionState(one.state)]) for one in spells)
        last, stands = named[-1], standing_of(certificate, listed, now)
        is_over = stands.status in _OVER and last.state not in _OVER
        if is_over:
            ended = certificate.expires_at if stands.entry is None else stands.entry.at
            named = (*named[:-1], StateSpell(last.begins, ended, last.state))
        application = certificate.application
        yield Stop(
            MissionStage.CERTIFICATE,
            f"certificate:{certificate.serial.partition(':')[2]}",
            f"{application.name} {application.version}",
            "portal.status",
            stands.status if is_over else last.state,
            named,
            _steps(filter(_of_certificate, trial.history)),
            (),
            text("mission.holds_until", day=format_day(certificate.expires_at)),
        )


def _in_use(view: View, service: Service) -> Iterator[Stop]:
    """Yield a service, its watch and its incidents."""
    past = [one.load(ServiceStatus) for one in view.find("service-standing", {"service": service.name}, _PAST)]
    past.reverse()
    if not past:
        return
    spells = _spells((one.at, one.state) for one in past)
    happened = tuple(Happening(one.at, one.reason) for one in past)
    answers = service.answers(min(past[-1].route, len(service.routes) - 1))
    yield Stop(
        MissionStage.SERVICE, service.subject, service.title, "serving", past[-1].state, spells, happened, (), answers
    )
    yield from _watch(view, service)
    if permitted(ReadScope.DESK, view.actor):
        yield from map(_incident, list_incidents(view, service.name, limit=_INCIDENTS))


def _watch(view: View, service: Service) -> Iterator[Stop]:
    watch = view.load_head(watch_head(service.name), Watch)
    if watch is None or watch.armed_at is None:
        return
    raised = [one for _, one in warnings_of(view, service.name, _PAST) if one.at >= watch.armed_at]
    raised.reverse()
    moments = [(watch.armed_at, Colour.GREEN.value), *_colours(raised)]
    happened = (
        Happening(watch.armed_at, text("mission.armed")),
        *(Happening(one.at, text("mission.warned", colour=Text(code=f"colour.{one.colour}"))) for one in raised),
    )
    yield Stop(
        MissionStage.WATCH, f"watch:{service.name}", service.title, "colour", moments[-1][1], _spells(moments), happened
    )


def _colours(raised: Iterable[RiskWarning]) -> Iterator[tuple[datetime, str]]:
    """Yield the most serious colour of all detectors after each warning, oldest first."""
    severity = list(Colour)
    colours: dict[str, Colour] = {}
    for one in raised:
        colours[one.detector] = one.colour
        yield one.at, max(colours.values(), key=severity.index).value


def _incident(incident: Incident) -> Stop:
    moments = [(incident.opened_at, "open")]
    if incident.state != "open":
        moments.append((incident.handled_at or incident.timeline[-1].at, incident.state))
    happened = tuple(Happening(one.at, one.what, one.organisation, one.person) for one in incident.timeline)
    return Stop(
        MissionStage.INCIDENT,
        incident_subject(incident.number),
        text("incident.numbered", number=incident.number),
        "incident.state",
        incident.state,
        _spells(moments),
        happened[-_PAST:],
    )


def _hints(stops: Sequence[Stop]) -> Iterator[Text]:
    """Yield what may come next of what nobody was asked to do."""
    if any(one.waits for one in stops):
        return
    states = {stage: [one.state for one in stops if one.stage is stage] for stage in MissionStage}
    if ScenarioState.OPEN in states[MissionStage.DEMAND] and not states[MissionStage.TRIAL]:
        yield text("mission.hint.apply")
    elif CertificateStatus.VALID in states[MissionStage.CERTIFICATE] and not states[MissionStage.SERVICE]:
        yield text("mission.hint.serve")
    elif states[MissionStage.SERVICE] and not states[MissionStage.WATCH]:
        yield text("mission.hint.watch")
