"""Whether uses, agreements and datasets stand in their tables as log and records say: by these rows data are opened."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, and_, literal, select

from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.subjects import kind_of, record_head
from pilotbase.workspace import tables, terms_tables
from pilotbase.workspace.log.entries import LogEntry

UseRow = tuple[str, str, str, int, int, int]
"""Ground, target, request, place, ε (millionths), rows."""
Said = dict[str, Any]
"""A document as JSON, or what its row must say, column → value."""
_ABSENT = "–"


def use_of(entry: LogEntry) -> UseRow:
    """Return what an entry ``terms.used`` says was used."""
    ground, target, request = entry.subjects
    counted = (int(entry.facts.get(name, 0)) for name in ("place", "epsilon", "rows"))
    return (ground, target, request, *counted)  # type: ignore[return-value]


def compare_uses(connection: Connection, told: Iterable[UseRow]) -> None:
    """See that the ledger holds the uses that the log tells of, and no others; raises `InvalidProofError`."""
    row = terms_tables.uses.c
    columns = (row.ground, row.target, row.request, row.place, row.epsilon, row.rows)
    found = {tuple(use) for use in connection.execute(select(*columns))}
    for ground, _, _, place, *_ in sorted(found ^ set(told)):
        raise InvalidProofError("log.use_differs", name=ground, place=place)


def compare_terms(connection: Connection) -> None:
    """See that datasets and agreements stand as their records and documents say; raises `InvalidProofError`."""
    _compare(connection, terms_tables.datasets, "owner", _said_of_dataset)
    _compare(connection, terms_tables.agreements, "assigner", _said_of_agreement)


def _compare(connection: Connection, table: Table, owner: str, said_of: Callable[[Said], Said]) -> None:
    row, head, record, shown = table.c, tables.heads, tables.documents, tables.documents.alias()
    of_subject = head.c.name == literal(record_head("")) + row.subject
    of_head = and_(record.c.digest == head.c.digest, record.c.owner == head.c.owner)
    of_row = and_(shown.c.digest == row.digest, shown.c.owner == row[owner])
    rows = select(table, record.c.body.label("record"), shown.c.body).join(head, of_subject, isouter=True)
    rows = rows.join(record, of_head, isouter=True).join(shown, of_row, isouter=True)
    for found in connection.execute(rows.order_by(row.subject)):
        stands, document = (json.loads(body) if body is not None else {} for body in (found.record, found.body))
        state, digest = stands.get("state", _ABSENT), stands.get("documents", {}).get(kind_of(found.subject))
        told = {"state": state, "digest": digest, **said_of(document)}
        if any(getattr(found, name) != value for name, value in told.items()):
            raise InvalidProofError("log.listing_differs", name=found.subject, stored=found.state, logged=state)


def _said_of_dataset(document: Said) -> Said:
    return {"version": document.get("version"), "opening": document.get("opening")}


def _said_of_agreement(document: Said) -> Said:
    begins, ends = (_day(document.get(name)) for name in ("begins", "ends"))
    parties = {name: document.get(name) for name in ("dataset", "assigner", "assignee")}
    return {**parties, "begins": begins, "ends": None if ends is None else ends + timedelta(days=1)}


def _day(day: str | None) -> datetime | None:
    return None if day is None else datetime.fromisoformat(day).replace(tzinfo=UTC)
