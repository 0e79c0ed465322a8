"""Greetings are counted in the store."""

from __future__ import annotations

from sqlalchemy import func, insert, select

from pilotbase.documents.base import Localized
from pilotbase.documents.notice import Address, NoticeBody, NoticeKind
from pilotbase.documents.texts import text
from pilotbase.notices.rows import NoticeDraft, keep
from pilotbase.worker.operations.binding import Caller, does
from pilotbase_tiny.operations.greetings import GREET, Greeted, Greeting
from pilotbase_tiny.workspace.tables import greetings


@does(GREET)
def greet(caller: Caller, asked: Greeted) -> Greeting:
    """Return a greeting in the caller's language."""
    with caller.view.transaction("tiny.greeted") as change:
        change.connection.execute(insert(greetings).values(name=asked.name))
        many = select(func.count()).select_from(greetings).where(greetings.c.name == asked.name)
        times = change.connection.scalar(many)
        body = NoticeBody(title=Localized(en=asked.name, zh=asked.name), said=text("tiny.greeting", name=asked.name))
        keep(change.connection, [NoticeDraft(NoticeKind("greeted"), "", Address(), body, f"{times}")], change.now)
    return Greeting(said=text("tiny.greeting", name=asked.name).render(caller.language), times=times or 0)
