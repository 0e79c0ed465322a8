"""Journeys: plain rows for counting figures over many records in one statement, cut to the actor.

A journey is a copy for counting; the source is the history of the record, and for a service its standings and warnings.
An actor who sees the listing of a subject counts it.

Before a journey there are first looks: when a supplier first met a demand among its matches, opened it, or took its
kit. One row for a demand, a supplier and a kind of look, and no person in it: enough to count how many come how far,
and nothing about what anybody reads later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    func,
    insert,
    or_,
    select,
    type_coerce,
    update,
)

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.vocabularies import Support
from pilotbase.workspace import tables
from pilotbase.workspace.columns import set_row
from pilotbase.workspace.listings import Listing, Page, cut_to, is_in, listing_from, sequence_of
from pilotbase.workspace.store import View
from pilotbase.workspace.tables import ANSWERED, OF_RECORDS, OF_SERVICES
from pilotbase.workspace.transaction import Transaction

_rows, _listed = tables.journeys.c, tables.listings.c
_supports = func.coalesce(_rows.supports, 0)
_PLAIN = ("kind", "verdict", "supplier", "amount", "currency", "cpu_ms")
"""What a journey and its row have alike."""


@dataclass(frozen=True)
class Worth:
    """The value of a scenario to the field by three criteria, each 1 (low) to 5 (high)."""

    potential: int
    maturity: int
    driving_effect: int


@dataclass(frozen=True)
class Journey:
    """When one scenario or trial reached which milestone (a name of `OF_RECORDS`), and what was agreed."""

    subject: str
    kind: str
    reached: dict[str, datetime] = field(default_factory=dict)
    verdict: str = ""
    supplier: str = ""
    amount: int | None = None
    """Price in hundredths of ``currency``."""
    currency: str = ""
    cpu_ms: int | None = None
    """CPU time of its trials, all rounds together; None if it was not metered."""
    supports: frozenset[Support] = frozenset()
    worth: Worth | None = None


@dataclass(frozen=True)
class RecordFilter:
    """Which records: of a kind, by their present state, by a milestone they reached (within a span of time)."""

    kind: str
    states: tuple[str, ...] = ()
    milestone: str = ""
    verdict: str = ""
    span: tuple[datetime, datetime] | None = None
    """The milestone was reached from … until before …."""
    sector: str = ""
    action: str = ""
    since: str = ""
    """Another milestone that they have reached too."""
    missing: str = ""
    """A milestone that they have not reached."""
    support: str = ""
    owner: str = ""


@dataclass(frozen=True)
class Tally:
    """The numbers of records of one sector, action and set of supports that match each filter, in their order."""

    sector: str
    action: str
    supports: frozenset[Support]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Stage:
    """The stage of a scenario, or of a trial or a service of it."""

    scenario: str
    kind: str
    state: str
    verdict: str


@dataclass(frozen=True)
class Journeys:
    """Records of a kind, at the same index in every list; times are microseconds since 1970, None if not reached."""

    owners: tuple[str, ...]
    suppliers: tuple[str, ...]
    states: tuple[str, ...]
    verdicts: tuple[str, ...]
    amounts: tuple[int | None, ...]
    currencies: tuple[str, ...]
    cpu_ms: tuple[int | None, ...]
    reached: tuple[tuple[int | None, ...], ...]
    """One list for each milestone, in the requested order."""


def put_journey(change: Transaction, journey: Journey) -> None:
    """Replace the journey of its subject; its listing must exist. The milestones of services are kept."""
    worth = journey.worth
    values: dict[str, Any] = {
        **{name: getattr(journey, name) for name in _PLAIN},
        "supports": _bits(journey.supports),
        "potential": worth and worth.potential,
        "maturity": worth and worth.maturity,
        "driving_effect": worth and worth.driving_effect,
        **{f"{milestone}_at": journey.reached.get(milestone) for milestone in (*OF_RECORDS, ANSWERED)},
    }
    set_row(change.connection, tables.journeys, {"subject": journey.subject}, values)


def note_first(change: Transaction, subject: str, milestone: str, at: datetime) -> None:
    """Note that ``subject`` reached one of `OF_SERVICES`: of several times the earliest is kept, in any order."""
    if milestone not in OF_SERVICES:
        raise ValueError(milestone)
    column = _rows[f"{milestone}_at"]
    earlier = or_(column.is_(None), column > at)
    values = {f"{milestone}_at": at}
    change.connection.execute(update(tables.journeys).where(_rows.subject == subject, earlier).values(values))


def find_journey(change: Transaction, subject: str) -> Journey | None:
    """Return the journey of ``subject`` within ``change``, independent of who may see it."""
    row = change.connection.execute(select(tables.journeys).where(_rows.subject == subject)).one_or_none()
    if row is None:
        return None
    found = {milestone: getattr(row, f"{milestone}_at") for milestone in (*OF_RECORDS, ANSWERED)}
    return Journey(
        subject=row.subject,
        reached={milestone: moment for milestone, moment in found.items() if moment is not None},
        supports=_spelled(row.supports),
        worth=_worth(row.potential, row.maturity, row.driving_effect),
        **{name: getattr(row, name) for name in _PLAIN},
    )


def tally(view: View, wanted: Sequence[RecordFilter], owner: str = "") -> list[Tally]:
    """Return the counts of every sector, action and set of supports that ``view`` sees, in one statement.

    ``owner``: only what belongs to this organisation.
    """
    now = view.store.clock()
    columns = [func.sum(case((_condition(one, now), 1), else_=0)) for one in wanted]
    kinds = _listed.kind.in_({one.kind for one in wanted})
    groups = (_listed.sector, _listed.action, _supports)
    rows = _owned(_joined(select(*groups, *columns)).where(kinds), owner)
    with view.reading() as connection:
        found = connection.execute(cut_to(rows, view.actor).group_by(*groups))
        return [Tally(row[0], row[1], _spelled(row[2]), tuple(map(int, row[3:]))) for row in found]


def count_wanted(view: View, wanted: RecordFilter) -> int:
    """Return the number of records that `list_wanted` lists on all pages together."""
    number = _joined(select(func.count())).where(_condition(wanted, view.store.clock()))
    with view.reading() as connection:
        return connection.scalar(cut_to(number, view.actor)) or 0


def list_wanted(view: View, wanted: RecordFilter, after: str | None, limit: int) -> Page:
    """Return the records that `tally` counts as ``wanted``, newest first, those after the subject ``after``.

    Raises:
        InputError: there is no such subject for this actor.
    """
    now = view.store.clock()
    with view.reading() as connection:
        rows = cut_to(_joined(select(tables.listings)), view.actor).where(_condition(wanted, now))
        if after is not None:
            rows = rows.where(_listed.sequence < sequence_of(connection, view.actor, after))
        found = connection.execute(rows.order_by(_listed.sequence.desc()).limit(limit + 1)).all()
    items: tuple[Listing, ...] = tuple(listing_from(row, now) for row in found[:limit])
    return Page(items, items[-1].subject if len(found) > limit else None)


def read_journeys(
    view: View, kind: str, milestones: Iterable[str], owner: str = "", certified: bool = False
) -> Journeys:
    """Return the records of ``kind`` that ``view`` sees, with the times when they reached ``milestones``.

    ``owner``: only what belongs to this organisation; ``certified``: only those that have a certificate.
    """
    moments = [type_coerce(_moment(kind, milestone), BigInteger) for milestone in milestones]
    told = (_listed.owner, _rows.supplier, _listed.state, _rows.verdict, _rows.amount, _rows.currency, _rows.cpu_ms)
    rows = cut_to(select(*told, *moments).join(tables.journeys, _rows.subject == _listed.subject), view.actor)
    rows = _owned(rows.where(_rows.kind == kind), owner)
    if certified:
        rows = rows.where(_rows.certified_at.is_not(None))
    with view.reading() as connection:
        columns = list(zip(*connection.execute(rows).all(), strict=True))
    plain = columns or [()] * (len(told) + len(moments))
    owners, suppliers, states, verdicts, amounts, currencies, cpu_ms, *reached = plain
    return Journeys(owners, suppliers, states, verdicts, amounts, currencies, cpu_ms, tuple(reached))


class TriedPair(NamedTuple):
    """A scenario and a supplier, and when a trial of theirs reached what."""

    scenario: str
    supplier: str
    proposed: datetime | None
    answered: datetime | None
    """The owner's first answer, or until when the supplier waited for it."""
    agreed: datetime | None
    reported: datetime | None
    certified: datetime | None
    served: datetime | None
    """It first answered in service."""


def tried_pairs(view: View) -> list[TriedPair]:
    """Return one row for each trial that ``view`` sees."""
    told = [_listed.scenario, _rows.supplier, *(_rows[f"{one}_at"] for one in TriedPair._fields[2:])]
    rows = select(*told).join(tables.journeys, _rows.subject == _listed.subject).where(_rows.kind == "commission")
    with view.reading() as connection:
        return [TriedPair(*row) for row in connection.execute(cut_to(rows, view.actor))]


@dataclass(frozen=True)
class RatedScenario:
    """A scenario with its value to the field; None: nobody has stated one."""

    subject: str
    sector: str
    action: str
    worth: Worth | None


def rated_scenarios(view: View, states: Collection[str], others: Collection[str] = ()) -> list[RatedScenario]:
    """Return the scenarios in one of ``states``, and ``others`` in any, that ``view`` sees, newest first."""
    told = (_listed.subject, _listed.sector, _listed.action, _rows.potential, _rows.maturity, _rows.driving_effect)
    wanted = or_(_listed.state.in_(states), _listed.subject.in_(others))
    rows = _joined(select(*told)).where(_listed.kind == "scenario", wanted).order_by(_listed.sequence.desc())
    with view.reading() as connection:
        found = connection.execute(cut_to(rows, view.actor))
        return [RatedScenario(row.subject, row.sector, row.action, _worth(*row[3:])) for row in found]


def scenario_contents(view: View, states: Collection[str]) -> dict[str, bytes]:
    """Return scenario → its document as JSON, of those in one of ``states`` that ``view`` sees."""
    kept = tables.documents.c
    same = and_(kept.digest == _listed.digest, kept.owner == _listed.owner)
    rows = select(_listed.subject, kept.body).select_from(tables.listings.join(tables.documents, same))
    rows = rows.where(_listed.kind == "scenario", _listed.state.in_(states))
    with view.reading() as connection:
        return {row.subject: row.body for row in connection.execute(cut_to(rows, view.actor))}


def stages_of(view: View, scenarios: Collection[str] | None = None) -> list[Stage]:
    """Return the stages of ``scenarios`` (all), their trials and their services, as far as ``view`` sees them."""
    of = case((_listed.kind == "scenario", _listed.subject), else_=_listed.scenario)
    rows = _joined(select(of, _listed.kind, _listed.state, func.coalesce(_rows.verdict, "")))
    rows = rows.where(_listed.kind.in_(("scenario", "commission", "service")))
    if scenarios is not None:
        rows = rows.where(of.in_(scenarios))
    with view.reading() as connection:
        return [Stage(*row) for row in connection.execute(cut_to(rows, view.actor))]


def _joined(rows: Select[Any]) -> Select[Any]:
    of_subject = _rows.subject == _listed.subject
    return rows.select_from(tables.listings.join(tables.journeys, of_subject, isouter=True))


def _owned(rows: Select[Any], owner: str) -> Select[Any]:
    return rows.where(_listed.owner == owner) if owner else rows


def _condition(wanted: RecordFilter, now: datetime) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [_listed.kind == wanted.kind]
    if wanted.states:
        conditions.append(is_in(_listed.state, wanted.states, now))
    if wanted.milestone:
        reached = _moment(wanted.kind, wanted.milestone)
        conditions.append(reached.is_not(None))
        if wanted.span is not None:
            conditions += [reached >= wanted.span[0], reached < wanted.span[1]]
    if wanted.since:
        conditions.append(_moment(wanted.kind, wanted.since).is_not(None))
    if wanted.missing:
        conditions.append(_moment(wanted.kind, wanted.missing).is_(None))
    if wanted.support:
        conditions.append(_supports.bitwise_and(_bits({Support(wanted.support)})) != 0)
    for column, value in (
        (_rows.verdict, wanted.verdict),
        (_listed.sector, wanted.sector),
        (_listed.action, wanted.action),
        (_listed.owner, wanted.owner),
    ):
        if value:
            conditions.append(column == value)
    return and_(*conditions)


def _moment(kind: str, milestone: str) -> ColumnElement[Any]:
    """Return when a record reached ``milestone``; for a scenario and ``proposed``, the first of its trials."""
    if kind != "scenario" or milestone != "proposed":
        return _rows[f"{milestone}_at"]
    trial, listed = tables.journeys.alias(), tables.listings.alias()
    of_scenario = and_(listed.c.kind == "commission", listed.c.scenario == _listed.subject)
    first = select(func.min(trial.c.proposed_at)).join_from(listed, trial, trial.c.subject == listed.c.subject)
    return first.where(of_scenario).correlate(tables.listings).scalar_subquery()


def _bits(supports: Collection[Support]) -> int:
    return sum(1 << place for place, support in enumerate(Support) if support in supports)


def _spelled(bits: int) -> frozenset[Support]:
    return frozenset(support for place, support in enumerate(Support) if bits >> place & 1)


def _worth(potential: int | None, maturity: int | None, driving_effect: int | None) -> Worth | None:
    known = potential is not None and maturity is not None and driving_effect is not None
    return Worth(potential, maturity, driving_effect) if known else None  # type: ignore[arg-type]


Look = Literal["seen", "opened", "kit"]
_looks = tables.first_looks.c


class FirstLook(NamedTuple):
    """When a supplier first looked at a demand in one way."""

    subject: str
    """A scenario, or a demand in words."""
    supplier: str
    look: Look
    at: datetime


def note_looks(view: View, look: Look, pairs: Iterable[tuple[str, str]]) -> None:
    """Note that each (demand, supplier) has met in this way; only the first time is kept.

    A look that cannot be kept, such as on a full disk, is not counted: whoever looks still gets the page.
    """
    wanted = dict.fromkeys(pairs)
    with suppress(PilotbaseError):
        with view.reading() as connection:
            known = _known(connection, look, wanted)
        if not wanted.keys() <= known:
            with view.store.database.write() as connection:
                new = wanted.keys() - _known(connection, look, wanted)
                rows = [{"subject": one[0], "supplier": one[1], "look": look, "at": view.store.clock()} for one in new]
                if rows:
                    connection.execute(insert(tables.first_looks), rows)


def _known(connection: Connection, look: Look, wanted: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return the pairs among ``wanted``, and others of the same demands and suppliers, whose look is noted."""
    subjects, suppliers = ({pair[at] for pair in wanted} for at in (0, 1))
    there = select(_looks.subject, _looks.supplier).where(
        _looks.look == look, _looks.subject.in_(subjects), _looks.supplier.in_(suppliers)
    )
    return {(row.subject, row.supplier) for row in connection.execute(there)}


def first_looks(view: View) -> list[FirstLook]:
    """Return all first looks; whoever calls this has checked that the actor may see the whole base."""
    with view.reading() as connection:
        return [FirstLook(*row) for row in connection.execute(select(*_looks))]
