"""Whether uses, agreements and datasets stand in their tables as log and records say: by these rows data are opened."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlalchemy import Connection, Table, and_, literal, select

from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.subjects import kind_of, record_head
from pilotbase.workspace import tables, terms_tables
from pilotbase.workspace.log.entries import LogEntry

UseRow = tuple[str, str, str, int, int, int]
"""Ground, target, request, place, ε (millionths), rows."""
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
    """See that datasets and agreements stand as their records say; raises `InvalidProofError`."""
    for table in (terms_tables.datasets, terms_tables.agreements):
        _compare_records(connection, table)


def _compare_records(connection: Connection, table: Table) -> None:
    row, head, kept = table.c, tables.heads, tables.documents
    of_subject = head.c.name == literal(record_head("")) + row.subject
    of_head = and_(kept.c.digest == head.c.digest, kept.c.owner == head.c.owner)
    rows = select(row.subject, row.state, row.digest, kept.c.body).join(head, of_subject, isouter=True)
    for found in connection.execute(rows.join(kept, of_head, isouter=True).order_by(row.subject)):
        record = json.loads(found.body) if found.body is not None else {}
        said = (record.get("state", _ABSENT), record.get("documents", {}).get(kind_of(found.subject)))
        if said != (found.state, found.digest):
            raise InvalidProofError("log.listing_differs", name=found.subject, stored=found.state, logged=said[0])
