"""Greetings are counted in the store."""

from __future__ import annotations

from sqlalchemy import func, insert, select

from pilotbase.documents.texts import text
from pilotbase.worker.bound.binding import Caller, does
from pilotbase_tiny.operations.greetings import GREET, Greeted, Greeting
from pilotbase_tiny.workspace.tables import greetings


@does(GREET)
def greet(caller: Caller, asked: Greeted) -> Greeting:
    """Return a greeting in the caller's language."""
    with caller.view.transaction("tiny.greeted") as change:
        change.connection.execute(insert(greetings).values(name=asked.name))
        many = select(func.count()).select_from(greetings).where(greetings.c.name == asked.name)
        times = change.connection.scalar(many)
    return Greeting(said=text("tiny.greeting", name=asked.name).render(caller.language), times=times or 0)
