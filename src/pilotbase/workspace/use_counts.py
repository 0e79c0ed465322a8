"""How often datasets are used, and how many agreements on them hold: counted whoever may see them, for who tells."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from pilotbase.workspace import terms_tables
from pilotbase.workspace.terms_rows import AgreementRow

_uses, _agreements = terms_tables.uses.c, terms_tables.agreements.c


@dataclass(frozen=True)
class UseCount:
    """The uses of one dataset by one organisation through one way out."""

    dataset: str
    organisation: str
    channel: str
    uses: int
    rows: int


def count_uses(connection: Connection, datasets: Collection[str]) -> list[UseCount]:
    """Return the uses of ``datasets`` that were counted so far."""
    parts = (_uses.target, _uses.organisation, _uses.channel)
    rows = select(*parts, func.count(), func.sum(_uses.rows)).where(_uses.target.in_(datasets)).group_by(*parts)
    found = connection.execute(rows.order_by(*parts))
    return [UseCount(target, by, channel, number, int(read)) for target, by, channel, number, read in found]


def holding_agreements(connection: Connection, datasets: Collection[str], now: datetime) -> list[AgreementRow]:
    """Return the agreements on ``datasets`` that are in force ``now``."""
    rows = select(terms_tables.agreements).where(_agreements.dataset.in_(datasets)).order_by(_agreements.subject)
    found = (AgreementRow(**row._mapping) for row in connection.execute(rows))
    return [row for row in found if row.holds_at(now)]
