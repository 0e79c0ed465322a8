"""Cohorts: the cases of one span enter the detectors of risk whole, when their window for labels has closed.

    open ──▶ closed ──▶ entered
              its cases and labels are fixed; the next pass of an armed watch reads them

If cases entered as their labels arrive, and errors are labelled first, a healthy application would turn red for sure.
So the order inside a cohort is that of `case_key`, which is fixed before
any label is known, and of a case without a label it is known only how many there are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, select, update

from pilotbase.documents.watch import Watch
from pilotbase.watch.packs import microseconds, moment_of
from pilotbase.workspace import watch_tables as tables

EVERY_LABEL = (1 << 63) - 1
SETTLING = timedelta(minutes=5)
"""How long after a span cases may still come before its audit is drawn, unless its window for labels is shorter."""
NEVER = "null"
"""A label that was taken back, as it stands in the store."""
_rows, _packs, _cases, _labels = (
    tables.watch_cohorts.c,
    tables.observation_packs.c,
    tables.observed_cases.c,
    tables.labels.c,
)


class CohortState(StrEnum):
    """Where a cohort stands; names: text ``cohort.<value>``."""

    OPEN = "open"
    CLOSED = "closed"
    ENTERED = "entered"


@dataclass(frozen=True)
class Cohort:
    """The cases of one span."""

    number: int
    service: str
    begins_at: datetime
    seconds: int
    closes_at: datetime
    state: CohortState
    cases: int
    """Counted when it closes."""
    labelled: int
    labels_to: int
    """The last batch of labels that counts."""
    audited: int | None
    """How many cases were drawn to be labelled; None: none yet."""

    @property
    def missing(self) -> int:
        """Return how many cases have no label; they count as correct for red, and are told."""
        return self.cases - self.labelled


def cohort_for(connection: Connection, watch: Watch, at: datetime, now: datetime) -> int | None:
    """Return the number of the open cohort of cases that were answered ``at``, begun where needed.

    None: it has closed, or its audit is drawn, so that a case that comes now would have had no chance. Its window for
    labels runs from the end of its span, or from the coming of its first case where that is later: so history that is
    handed in waits for labels too.
    """
    begins = moment_of(microseconds(at) // (span := watch.cohort_seconds * 1_000_000) * span)
    here = (_rows.service == watch.service, _rows.begins_at == begins, _rows.seconds == watch.cohort_seconds)
    known = connection.execute(select(tables.watch_cohorts).where(*here)).one_or_none()
    if known is not None:
        takes = known.state == CohortState.OPEN and now < known.closes_at and known.audited is None
        return int(known.number) if takes else None
    ends = begins + timedelta(seconds=watch.cohort_seconds)
    values = {
        "service": watch.service,
        "begins_at": begins,
        "seconds": watch.cohort_seconds,
        "closes_at": max(ends, now) + timedelta(seconds=watch.label_seconds),
        "state": CohortState.OPEN.value,
        "cases": 0,
        "labelled": 0,
        "labels_to": 0,
        "audited": None,
    }
    key = connection.execute(insert(tables.watch_cohorts).values(values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def due_services(connection: Connection, now: datetime) -> list[str]:
    """Return the services that have open cohorts whose window has closed."""
    due = (_rows.state == CohortState.OPEN.value, _rows.closes_at <= now)
    return list(connection.scalars(select(_rows.service).where(*due).distinct().order_by(_rows.service)))


def close_due(connection: Connection, service: str, now: datetime) -> int:
    """Close the cohorts of a service whose window for labels has passed, and return how many."""
    due = (_rows.service == service, _rows.state == CohortState.OPEN.value, _rows.closes_at <= now)
    rows = select(_rows.number, _rows.closes_at).where(*due).order_by(_rows.closes_at, _rows.number)
    closing = connection.execute(rows).all()
    for number, closes_at in closing:
        newest = _last_labels(connection, service, closes_at)
        values = {
            "state": CohortState.CLOSED.value,
            "labels_to": newest,
            "cases": _count_cases(connection, number),
            "labelled": _count_labelled(connection, number, newest),
        }
        connection.execute(update(tables.watch_cohorts).where(_rows.number == number).values(values))
    return len(closing)


def undrawn(connection: Connection, watch: Watch, now: datetime) -> Cohort | None:
    """Return the oldest cohort since the arming whose audit is to be drawn now; None where there is none."""
    over = now + max(timedelta(seconds=watch.label_seconds) - SETTLING, timedelta())
    mine = (_rows.service == watch.service, _rows.audited.is_(None), _rows.state != CohortState.ENTERED.value)
    rows = select(tables.watch_cohorts).where(*mine, _rows.closes_at <= over, _rows.closes_at > watch.armed_at)
    found = connection.execute(rows.order_by(_rows.closes_at, _rows.number).limit(1)).one_or_none()
    return None if found is None else _cohort(found)


def waiting_cohorts(connection: Connection, service: str) -> list[Cohort]:
    """Return the cohorts of a service that wait for the labels of cases that were drawn, the first to close first."""
    waiting = (_rows.service == service, _rows.state == CohortState.OPEN.value, _rows.audited > 0)
    rows = select(tables.watch_cohorts).where(*waiting).order_by(_rows.closes_at, _rows.number)
    return [_cohort(row) for row in connection.execute(rows)]


def next_closed(connection: Connection, service: str, after: datetime) -> Cohort | None:
    """Return the cohort to enter next: of those that closed after a moment, the first to close."""
    waiting = (_rows.service == service, _rows.state == CohortState.CLOSED.value, _rows.closes_at > after)
    rows = select(tables.watch_cohorts).where(*waiting).order_by(_rows.closes_at, _rows.number).limit(1)
    found = connection.execute(rows).one_or_none()
    return None if found is None else _cohort(found)


def note_entered(connection: Connection, cohort: Cohort) -> None:
    """Note that every detector of risk has read a cohort."""
    entered = {"state": CohortState.ENTERED.value}
    connection.execute(update(tables.watch_cohorts).where(_rows.number == cohort.number).values(entered))


def list_cohorts(connection: Connection, service: str, limit: int = 50) -> list[Cohort]:
    """Return the cohorts of a service, newest first."""
    rows = select(tables.watch_cohorts).where(_rows.service == service)
    newest = rows.order_by(_rows.begins_at.desc(), _rows.number.desc()).limit(limit)
    return [_cohort(row) for row in connection.execute(newest)]


def past_cohorts(connection: Connection, service: str, window: timedelta, now: datetime) -> list[Cohort]:
    """Return the cohorts of a service that a replay may look at, in the order of their spans.

    Those that have closed as they are; of the others, whose cases came long after their span, those whose span and
    ``window`` for labels have passed, with every label that is there now.
    """
    rows = select(tables.watch_cohorts).where(_rows.service == service).order_by(_rows.begins_at, _rows.number)
    found = [_cohort(row) for row in connection.execute(rows)]
    return [
        one if one.state is not CohortState.OPEN else replace(one, labels_to=EVERY_LABEL)
        for one in found
        if one.state is not CohortState.OPEN or one.begins_at + timedelta(seconds=one.seconds) + window <= now
    ]


def _last_labels(connection: Connection, service: str, closes_at: datetime) -> int:
    """Return the last batch of labels that came in time, whenever it is that somebody closes the cohort."""
    batches = tables.label_batches.c
    in_time = (batches.service == service, batches.taken_at <= closes_at)
    return connection.scalar(select(func.max(batches.number)).where(*in_time)) or 0


def _count_cases(connection: Connection, number: int) -> int:
    return int(connection.scalar(select(func.coalesce(func.sum(_packs.cases), 0)).where(_packs.cohort == number)) or 0)


def _count_labelled(connection: Connection, number: int, labels_to: int) -> int:
    """Return how many cases of a cohort have a label: their newest one is none that was taken back."""
    newest = (
        select(_labels.key, func.max(_labels.batch).label("batch"))
        .join(tables.observed_cases, _cases.key == _labels.key)
        .join(tables.observation_packs, _packs.number == _cases.pack)
        .where(_packs.cohort == number, _labels.batch <= labels_to)
        .group_by(_labels.key)
        .subquery()
    )
    same = and_(_labels.key == newest.c.key, _labels.batch == newest.c.batch)
    rows = select(func.count()).select_from(tables.labels).join(newest, same).where(_labels.value != NEVER)
    return connection.scalar(rows) or 0


def _cohort(row: Row[Any]) -> Cohort:
    return Cohort(**{**row._mapping, "state": CohortState(row.state)})
