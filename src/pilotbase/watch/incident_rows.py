"""Incidents and their clocks as rows: to list what is open, and to find by time alone what has become due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from pilotbase.documents.watch import Incident
from pilotbase.workspace.tables import watch_tables

_incidents, _clocks = watch_tables.incidents.c, watch_tables.incident_clocks.c


@dataclass(frozen=True)
class PassedClock:
    """A report that was not made in time."""

    incident: int
    clock: str
    due: datetime


def keep_rows(connection: Connection, incident: Incident, digest: str) -> None:
    """Let the rows say what this version says; what was told about a clock stays told."""
    values = {"service": incident.service, "state": incident.state, "digest": digest}
    here = _incidents.number == incident.number
    if connection.execute(update(watch_tables.incidents).where(here).values(values)).rowcount == 0:
        connection.execute(insert(watch_tables.incidents).values(number=incident.number, **values))
    running = {clock.clock: clock.due for clock in incident.clocks if clock.done_at is None}
    known = set(connection.scalars(select(_clocks.clock).where(_clocks.incident == incident.number)))
    for name in known - running.keys():
        connection.execute(
            delete(watch_tables.incident_clocks).where(_clocks.incident == incident.number, _clocks.clock == name)
        )
    for name in running.keys() - known:
        row = {"incident": incident.number, "clock": name, "due": running[name], "told": 0}
        connection.execute(insert(watch_tables.incident_clocks).values(row))


def open_numbers(connection: Connection, service: str) -> list[int]:
    """Return the numbers of the incidents of a service that are not closed, oldest first."""
    rows = select(_incidents.number).where(_incidents.service == service, _incidents.state != "closed")
    return list(connection.scalars(rows.order_by(_incidents.number)))


def passed_clocks(connection: Connection, now: datetime) -> list[PassedClock]:
    """Return the clocks that have ended without a report, and of which that was not told yet."""
    rows = select(_clocks.incident, _clocks.clock, _clocks.due).where(_clocks.told == 0, _clocks.due < now)
    return [PassedClock(*row) for row in connection.execute(rows.order_by(_clocks.due, _clocks.incident))]


def note_told(connection: Connection, clock: PassedClock) -> bool:
    """Note that it was told and return True; False where another worker has, or a report was made meanwhile."""
    same = (_clocks.incident == clock.incident, _clocks.clock == clock.clock, _clocks.told == 0)
    return connection.execute(update(watch_tables.incident_clocks).where(*same).values(told=1)).rowcount == 1
