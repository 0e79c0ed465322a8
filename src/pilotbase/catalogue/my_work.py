"""My work: what waits for me, since when, due when; everyone's first page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pilotbase.documents.base import Localized
from pilotbase.documents.permissions import Act
from pilotbase.workspace.listings import find_waits
from pilotbase.workspace.store import View


@dataclass(frozen=True)
class WorkItem:
    """One act that somebody of the actor's organisation (or the very person) is waited for to do."""

    subject: str
    kind: str
    title: Localized
    state: str
    act: Act
    since: datetime
    due: datetime | None
    overdue: bool


def my_work(view: View, limit: int = 200) -> list[WorkItem]:
    """Return what waits for the actor of ``view``: what is due first comes first."""
    now = view.store.clock()
    return [
        WorkItem(
            subject=listing.subject,
            kind=listing.kind,
            title=listing.title,
            state=listing.state,
            act=Act(wait.act),
            since=wait.since,
            due=wait.due,
            overdue=wait.due is not None and wait.due < now,
        )
        for listing, wait in find_waits(view, limit)
    ]
