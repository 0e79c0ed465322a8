"""Which pseudonym a person learns under. Entries of courses hold the pseudonym alone, and the row can be erased."""

from __future__ import annotations

import secrets

from sqlalchemy import delete, select

from pilotbase.workspace import tables
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.columns import set_row
from pilotbase.workspace.store import View

_rows = tables.learners.c


def pseudonym_of(view: View, make: bool = False) -> str | None:
    """Return the pseudonym of the person of ``view``; with ``make``, draw one if there is none, else None."""
    own = select(_rows.pseudonym).where(_rows.person == _person(view.actor))
    with view.reading() as connection:
        found = connection.scalar(own)
    if found is None and make:
        with view.store.database.write() as connection:
            found = connection.scalar(own)
            if found is None:
                found = secrets.token_hex(8)
                set_row(connection, tables.learners, {"person": _person(view.actor)}, {"pseudonym": found})
    return found


def known_learners(view: View) -> frozenset[str]:
    """Return the pseudonyms that belong to somebody."""
    with view.reading() as connection:
        return frozenset(connection.scalars(select(_rows.pseudonym)))


def forget_learner(view: View) -> bool:
    """Erase the row of the person of ``view``; return whether there was one."""
    with view.store.database.write() as connection:
        return bool(connection.execute(delete(tables.learners).where(_rows.person == _person(view.actor))).rowcount)


def _person(actor: Actor) -> str:
    """Return whose row it is; at the command line of the base, the organisation's."""
    return actor.person or f"organisation:{actor.organisation}"
