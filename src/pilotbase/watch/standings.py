"""The watch of a service: whose it is, and where its detectors stand: what they have read, states, paths."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from pilotbase.documents.api.watch import PathPoint
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import SubjectRelation, WatchAct, permitted
from pilotbase.documents.service import Service
from pilotbase.documents.subjects import service_subject, watch_head
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import Colour, Signal
from pilotbase.documents.watch import Watch
from pilotbase.workspace import watch_tables as tables
from pilotbase.workspace.columns import set_row
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.records import Stored
from pilotbase.workspace.store import View

if TYPE_CHECKING:
    from pilotbase.watch.following import Followed

_rows, _states, _points, _packs = (
    tables.watches.c,
    tables.watch_states.c,
    tables.watch_points.c,
    tables.observation_packs.c,
)
_MOST_POINTS, _MOST_MEANS = 400, 1000
_means = tables.watch_means.c


@dataclass(frozen=True)
class WatchState:
    """Where the watch of a service stands."""

    service: str
    watch: Digest
    armed: bool
    passes: int
    """Counts what was written: whoever has computed on another standing writes nothing."""
    read_to: int
    """Number of the last pack that the detectors of the stream have read."""
    colour: Colour
    ran_at: datetime


@dataclass(frozen=True)
class DetectorStanding:
    """Where one detector stands."""

    detector: str
    signal: Signal
    promise: Text
    seen: int
    colour: Colour
    value: float
    last_at: datetime | None
    state: bytes


def standing_of(connection: Connection, service: str) -> WatchState | None:
    """Return where the watch of a service stands; None: it was never armed."""
    row = connection.execute(select(tables.watches).where(_rows.service == service)).one_or_none()
    return None if row is None else _standing(row)


def armed_services(connection: Connection) -> list[str]:
    """Return the services whose watch is armed."""
    rows = select(_rows.service).where(_rows.armed == 1).order_by(_rows.service)
    return list(connection.scalars(rows))


def begin(connection: Connection, service: str, watch: Digest, now: datetime) -> None:
    """Let the detectors of a newly armed watch stand at their beginning: what came before is history."""
    newest = connection.scalar(select(func.max(_packs.number)).where(_packs.service == service)) or 0
    fresh = {"watch": watch, "armed": 1, "read_to": newest, "colour": Colour.GREEN.value, "ran_at": now}
    connection.execute(delete(tables.watch_states).where(_states.service == service))
    again = update(tables.watches).where(_rows.service == service).values(passes=_rows.passes + 1, **fresh)
    if connection.execute(again).rowcount == 0:
        connection.execute(insert(tables.watches).values(service=service, passes=0, **fresh))


def end(connection: Connection, service: str) -> None:
    """Let the detectors of a disarmed watch stand still."""
    still = {"armed": 0, "colour": Colour.GREEN.value, "passes": _rows.passes + 1}
    connection.execute(update(tables.watches).where(_rows.service == service).values(still))


def move_on(connection: Connection, standing: WatchState, read_to: int, now: datetime) -> bool:
    """Let a watch stand further on and return True; False where another has moved it meanwhile."""
    here = (_rows.service == standing.service, _rows.passes == standing.passes, _rows.armed == 1)
    values = {"passes": standing.passes + 1, "read_to": read_to, "ran_at": now}
    return connection.execute(update(tables.watches).where(*here).values(values)).rowcount == 1


def read_services(connection: Connection) -> list[str]:
    """Return the services of which a detector has read anything since their watch was armed; silence is no reading."""
    read = (_states.seen > 0, _states.signal != Signal.SILENCE.value)
    return list(connection.scalars(select(_states.service).where(*read).distinct()))


def states_of(connection: Connection, service: str) -> Mapping[str, bytes]:
    """Return name → state of the detectors of a service."""
    rows = select(_states.detector, _states.state).where(_states.service == service)
    return {row.detector: bytes(row.state) for row in connection.execute(rows)}


def write_states(connection: Connection, standing: WatchState, followed: Iterable[Followed]) -> None:
    """Write where detectors stand now, the points of their paths, and the highest colour of the service."""
    service = standing.service
    for one in followed:
        if not one.points:
            continue
        latest = one.points[max(one.points)]
        values = {
            "signal": one.detector.signal.value,
            "promise": one.detector.promise.model_dump_json(),
            "state": one.state(),
            "seen": latest.seen,
            "colour": latest.colour.value,
            "value": latest.value,
            "last_at": latest.at,
        }
        set_row(connection, tables.watch_states, {"service": service, "detector": one.name}, values)
        _write_points(connection, standing, one)
    colours = connection.scalars(select(_states.colour).where(_states.service == service))
    highest = max(map(Colour, colours), key=list(Colour).index, default=Colour.GREEN)
    connection.execute(update(tables.watches).where(_rows.service == service).values(colour=highest.value))


def detectors_of(connection: Connection, service: str) -> list[DetectorStanding]:
    """Return where each detector of a service stands, by name."""
    rows = select(tables.watch_states).where(_states.service == service).order_by(_states.detector)
    return [
        DetectorStanding(
            *(row.detector, Signal(row.signal), Text.model_validate_json(row.promise), row.seen, Colour(row.colour)),
            *(row.value, row.last_at, bytes(row.state)),
        )
        for row in connection.execute(rows)
    ]


def path_of(connection: Connection, service: str, detector: str, watch: Digest | None = None) -> list[PathPoint]:
    """Return the path of a detector, oldest first, thinned to some hundred points; each turn of colour stays.

    ``watch``: of this arming alone; else one path after the other.
    """
    here = [_points.service == service, _points.detector == detector]
    here += [] if watch is None else [_points.watch == watch]
    begun = func.min(_points.at).over(partition_by=_points.watch)
    rows = connection.execute(select(tables.watch_points).where(*here).order_by(begun, _points.number)).all()
    step = max(len(rows) // _MOST_POINTS, 1)
    kept = [
        row
        for place, row in enumerate(rows)
        if place % step == 0 or place == len(rows) - 1 or row.colour != rows[place - 1].colour
    ]
    return [PathPoint.model_validate(row, from_attributes=True) for row in kept]


@dataclass(frozen=True)
class EnteredMean:
    """The mean loss of a cohort under a watch, beside what that accepted."""

    detector: str
    watch: Digest
    at: datetime
    cases: int
    labelled: int
    mean: float
    accepted: float
    predicted: float | None
    """What the answers' own probabilities predict; None: nothing, or it is the mean of a group."""


def write_means(connection: Connection, service: str, means: Iterable[EnteredMean]) -> None:
    """Write the mean losses of a cohort that is entered."""
    rows = [{"service": service, **vars(one)} for one in means]
    if rows:
        connection.execute(insert(tables.watch_means), rows)


def means_of(connection: Connection, service: str, detector: str) -> list[EnteredMean]:
    """Return the newest mean losses of cohorts, oldest first, of every arming."""
    here = (_means.service == service, _means.detector == detector)
    rows = select(tables.watch_means).where(*here).order_by(_means.at.desc()).limit(_MOST_MEANS)
    columns = [field.name for field in fields(EnteredMean)]
    found = [EnteredMean(**{name: row._mapping[name] for name in columns}) for row in connection.execute(rows)]
    return found[::-1]


def _write_points(connection: Connection, standing: WatchState, one: Followed) -> None:
    """Write points of a path; the newest that stands there may be one that is written anew, with more rows seen."""
    path = {"service": standing.service, "detector": one.name, "watch": standing.watch}
    of_path = [tables.watch_points.c[name] == value for name, value in path.items()]
    connection.execute(delete(tables.watch_points).where(*of_path, _points.number.in_(list(one.points))))
    rows = [
        {**path, "number": number, **dict(point), "colour": point.colour.value} for number, point in one.points.items()
    ]
    connection.execute(insert(tables.watch_points), rows)


def _standing(row: Row[Any]) -> WatchState:
    return WatchState(row.service, row.watch, bool(row.armed), row.passes, row.read_to, Colour(row.colour), row.ran_at)


def stored_service(view: View, name: str) -> Stored:
    """Return the service of this name as it is stored; raises `NotFoundError` where the actor sees none."""
    found = view.named([service_subject(name)]).get(service_subject(name))
    if found is None:
        raise NotFoundError("service.none_seen", service=name)
    return found


def service_of(view: View, name: str) -> Service:
    """Return the service of this name; raises `NotFoundError` where the actor sees none."""
    return stored_service(view, name).load(Service)


def own_service(view: View, name: str, act: WatchAct = WatchAct.HAND_IN) -> Service:
    """Return a service for which the actor may hand in, or do another ``act`` of its owner's.

    Raises:
        NotFoundError: the actor sees no such service.
        RefusedError: it sees it, as a supplier does, and may hand in nothing.
    """
    service = service_of(view, name)
    if not permitted(act, view.actor, SubjectRelation(demand_owner=service.organisation)):
        raise RefusedError("observation.not_yours", service=name)
    return service


def require_permitted(view: View, act: WatchAct) -> None:
    """Return if the actor may do ``act`` to a watch, as the operator may; raises `RefusedError`."""
    if not permitted(act, view.actor):
        raise RefusedError("workspace.operator_only", organisation=view.actor.organisation)


def watch_of(view: View, service: str) -> Watch | None:
    """Return the newest watch of a service, armed or not; None where there is none that the actor sees."""
    found = view.named([watch_head(service)]).get(watch_head(service))
    return None if found is None else found.load(Watch)
