"""Which lines of the log tell that somebody has read closed data, by what was read: an index, and nothing besides.

Every fact about a reading stands in its entry; `log verify` sees that the index names the entries that there are, and
no others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, insert, select

from pilotbase.workspace import tables

ROWS, RECORDS, FILE, UPLOAD = "vault.opened", "vault.envelope_opened", "vault.dataset_opened", "vault.upload_opened"
MARKS, TAKEN, BUNDLE = "vault.marks_opened", "trial.bundle_taken", "trial.bundle_fetched"
ITEM, SAMPLE = "labelling.item_shown", "vault.sample_opened"
USED, REFUSED = "terms.used", "terms.refused"
OPENINGS = frozenset({ROWS, RECORDS, FILE, UPLOAD, MARKS, TAKEN, BUNDLE, ITEM, SAMPLE})
"""Sealed bytes were opened: no function opens any without one of these lines."""
READINGS = OPENINGS | {USED, REFUSED}
"""…, or the gate has counted a use, or refused one."""
_LONGEST = 200
_index = tables.log_readings.c


def index_readings(connection: Connection, number: int, action: str, subjects: Collection[str]) -> None:
    """Enter the line ``number`` into the index, under everything that it is about, if it tells of a reading."""
    if action in READINGS:
        for name in names_in(subjects):
            connection.execute(insert(tables.log_readings), {"name": name, "number": number})


def names_in(subjects: Iterable[str]) -> list[str]:
    """Return under which names a line about ``subjects`` is found."""
    return sorted({name for name in subjects if 0 < len(name) <= _LONGEST})


def readings_of(
    connection: Connection, names: Collection[str], before: int | None = None, limit: int = 5000
) -> list[bytes]:
    """Return the newest lines about any of ``names`` below number ``before``, newest first."""
    numbers = select(_index.number).where(_index.name.in_(list(names)))
    if before is not None:
        numbers = numbers.where(_index.number < before)
    newest = numbers.distinct().order_by(_index.number.desc()).limit(limit).subquery()
    lines = tables.log_entries.c
    rows = select(lines.body).join(newest, newest.c.number == lines.number).order_by(lines.number.desc())
    return [bytes(body) for body in connection.scalars(rows)]


def readings_since(connection: Connection, number: int, limit: int) -> list[bytes]:
    """Return the lines from ``number`` on that tell of readings, oldest first."""
    numbers = select(_index.number).where(_index.number >= number).distinct().order_by(_index.number).limit(limit)
    lines, found = tables.log_entries.c, numbers.subquery()
    rows = select(lines.body).join(found, found.c.number == lines.number).order_by(lines.number)
    return [bytes(body) for body in connection.scalars(rows)]
