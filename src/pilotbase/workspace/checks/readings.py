"""Whether the index of readings names the lines of the log that tell of them: what it hides, an owner would not see."""

from __future__ import annotations

from sqlalchemy import Connection, select

from pilotbase.documents.errors import InvalidProofError
from pilotbase.workspace import tables
from pilotbase.workspace.log.entries import LogEntry
from pilotbase.workspace.log.readings import READINGS, names_in

ReadingRow = tuple[str, int]
"""What was read, number of the line."""


def readings_in(entry: LogEntry) -> set[ReadingRow]:
    """Return what the index must say of an entry."""
    return {(name, entry.number) for name in names_in(entry.subjects)} if entry.action in READINGS else set()


def compare_readings(connection: Connection, told: set[ReadingRow]) -> None:
    """See that the index holds the readings that the log tells of, and no others; raises `InvalidProofError`."""
    row = tables.log_readings.c
    found = {(name, number) for name, number in connection.execute(select(row.name, row.number))}
    for name, number in sorted(found ^ told, key=lambda one: one[1]):
        raise InvalidProofError("log.reading_differs", name=name, number=number)
