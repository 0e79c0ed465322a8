"""Late work: what should have been done by now, whoever it waits for, cut to the actor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from pilotbase.workspace import tables
from pilotbase.workspace.listings import Listing, cut_to, listing_from
from pilotbase.workspace.store import View

_rows, _waits = tables.listings.c, tables.waits.c


@dataclass(frozen=True)
class Late:
    """One act that is late on one record."""

    listing: Listing
    act: str
    role: str
    organisation: str
    since: datetime
    due: datetime


@dataclass(frozen=True)
class LateActs:
    """How often one act is late for one role, and since when the latest of them is."""

    act: str
    role: str
    count: int
    first_due: datetime


def count_late(view: View, now: datetime) -> list[LateActs]:
    """Return what is late by act and role, the most often first."""
    columns = (_waits.act, _waits.role, func.count(), func.min(_waits.due))
    rows = select(*columns).join(tables.listings, _waits.subject == _rows.subject).where(_waits.due < now)
    grouped = cut_to(rows, view.actor).group_by(_waits.act, _waits.role)
    with view.reading() as connection:
        found = [LateActs(act, role, count, due) for act, role, count, due in connection.execute(grouped)]
    return sorted(found, key=lambda late: (-late.count, late.first_due, late.act))


def list_late(view: View, now: datetime, act: str = "", limit: int = 200) -> list[Late]:
    """Return what is late, of one act or of all, what has been due longest first."""
    joined = select(tables.listings, tables.waits).join(tables.waits, _waits.subject == _rows.subject)
    rows = cut_to(joined, view.actor).where(_waits.due < now)
    if act:
        rows = rows.where(_waits.act == act)
    with view.reading() as connection:
        ordered = rows.order_by(_waits.due, _rows.subject).limit(limit)
        return [
            Late(listing_from(row), row.act, row.role, row.organisation, row.since, row.due)
            for row in connection.execute(ordered)
        ]
