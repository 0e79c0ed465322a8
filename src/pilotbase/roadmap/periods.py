"""Period reports: counted by replaying the histories up to the end of the period; recounted from a file by anybody.

`DEFINITIONS` is the one place that says what a figure of a report counts. The ledger counts the same figures in another
way, from rows that it keeps beside the records.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from pilotbase.catalogue.figures import WANTED, YEARLY, half_after
from pilotbase.catalogue.records import everything, records_of
from pilotbase.documents.api.ledger import PeriodClosed, PeriodCompared
from pilotbase.documents.errors import InvalidProofError, RefusedError
from pilotbase.documents.period import (
    CountedFigure,
    CountedRecord,
    PeriodClosing,
    PeriodReport,
    PeriodSignature,
    Unit,
    edges_of,
    format_edge,
)
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Record, milestones
from pilotbase.documents.report import Report
from pilotbase.documents.roadmap import Figure
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.service import CertifiedRoute, Service, ServiceStatus
from pilotbase.documents.states import TRIAL_OVER
from pilotbase.documents.subjects import service_subject
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import Colour, ServingState
from pilotbase.documents.watch import RiskWarning
from pilotbase.operations.ledger import PeriodToClose
from pilotbase.workspace.actors import BASE, PUBLIC
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.listings import Listing, Query, every_listing
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

Records = Sequence[CountedRecord]
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
_AT_ONCE = 500
_SIGNATURES = 2
_DAY = timedelta(days=1)
_OF_SERVICES = ("service", "service-standing", "risk-warning")
_ANSWERS = (ServingState.SERVING, ServingState.FALLEN_BACK)
_COMPARED = ("kind", "owner", "supplier", "application", "verdict", "reached")
"""What cannot change after the end of a period; where a scenario belongs can be corrected."""


@dataclass(frozen=True)
class Definition:
    """What a figure counts among the records of which a milestone lies from a start to before an end.

    Texts: ``figure.<name>`` and ``period.means.<name>``. A change of what it counts is a new version.
    """

    picks: Callable[[Records, datetime, datetime], list[CountedRecord]]
    unit: Unit = "records"
    version: int = 1
    value: Callable[[Records, datetime], float | None] = lambda picked, end: len(picked)
    is_flow: bool = True
    """Whether it can be counted in the period alone."""


def _reached(milestone: str, kind: str = "commission", verdict: str = "") -> Callable[..., list[CountedRecord]]:
    def picks(records: Records, start: datetime, end: datetime) -> list[CountedRecord]:
        return [
            one
            for one in records
            if one.kind == kind and verdict in ("", one.verdict) and start <= one.reached.get(milestone, end) < end
        ]

    return picks


def _reused(records: Records, start: datetime, end: datetime) -> list[CountedRecord]:
    """Return certified trials of applications that held a certificate for another scenario before."""
    certified = sorted(_reached("certified")(records, _BEGINNING, end), key=lambda one: one.reached["certified"])
    before: dict[str, set[str]] = defaultdict(set)
    found = []
    for one in certified:
        if before[one.application] - {one.scenario} and one.reached["certified"] >= start:
            found.append(one)
        before[one.application].add(one.scenario)
    return found


def _side_by_side(records: Records, start: datetime, end: datetime) -> list[CountedRecord]:
    """Return opened scenarios with the sector, action and supports of a scenario that another owner opened before."""
    opened = sorted(_reached("opened", "scenario")(records, _BEGINNING, end), key=lambda one: one.reached["opened"])
    owners: dict[Any, set[str]] = defaultdict(set)
    found = []
    for one in opened:
        alike = owners[one.sector, one.action, one.supports]
        if one.sector and one.action and alike - {one.owner} and one.reached["opened"] >= start:
            found.append(one)
        alike.add(one.owner)
    return found


def _distinct(column: str) -> Callable[[Records, datetime], float]:
    return lambda picked, end: len({getattr(one, column) for one in picked} - {""})


def _days_to_certificate(trials: Records, end: datetime) -> float | None:
    """Return after how many days half had a certificate; trials under way count with their days so far."""
    taken = [_days(one, one.reached["certified"]) for one in trials if "certified" in one.reached]
    waiting = [one for one in trials if "certified" not in one.reached]
    still = [_days(one, end) for one in waiting if one.state not in TRIAL_OVER]
    found = half_after(np.array(taken, float), np.array(still, float), len(waiting) - len(still))
    return None if found is None else round(found, 3)


def _days(trial: CountedRecord, until: datetime) -> float:
    return max((until - trial.reached["demanded"]) / _DAY, 0)


def _flow(figure: Figure) -> Definition:
    wanted = WANTED[figure]
    return Definition(_reached(wanted.milestone, wanted.kind, wanted.verdict))


DEFINITIONS: Mapping[str, Definition] = {
    **{figure.value: _flow(figure) for figure in YEARLY},
    "owners": Definition(_reached("agreed"), "organisations", value=_distinct("owner")),
    "suppliers": Definition(_reached("agreed"), "organisations", value=_distinct("supplier")),
    "serving_suppliers": Definition(_reached("served"), "organisations", value=_distinct("supplier")),
    "days_to_certificate": Definition(_reached("demanded"), "days", value=_days_to_certificate, is_flow=False),
    "reused": Definition(_reused),
    "side_by_side": Definition(_side_by_side),
}


def count(records: Records, start: datetime, end: datetime) -> tuple[CountedFigure, ...]:
    """Return every figure of ``records``, by the definitions of this version."""

    def value(one: Definition, since: datetime) -> float | None:
        return one.value(one.picks(records, since, end), end)

    return tuple(
        CountedFigure(
            figure=name,
            version=one.version,
            unit=one.unit,
            in_period=value(one, start) if one.is_flow else None,
            so_far=value(one, _BEGINNING),
        )
        for name, one in DEFINITIONS.items()
    )


def records_behind(report: PeriodReport, figure: str, so_far: bool = False) -> list[CountedRecord]:
    """Return the records that a figure of ``report`` counts, newest subject last; raises `NotFoundError`."""
    if figure not in DEFINITIONS:
        raise NotFoundError("hub.not_found")
    definition = DEFINITIONS[figure]
    since = _BEGINNING if so_far or not definition.is_flow else report.start
    return definition.picks(report.records, since, report.end)


def require_sound(report: PeriodReport) -> None:
    """Recount everything that a report says from its own records.

    Raises:
        InvalidProofError: names the first that differs.
    """
    if (report.start, report.end) != edges_of(report.period, report.offset):
        raise InvalidProofError("period.edges_differ", period=report.period, offset=report.offset)
    counted = {one.figure: one for one in count(report.records, report.start, report.end)}
    for told in report.figures:
        known = counted.pop(told.figure, None)
        if known is None or known.version != told.version:
            raise InvalidProofError("period.other_definition", figure=told.figure, version=told.version)
        if known != told:
            raise InvalidProofError(
                "period.figure_differs",
                figure=Text(code=f"figure.{told.figure}"),
                found=_spelled(told),
                counted=_spelled(known),
            )
    if counted:
        raise InvalidProofError("period.figure_missing", figure=Text(code=f"figure.{next(iter(counted))}"))


def _spelled(figure: CountedFigure) -> str:
    return " / ".join("–" if one is None else f"{one:g}" for one in (figure.in_period, figure.so_far))


def close_period(view: View, wanted: PeriodToClose) -> PeriodReport:
    """Close a period for good and return its report; one that is closed already is returned as it is.

    Raises:
        ConflictError: it has not ended, or reports of this base end their days in another zone.
        RefusedError: the actor is not the operator.
    """
    require_whole(view)
    now, (start, end) = view.store.clock(), edges_of(wanted.period, wanted.offset)
    if now < end:
        raise ConflictError("period.open", period=wanted.period, end=format_edge(end, wanted.offset))
    closed = view.load_head(_head(wanted.period), PeriodReport)
    if closed is not None:
        return closed
    other = next((one.offset for one in view.every(PeriodReport) if one.offset != wanted.offset), None)
    if other is not None:
        raise ConflictError("period.other_zone", found=wanted.offset, known=other)
    state, counted = view.checkpoint(), replay(view, end)
    report = PeriodReport(
        base=state.origin,
        period=wanted.period,
        offset=wanted.offset,
        start=start,
        end=end,
        log_size=state.size,
        log_root=state.root.hex(),
        figures=count(counted, start, end),
        stated=wanted.stated,
        note=wanted.note,
        records=counted,
    )
    with view.transaction("period.closed") as change:
        change.require_operator()
        digest = change.put(report, BASE)
        change.set_head(_head(report.period), digest, expected=None)
        change.put(PeriodClosing(period=report.period, report=digest, at=now), PUBLIC)
        _sign(change, report.period, digest)
    return report


def sign_period(view: View, period: str) -> PeriodClosed:
    """Sign the report of a closed period as a second person, and return it; signed already, it stays so.

    Raises:
        NotFoundError: it is not closed, or the actor does not see the whole base.
        RefusedError: the actor is not the operator, no person, or the one who closed it.
    """
    require_whole(view)
    with view.transaction("period.signed") as change:
        change.require_operator()
        here, digest = view.within(change), view.head(_head(period))
        if digest is None:
            raise NotFoundError("period.not_closed", period=period)
        signed = here.every(PeriodSignature, {"report": digest})
        if len(signed) < _SIGNATURES:
            if view.actor.person is None:
                raise RefusedError("period.no_person")
            if any(one.person == view.actor.person for one in signed):
                raise RefusedError("period.same_person", period=period)
            closed = next(one for one in here.every(PeriodClosing) if one.report == digest)
            change.put(closed.model_copy(update={"signed_at": change.now}), PUBLIC)
            _sign(change, period, digest)
    return next(one for one in closed_periods(view) if one.period == period)


def _sign(change: Transaction, period: str, digest: str) -> None:
    signature = PeriodSignature(period=period, report=digest, person=change.actor.person, at=change.now)
    change.put(signature, BASE, fields={"report": digest})


def read_period(view: View, period: str) -> PeriodReport:
    """Return the report of a closed period; raises `NotFoundError`."""
    require_whole(view)
    report = view.load_head(_head(period), PeriodReport)
    if report is None:
        raise NotFoundError("period.not_closed", period=period)
    return report


def closed_periods(view: View) -> list[PeriodClosed]:
    """Return the closed periods with the digest of each report, the newest first; everybody sees them."""
    closed = sorted(view.every(PeriodClosing), key=lambda one: (one.period, one.signed_at is not None))
    found = {
        one.period: PeriodClosed(period=one.period, digest=one.report, closed_at=one.at, signed_at=one.signed_at)
        for one in closed
    }
    return list(reversed(found.values()))


def compare(view: View, report: PeriodReport) -> PeriodCompared:
    """Compare a report that somebody holds with the histories of this base, as they were at its end.

    Raises:
        InvalidProofError: it does not recount, or names the record and the figures that differ.
        NotFoundError: the actor does not see the whole base, or the report is of another one.
    """
    require_whole(view)
    require_sound(report)
    if report.base != view.checkpoint().origin:
        raise NotFoundError("period.other_base", base=report.base)
    told, known = ({one.subject: one for one in records} for records in (report.records, replay(view, report.end)))
    for subject in (*known, *(one for one in told if one not in known)):
        found, logged = (_told(side.get(subject)) for side in (told, known))
        differing = [name for name in _COMPARED if found.get(name) != logged.get(name)]
        if differing:
            raise InvalidProofError(
                "period.record_differs",
                subject=subject,
                field=differing[0],
                found=str(found.get(differing[0], "–")),
                logged=str(logged.get(differing[0], "–")),
                figures=", ".join(_counting([side[subject] for side in (told, known) if subject in side], report)),
            )
    digest = report.digest()
    is_ours = digest in {one.digest for one in closed_periods(view)}
    return PeriodCompared(
        period=report.period,
        digest=digest,
        figures=len(report.figures),
        records=len(told),
        is_closed_report=is_ours,
    )


def _told(record: CountedRecord | None) -> dict[str, Any]:
    return record.to_json_value() if record is not None else {}


def _counting(versions: Records, report: PeriodReport) -> list[str]:
    """Return the figures that count one of some versions of a record."""
    found = [name for name, one in DEFINITIONS.items() if one.picks(versions, _BEGINNING, report.end)]
    return found or ["–"]


def require_whole(view: View) -> None:
    """Raise `NotFoundError` for all but those who see the whole base: a report counts all owners' records."""
    if not view.actor.sees_all:
        raise NotFoundError("roadmap.no_ledger")


def _head(period: str) -> str:
    return f"period:{period}"


def replay(view: View, end: datetime) -> tuple[CountedRecord, ...]:
    """Return every scenario, trial and service as it stood at ``end``, by the steps of its history before."""
    base = everything(view)
    services, put_in = _replay_services(base, end)
    scenarios = dict(_replay_records(base, "scenario", end, {}))
    trials = dict(_replay_records(base, "commission", end, scenarios))
    for subject, at in put_in.items():
        if subject in trials:
            trials[subject] = trials[subject].model_copy(update={"reached": trials[subject].reached | {"served": at}})
    placed = [_placed(one, scenarios[one.scenario]) if one.scenario in scenarios else one for one in services]
    found = [*scenarios.values(), *trials.values(), *placed]
    return tuple(sorted(found, key=lambda one: one.subject))


def _placed(service: CountedRecord, scenario: CountedRecord) -> CountedRecord:
    where = {"sector": scenario.sector, "action": scenario.action, "supports": scenario.supports}
    return service.model_copy(update=where)


def _replay_records(
    base: View, kind: str, end: datetime, scenarios: Mapping[str, CountedRecord]
) -> Iterator[tuple[str, CountedRecord]]:
    every = list(every_listing(base, Query(kind)))
    for listings in (every[start : start + _AT_ONCE] for start in range(0, len(every), _AT_ONCE)):
        known = records_of(base, [one.subject for one in listings])
        cut = {one.subject: _until(known[one.subject], end) for one in listings if one.subject in known}
        verdicts, supports = _verdicts(base, cut.values()), _supports(base, cut.values())
        for listing in listings:
            record = cut.get(listing.subject)
            if record is not None and record.history:
                of = scenarios.get(record.subjects.get("scenario", ""))
                told = _counted(listing, record, of, verdicts.get(record.subject, ""))
                yield (
                    record.subject,
                    told.model_copy(update={"supports": supports.get(record.subject) or told.supports}),
                )


def _until(record: Record, end: datetime) -> Record:
    return record.model_copy(update={"history": tuple(step for step in record.history if step.at < end)})


def _supports(base: View, records: Iterable[Record]) -> dict[str, tuple[str, ...]]:
    """Return scenario → the supports that it names."""
    newest = {one.subject: one.documents["scenario"] for one in records if one.kind == "scenario"}
    known = base.get_all(sorted(set(newest.values())))
    return {
        subject: tuple(sorted(one.value for one in known[digest].load(Scenario).supports))
        for subject, digest in newest.items()
        if digest in known
    }


def _verdicts(base: View, records: Iterable[Record]) -> dict[str, str]:
    """Return trial → the verdict of its newest report."""
    newest = {
        record.subject: step.document
        for record in records
        for step in record.history
        if step.act is Act.TRIAL_REPORT and step.document
    }
    reports = base.get_all(sorted(set(newest.values())))
    return {
        subject: reports[digest].load(Report).verdict.value for subject, digest in newest.items() if digest in reports
    }


def _counted(listing: Listing, record: Record, scenario: CountedRecord | None, verdict: str) -> CountedRecord:
    of = scenario or listing
    before = scenario.reached if scenario is not None else {}
    is_scenario = record.kind == "scenario"
    return CountedRecord(
        subject=record.subject,
        kind="scenario" if is_scenario else "commission",
        state=record.history[-1].state,
        owner=listing.owner,
        supplier="" if is_scenario else record.supplier or "",
        application=record.subjects.get("application", ""),
        scenario=record.subjects.get("scenario", ""),
        sector=of.sector,
        action=of.action,
        supports=scenario.supports if scenario is not None else (),
        verdict=verdict,
        reached=before | milestones((step.act, step.at) for step in record.history),
    )


@dataclass
class _ReplayedService:
    terms: Service | None = None
    owner: str = ""
    state: str = ""
    is_certified: bool = False
    reached: dict[str, datetime] = field(default_factory=dict)

    def reach(self, milestone: str, at: datetime) -> None:
        self.reached[milestone] = min(at, self.reached.get(milestone, at))


def _replay_services(base: View, end: datetime) -> tuple[list[CountedRecord], dict[str, datetime]]:
    """Return services as they stood at ``end``, and trial → when its application first came into one."""
    services, put_in = defaultdict[str, _ReplayedService](_ReplayedService), dict[str, datetime]()
    for stored in _moved(base):
        if stored.kind == "service" and stored.stored_at < end:
            terms = stored.load(Service)
            services[terms.name].terms, services[terms.name].owner = terms, stored.owner
            behind = {one.commission for one in terms.routes if isinstance(one, CertifiedRoute)} | {terms.commission}
            for commission in behind - {None}:
                put_in[str(commission)] = min(stored.stored_at, put_in.get(str(commission), stored.stored_at))
        elif stored.kind == "service-standing" and (standing := stored.load(ServiceStatus)).at < end:
            _stand(services[standing.service], standing)
        elif stored.kind == "risk-warning":
            warning = stored.load(RiskWarning)
            if warning.colour is not Colour.GREEN and warning.at < end:
                services[warning.service].reach("warned", warning.at)
    counted = [_counted_service(name, one) for name, one in services.items() if one.terms and one.state]
    return counted, put_in


def _moved(base: View) -> Iterator[Any]:
    since = 0
    while changes := base.changes(since, _AT_ONCE, _OF_SERVICES):
        known = base.get_all([one.digest for one in changes])
        yield from (known[one.digest] for one in changes if one.event == "moved" and one.digest in known)
        since = changes[-1].sequence


def _stand(service: _ReplayedService, standing: ServiceStatus) -> None:
    service.state = standing.state.value
    if service.terms is None:
        return
    routes = service.terms.routes
    service.is_certified = isinstance(routes[min(standing.route, len(routes) - 1)], CertifiedRoute)
    if service.is_certified and standing.state in _ANSWERS:
        service.reach("served", standing.at)
    elif standing.state is ServingState.STOPPED:
        service.reach("stopped", standing.at)


def _counted_service(name: str, service: _ReplayedService) -> CountedRecord:
    assert service.terms is not None
    route = service.terms.routes[0]
    return CountedRecord(
        subject=service_subject(name),
        kind="service" if service.is_certified else "endpoint",
        state=service.state,
        owner=service.owner,
        supplier=route.application.supplier.organisation if isinstance(route, CertifiedRoute) else "",
        scenario=service.terms.scenario or "",
        reached=service.reached,
    )
