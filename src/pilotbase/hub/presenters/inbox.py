"""A person's inbox: tasks, requests and what was put off; and the number beside *Inbox* on every page."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.core.cache import cache

from pilotbase.catalogue.my_work import MyWork, WorkItem
from pilotbase.documents.permissions import DeskAct, permitted
from pilotbase.documents.subjects import organisation_subject
from pilotbase.documents.texts import text
from pilotbase.hub.acting import RequestActor, acted_at
from pilotbase.hub.base import base
from pilotbase.hub.models import RoleChange
from pilotbase.worker.inbox import InboxItem, asked_of
from pilotbase.worker.trials.acts import work_of
from pilotbase.workspace.snoozes import SnoozedTask, snoozed
from pilotbase.workspace.store import View, newest_change

Waits = TypeVar("Waits", WorkItem, InboxItem)
RECOUNTED_SECONDS, KEPT_SECONDS = 15, 300
"""A page's number is recounted at most this often while records change, and at least this often: tasks come back."""


@dataclass(frozen=True)
class PutOff:
    """A task that a person has put off, and until when."""

    item: WorkItem | InboxItem
    until: datetime


@dataclass(frozen=True)
class Inbox:
    """Everything that waits for one person in one organisation."""

    tasks: tuple[WorkItem, ...]
    asked: tuple[InboxItem, ...]
    held: tuple[WorkItem, ...]
    put_off: tuple[PutOff, ...]

    @property
    def waiting(self) -> int:
        return len(self.tasks) + len(self.asked)


def inbox_of(view: View) -> Inbox:
    """Return the inbox of the person of ``view`` as it is now; `count_waiting` then knows its number."""
    change, at = newest_change(view), time.monotonic()  # first: what changes while we count makes the number old
    work, asked, later = work_of(base(), view), [*asked_of(base(), view), *_proposals(view)], snoozed(view)
    everything: tuple[WorkItem | InboxItem, ...] = (*work.tasks, *asked)
    put_off = [PutOff(one, later[task_of(one)]) for one in everything if task_of(one) in later]
    now_due = (tuple(_without(work.tasks, later)), tuple(_without(asked, later)))
    found = Inbox(*now_due, tuple(_for_others(work)), tuple(sorted(put_off, key=lambda one: one.until)))
    cache.set(_key(view), (change, at, found.waiting), KEPT_SECONDS)
    return found


def count_waiting(acting: RequestActor, fresh: bool = False) -> int:
    """Return how many tasks wait for the person; takes one statement while nothing has changed.

    ``fresh``: recount after any change, even if the last count is only seconds old.
    """
    view = acting.view
    kept = cache.get(_key(view))
    if kept is not None:
        change, at, number = kept
        recent = at > acted_at(view.actor) and time.monotonic() - at < RECOUNTED_SECONDS
        if (recent and not fresh) or newest_change(view) == change:
            return int(number)
    return inbox_of(view).waiting


def task_of(one: WorkItem | InboxItem) -> SnoozedTask:
    """Return what identifies a task; the same step on the same record is a new task when it comes up again."""
    if isinstance(one, InboxItem):
        return SnoozedTask(one.identity, one.kind, one.since)
    return SnoozedTask(one.subject, one.act, one.since)


def _proposals(view: View) -> Iterator[InboxItem]:
    """Yield what other operators have proposed, for those who may consent."""
    for one in RoleChange.objects.open() if permitted(DeskAct.MANAGE, view.actor) else ():
        if one.proposed_by.identity != view.actor.person:
            subject = organisation_subject(one.organisation)
            said = text("people.told_proposal", email=one.email)
            yield InboxItem("role-change", str(one.pk), subject, said, one.proposed_at)


def _for_others(work: MyWork) -> Iterator[WorkItem]:
    """Yield what waits for others: a task that one's own other task makes way for is named there."""
    own = {(one.subject, one.act) for one in work.tasks}
    for one in work.held:
        if one.bar is None or not any((remedy.subject, remedy.act) in own for remedy in one.bar.remedies):
            yield one


def _without(items: Iterable[Waits], later: dict[SnoozedTask, datetime]) -> Iterator[Waits]:
    return (one for one in items if task_of(one) not in later)


def _key(view: View) -> str:
    actor = view.actor
    return f"inbox:{base().home.path}:{actor.organisation}:{actor.person}:{'+'.join(sorted(actor.roles))}"
