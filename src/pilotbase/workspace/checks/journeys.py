"""Whether the rows that figures are counted from agree with the records: they are a copy that anyone could alter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, and_, literal, select

from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import milestones
from pilotbase.documents.subjects import name_of, record_head, standing_head
from pilotbase.workspace import tables
from pilotbase.workspace.store import position

_ABSENT = "–"
_KINDS = ("scenario", "commission")
Json = dict[str, Any]
BOOKS = "ledger"
"""The reader of the change feed that lists services."""
OF_SERVICES = ("service", "endpoint")
"""Kinds of the listing of a service: the answering route is certified, or serves on the operator's word."""


def compare_journeys(connection: Connection) -> None:
    """Check that each journey of a scenario or a trial agrees with its record and the terms.

    The milestones of a service follow from its standings, and are not compared here.

    Raises:
        InvalidProofError: names the first that differs.
    """
    demanded: dict[str, dict[str, datetime]] = {}
    for kind in _KINDS:
        for row in _rows(connection, kind):
            record, content = json.loads(row.record), json.loads(row.content)
            reached = milestones((step["act"], datetime.fromisoformat(step["at"])) for step in record["history"])
            if kind == "scenario":
                demanded[row.listed] = reached
                told = {**_moments(reached), "verdict": "", "supplier": "", "amount": None, "currency": ""}
            else:
                before = demanded.get(record["subjects"]["scenario"], {})
                told = _of_trial(connection, record, content, {**before, **reached})
            _require_same(row, told)


def compare_services(connection: Connection) -> None:
    """Check that each service is listed with its terms and state; the books may not have read the newest ones yet.

    Raises:
        InvalidProofError: names the first that differs.
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


def _rows(connection: Connection, kind: str) -> Iterator[Row[Any]]:
    """Yield journeys beside the newest record of their subject and the content that it names."""
    listed, row, head = tables.listings, tables.journeys, tables.heads
    kept, content = tables.documents.alias(), tables.documents.alias()
    of_subject = head.c.name == literal(record_head("")) + listed.c.subject
    columns = (listed.c.subject.label("listed"), row, kept.c.body.label("record"), content.c.body.label("content"))
    rows = (
        select(*columns)
        .join_from(listed, row, row.c.subject == listed.c.subject, isouter=True)
        .join(head, of_subject)
        .join(kept, and_(kept.c.digest == head.c.digest, kept.c.owner == head.c.owner))
        .join(content, and_(content.c.digest == listed.c.digest, content.c.owner == listed.c.owner))
        .where(listed.c.kind == kind)
    )
    yield from connection.execute(rows.order_by(listed.c.subject))


def _of_trial(connection: Connection, record: Json, terms: Json, reached: dict[str, datetime]) -> Json:
    price = terms["price"]
    return {
        **_moments(reached),
        "verdict": _verdict(connection, record),
        "supplier": record.get("supplier") or "",
        "amount": int(Decimal(price["amount"]) * 100),
        "currency": price["currency"],
    }


def _moments(reached: dict[str, datetime]) -> Json:
    return {f"{milestone}_at": reached.get(milestone) for milestone in (*tables.OF_RECORDS, tables.ANSWERED)}


def _verdict(connection: Connection, record: Json) -> str:
    """Return the verdict of the newest report, of any round."""
    reports = [step["document"] for step in record["history"] if step["act"] == Act.TRIAL_REPORT]
    if not reports:
        return ""
    kept = tables.documents.c
    body = connection.scalar(select(kept.body).where(kept.digest == reports[-1]).limit(1))
    return str(json.loads(body)["verdict"]) if body is not None else ""


def _require_same(row: Row[Any], told: Json) -> None:
    for column, logged in told.items():
        stored = getattr(row, column)
        if row.subject is None or stored != logged:
            found = _ABSENT if stored is None else str(stored)
            spelled = _ABSENT if logged is None else str(logged)
            raise InvalidProofError("log.journey_differs", name=row.listed, field=column, stored=found, logged=spelled)


def _said(connection: Connection, head: str, since: int) -> list[tuple[str, dict[str, Any]]]:
    """Return digest and body of a head's document at a position of the feed, and of its later ones."""
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
