"""How far readers have come, in the change feed or in time: moved only by who still stands where they believe."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from pilotbase.workspace import tables

_rows = tables.positions.c


def position(connection: Connection, name: str) -> int | None:
    """Return where the reader ``name`` has come to, or None for one that has not begun."""
    value = connection.scalar(select(_rows.value).where(_rows.name == name))
    return None if value is None else int(value)


def move(connection: Connection, name: str, *, expected: int | None, to: int) -> bool:
    """Move a reader on and return True; False where another has moved it meanwhile."""
    if position(connection, name) != expected:
        return False
    if expected is None:
        connection.execute(insert(tables.positions).values(name=name, value=to))
    else:
        connection.execute(update(tables.positions).where(_rows.name == name).values(value=to))
    return True
