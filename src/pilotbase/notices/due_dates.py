"""Work that comes due: read by time alone, so that a date which nears is told though nothing happens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from pilotbase.documents.base import Localized
from pilotbase.workspace import tables
from pilotbase.workspace.listings import Listing, PendingWork
from pilotbase.workspace.store import View

_waits, _listings = tables.waits.c, tables.listings.c


def waits_due(view: View, after: datetime, until: datetime) -> list[tuple[Listing, PendingWork]]:
    """Return the work of all records that is due after one moment and not after another."""
    rows = (
        select(tables.waits, _listings.kind, _listings.state, _listings.digest, _listings.owner, _listings.title)
        .join(tables.listings, _listings.subject == _waits.subject)
        .where(_waits.due > after, _waits.due <= until)
        .order_by(_waits.due, _waits.subject, _waits.position)
    )
    with view.reading() as connection:
        return [(_listing(row), _wait(row)) for row in connection.execute(rows)]


def _listing(row: Row[Any]) -> Listing:
    title = Localized.model_validate_json(row.title)
    return Listing(row.subject, row.kind, row.state, row.digest, row.owner, title)


def _wait(row: Row[Any]) -> PendingWork:
    return PendingWork(row.act, row.role, row.organisation, row.person, row.since, row.due)
