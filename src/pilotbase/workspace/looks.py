"""First looks: when a supplier first met a demand among its matches, opened it, or took its kit.

One row for a demand, a supplier and a kind of look, and no person in it: enough to count how many come how far, and
nothing about what anybody reads later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import Connection, insert, select

from pilotbase.documents.errors import PilotbaseError
from pilotbase.workspace import tables
from pilotbase.workspace.store import View

Look = Literal["seen", "opened", "kit"]
_rows = tables.first_looks.c


class FirstLook(NamedTuple):
    """When a supplier first looked at a demand in one way."""

    subject: str
    """A scenario, or a demand in words."""
    supplier: str
    look: Look
    at: datetime


def note_looks(view: View, look: Look, pairs: Iterable[tuple[str, str]]) -> None:
    """Note that each (demand, supplier) has met in this way; only the first time is kept.

    A look that cannot be kept, such as on a full disk, is not counted: whoever looks still gets the page.
    """
    wanted = dict.fromkeys(pairs)
    with suppress(PilotbaseError):
        with view.reading() as connection:
            known = _known(connection, look, wanted)
        if not wanted.keys() <= known:
            with view.store.database.write() as connection:
                new = wanted.keys() - _known(connection, look, wanted)
                rows = [{"subject": one[0], "supplier": one[1], "look": look, "at": view.store.clock()} for one in new]
                if rows:
                    connection.execute(insert(tables.first_looks), rows)


def _known(connection: Connection, look: Look, wanted: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return the pairs among ``wanted``, and others of the same demands and suppliers, whose look is noted."""
    subjects, suppliers = ({pair[at] for pair in wanted} for at in (0, 1))
    there = select(_rows.subject, _rows.supplier).where(
        _rows.look == look, _rows.subject.in_(subjects), _rows.supplier.in_(suppliers)
    )
    return {(row.subject, row.supplier) for row in connection.execute(there)}


def first_looks(view: View) -> list[FirstLook]:
    """Return all first looks; whoever calls this has checked that the actor may see the whole base."""
    with view.reading() as connection:
        return [FirstLook(*row) for row in connection.execute(select(*_rows))]
