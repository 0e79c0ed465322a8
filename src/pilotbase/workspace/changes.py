"""The change feed, as far as an actor sees it, and the position of each reader in it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, and_, select

from pilotbase.workspace import tables
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.columns import set_row
from pilotbase.workspace.records import visible_to

_changes, _documents = tables.changes.c, tables.documents.c
_rows = tables.positions.c


@dataclass(frozen=True)
class Change:
    """One event; pass ``sequence`` of the last handled one to read on."""

    sequence: int
    event: Literal["stored", "moved", "shown"]
    kind: str
    digest: str
    owner: str
    head: str | None


def changes(connection: Connection, actor: Actor, since: int, limit: int, kinds: Collection[str] = ()) -> list[Change]:
    """Return events after position ``since``, oldest first; a writer's events appear together, in order.

    ``kinds``: only of documents of these kinds, found by an index.
    """
    same = and_(_changes.digest == _documents.digest, _changes.owner == _documents.owner)
    rows = (
        select(_changes.sequence, _changes.event, _changes.kind, _changes.digest, _changes.owner, _changes.head)
        .join_from(tables.changes, tables.documents, same)
        .where(_changes.sequence > since, visible_to(actor))
        .order_by(_changes.sequence)
        .limit(limit)
    )
    if kinds:
        rows = rows.where(_changes.kind.in_(kinds))
    return [Change(*row) for row in connection.execute(rows)]


def position(connection: Connection, name: str) -> int | None:
    """Return the position of the reader ``name``, or None for one that has not begun."""
    value = connection.scalar(select(_rows.value).where(_rows.name == name))
    return None if value is None else int(value)


def move(connection: Connection, name: str, *, expected: int | None, to: int) -> bool:
    """Move a reader on and return True; False if another has moved it meanwhile."""
    if position(connection, name) != expected:
        return False
    set_row(connection, tables.positions, {"name": name}, {"value": to})
    return True
