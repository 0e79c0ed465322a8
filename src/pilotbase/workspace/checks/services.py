"""Whether services are listed as they stand: a copy that anybody could alter, and that follows the change feed."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, and_, select

from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.subjects import name_of, standing_head
from pilotbase.workspace import tables
from pilotbase.workspace.positions import position

BOOKS = "ledger"
"""The reader of the change feed that lists services."""
OF_SERVICES = ("service", "endpoint")
"""Kinds of the listing of a service: what answers is certified, or serves on the operator's word."""
_ABSENT = "–"


def compare_services(connection: Connection) -> None:
    """See that each service is listed as what it is, and as it stands; of what the books have not read yet, as before.

    Raises:
        InvalidProofError: naming the first that differs.
    """
    read_to, listed = position(connection, BOOKS) or 0, tables.listings.c
    rows = select(listed.subject, listed.state, listed.digest).where(listed.kind.in_(OF_SERVICES))
    for row in connection.execute(rows.order_by(listed.subject)).all():
        terms = [digest for digest, _ in _said(connection, row.subject, read_to)]
        standings = _said(connection, standing_head(name_of(row.subject)), read_to)
        states = [body["state"] for _, body in standings]
        if row.state not in states or row.digest not in terms:
            told = states[-1] if states else _ABSENT
            raise InvalidProofError("log.listing_differs", name=row.subject, stored=row.state, logged=told)


def _said(connection: Connection, head: str, since: int) -> list[tuple[str, dict[str, Any]]]:
    """Return digest and body of what a name stood for at a place of the feed, and came to stand for after it."""
    moved, kept = tables.changes.c, tables.documents.c
    same = and_(kept.digest == moved.digest, kept.owner == moved.owner)
    rows = (
        select(moved.sequence, kept.digest, kept.body)
        .join_from(tables.changes, tables.documents, same)
        .where(moved.event == "moved", moved.head == head)
        .order_by(moved.sequence)
    )
    found = connection.execute(rows).all()
    before, after = [row for row in found if row.sequence <= since], [row for row in found if row.sequence > since]
    return [(row.digest, json.loads(row.body)) for row in [*before[-1:], *after]]
