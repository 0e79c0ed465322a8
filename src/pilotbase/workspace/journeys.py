"""Journeys: plain rows from which figures over many records are counted in one statement, cut to the actor.

A journey is a copy for counting; the truth is the history of the record. Who sees the listing of a subject counts it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, func, insert, select, type_coerce, update

from pilotbase.workspace import tables
from pilotbase.workspace.listings import Listing, Page, cut_to, listing_from, sequence_of
from pilotbase.workspace.store import View
from pilotbase.workspace.tables import MILESTONES
from pilotbase.workspace.transaction import Transaction

_rows, _listed = tables.journeys.c, tables.listings.c


@dataclass(frozen=True)
class Journey:
    """When one scenario or trial came by which milestone (a name of `MILESTONES`), and what was agreed."""

    subject: str
    kind: str
    reached: dict[str, datetime] = field(default_factory=dict)
    verdict: str = ""
    supplier: str = ""
    amount: int | None = None
    """Price in hundredths of ``currency``."""
    currency: str = ""


@dataclass(frozen=True)
class Wanted:
    """Which records: of a kind, by the state they are in, by the milestone they came by (within a span of time)."""

    kind: str
    states: tuple[str, ...] = ()
    milestone: str = ""
    verdict: str = ""
    span: tuple[datetime, datetime] | None = None
    """From … until before … the milestone was reached."""
    sector: str = ""
    action: str = ""


@dataclass(frozen=True)
class Tally:
    """How many records of one sector and action answer to each of the wanted descriptions, in their order."""

    sector: str
    action: str
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Journeys:
    """Trials, one place each in every list; times are microseconds since 1970, None where one is not reached."""

    owners: tuple[str, ...]
    suppliers: tuple[str, ...]
    amounts: tuple[int | None, ...]
    currencies: tuple[str, ...]
    reached: tuple[tuple[int | None, ...], ...]
    """Milestone by milestone, in the order of `MILESTONES`."""


def put_journey(change: Transaction, journey: Journey) -> None:
    """Let the journey of its subject stand as given; its listing must be there."""
    values: dict[str, Any] = {
        "kind": journey.kind,
        "verdict": journey.verdict,
        "supplier": journey.supplier,
        "amount": journey.amount,
        "currency": journey.currency,
        **{f"{milestone}_at": journey.reached.get(milestone) for milestone in MILESTONES},
    }
    connection = change.connection
    known = connection.execute(update(tables.journeys).where(_rows.subject == journey.subject).values(values))
    if known.rowcount == 0:
        connection.execute(insert(tables.journeys).values(subject=journey.subject, **values))


def find_journey(change: Transaction, subject: str) -> Journey | None:
    """Return the journey of ``subject`` as it stands within ``change``, whoever may see it."""
    row = change.connection.execute(select(tables.journeys).where(_rows.subject == subject)).one_or_none()
    if row is None:
        return None
    found = {milestone: getattr(row, f"{milestone}_at") for milestone in MILESTONES}
    reached = {milestone: moment for milestone, moment in found.items() if moment is not None}
    return Journey(row.subject, row.kind, reached, row.verdict, row.supplier, row.amount, row.currency)


def tally(view: View, wanted: Sequence[Wanted]) -> list[Tally]:
    """Return the counts of every sector and action that ``view`` sees, in one statement."""
    columns = [func.sum(case((_condition(one), 1), else_=0)) for one in wanted]
    kinds = _listed.kind.in_({one.kind for one in wanted})
    rows = _joined(select(_listed.sector, _listed.action, *columns)).where(kinds)
    grouped = cut_to(rows, view.actor).group_by(_listed.sector, _listed.action)
    with view.reading() as connection:
        return [Tally(row[0], row[1], tuple(map(int, row[2:]))) for row in connection.execute(grouped)]


def list_wanted(view: View, wanted: Wanted, after: str | None = None, limit: int = 50) -> Page:
    """Return the records that `tally` counts as ``wanted``, newest first, those after the subject ``after``.

    Raises:
        InputError: there is no such subject for this actor.
    """
    with view.reading() as connection:
        rows = cut_to(_joined(select(tables.listings)), view.actor).where(_condition(wanted))
        if after is not None:
            rows = rows.where(_listed.sequence < sequence_of(connection, view.actor, after))
        found = connection.execute(rows.order_by(_listed.sequence.desc()).limit(limit + 1)).all()
    items: tuple[Listing, ...] = tuple(listing_from(row) for row in found[:limit])
    return Page(items, items[-1].subject if len(found) > limit else None)


def read_journeys(view: View, certified: bool = False) -> Journeys:
    """Return the trials that ``view`` sees; ``certified``: those only that came to a certificate."""
    moments = [type_coerce(_rows[f"{milestone}_at"], BigInteger) for milestone in MILESTONES]
    chosen = select(_listed.owner, _rows.supplier, _rows.amount, _rows.currency, *moments)
    rows = cut_to(chosen.join(tables.journeys, _rows.subject == _listed.subject), view.actor)
    rows = rows.where(_rows.kind == "commission")
    if certified:
        rows = rows.where(_rows.certified_at.is_not(None))
    with view.reading() as connection:
        columns = list(zip(*connection.execute(rows).all(), strict=True))
    owners, suppliers, amounts, currencies, *reached = columns or [()] * (4 + len(MILESTONES))
    return Journeys(owners, suppliers, amounts, currencies, tuple(reached))


def _joined(rows: Select[Any]) -> Select[Any]:
    of_subject = _rows.subject == _listed.subject
    return rows.select_from(tables.listings.join(tables.journeys, of_subject, isouter=True))


def _condition(wanted: Wanted) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [_listed.kind == wanted.kind]
    if wanted.states:
        conditions.append(_listed.state.in_(wanted.states))
    if wanted.milestone:
        reached = _rows[f"{wanted.milestone}_at"]
        conditions.append(reached.is_not(None))
        if wanted.span is not None:
            conditions += [reached >= wanted.span[0], reached < wanted.span[1]]
    for column, value in (
        (_rows.verdict, wanted.verdict),
        (_listed.sector, wanted.sector),
        (_listed.action, wanted.action),
    ):
        if value:
            conditions.append(column == value)
    return and_(*conditions)
