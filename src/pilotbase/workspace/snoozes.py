"""Tasks that people have put off, each until a moment. A step that comes up again is a new task."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select

from pilotbase.workspace import tables
from pilotbase.workspace.columns import set_row
from pilotbase.workspace.store import View

_rows = tables.snoozes.c


@dataclass(frozen=True)
class SnoozedTask:
    """What identifies a task of an inbox: the step, its subject, and since when it waits."""

    subject: str
    act: str
    since: datetime


def snooze(view: View, task: SnoozedTask, until: datetime) -> None:
    """Put ``task`` off for the person of ``view`` in the organisation they act for; their expired rows are deleted."""
    now = view.store.clock()
    with view.store.database.write() as connection:
        connection.execute(delete(tables.snoozes).where(*_own(view), _rows.until <= now))
        whose = {"person": view.actor.person or "", "organisation": view.actor.organisation}
        set_row(
            connection,
            tables.snoozes,
            {**whose, "subject": task.subject, "act": task.act},
            {"since": task.since, "until": until},
        )


def wake(view: View, subject: str, act: str) -> None:
    """Bring back a task that was put off."""
    with view.store.database.write() as connection:
        connection.execute(delete(tables.snoozes).where(*_own(view), _rows.subject == subject, _rows.act == act))


def snoozed(view: View) -> dict[SnoozedTask, datetime]:
    """Return each task that the person of ``view`` has put off → until when; tasks that are back are left out."""
    rows = select(tables.snoozes).where(*_own(view), _rows.until > view.store.clock())
    with view.reading() as connection:
        return {SnoozedTask(row.subject, row.act, row.since): row.until for row in connection.execute(rows)}


def _own(view: View) -> tuple[ColumnElement[bool], ...]:
    return _rows.person == (view.actor.person or ""), _rows.organisation == view.actor.organisation
