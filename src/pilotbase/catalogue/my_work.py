"""My work: what I can do now that others wait for, since when, due when; and what of mine waits for others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pilotbase.catalogue.bars import HELPED, Blocker, StepGuard
from pilotbase.catalogue.effects import AttemptsLeft, unlimited
from pilotbase.catalogue.records import both_languages, everything
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.base import Localized
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Record, Waiting
from pilotbase.documents.subjects import record_head
from pilotbase.documents.texts import Text
from pilotbase.workspace.listings import PendingWork, find_waits, find_waits_of_others
from pilotbase.workspace.store import Remembering, View

_MOST = 200
_JUDGED_BY = ("scenario", "application", "report", "dataset", "agreement")
"""Documents of a record that its needs look at."""


@dataclass(frozen=True)
class MakesWay:
    """The act that another one makes possible, and why."""

    subject: str
    title: Localized
    act: Act
    reason: Text
    hint: Text


@dataclass(frozen=True)
class WorkItem:
    """One act that a record waits for, from anyone in the actor's organisation or from one person."""

    subject: str
    kind: str
    title: Localized
    state: str
    act: Act
    since: datetime
    due: datetime | None
    overdue: bool
    makes_way: MakesWay | None = None
    """The act that it makes possible, if the record does not wait for this one itself."""
    bar: Blocker | None = None
    """Why it is not possible now, and who can do what about that; None if it is possible."""


@dataclass(frozen=True)
class MyWork:
    """What the actor can do now, the first due first; and what is theirs once others have acted."""

    tasks: tuple[WorkItem, ...]
    held: tuple[WorkItem, ...]


def my_work(view: View, attempts: AttemptsLeft = unlimited) -> MyWork:
    """Return the work that waits for the actor of ``view``; they can carry out each act that is listed as a task."""
    helped = sorted({act for role in view.actor.roles for act in HELPED[role]})
    found = [(True, *one) for one in find_waits(view, _MOST)]
    found += [(False, *one) for one in find_waits_of_others(view, helped, _MOST)]
    base, records = _read(view, (listing.subject for _, listing, _ in found))
    judge = StepGuard(base, view.store.clock(), attempts)
    items = [
        item
        for mine, listing, wait in found
        if listing.subject in records
        for item in _items(judge, view, records[listing.subject], wait, mine)
    ]
    tasks = {(item.subject, item.act): item for item in reversed(items) if item.bar is None}
    held = {(item.subject, item.act): item for item in items if item.bar is not None}
    return MyWork(tuple(sorted(tasks.values(), key=_soonest)), tuple(held.values()))


def waiting_of(wait: PendingWork) -> Waiting:
    """Return a row of waiting work in the form of the record."""
    return filled(Waiting, wait, organisation=wait.organisation or None, person=wait.person or None)


def _items(judge: StepGuard, view: View, record: Record, wait: PendingWork, mine: bool) -> Iterator[WorkItem]:
    """Yield what one piece of waiting work requires of the actor: the act itself, or one that makes it possible."""
    act, now = Act(wait.act), judge.now
    bar = judge.bar(record, act, view.actor) if mine else judge.bar_of_wait(record, waiting_of(wait))
    if mine:
        yield _item(record, act, wait, now, bar)
    if bar is None:
        return
    for remedy in bar.remedies:
        if remedy.is_for(view.actor):
            way = MakesWay(record.subject, both_languages(record.title), act, bar.error.text, bar.error.hint)
            own = judge.bar(remedy.record, remedy.act, view.actor)
            yield _item(remedy.record, remedy.act, wait, now, own, way)


def _item(
    record: Record, act: Act, wait: PendingWork, now: datetime, bar: Blocker | None, makes_way: MakesWay | None = None
) -> WorkItem:
    return filled(
        WorkItem,
        wait,
        record,
        title=both_languages(record.title),
        act=act,
        overdue=wait.due is not None and wait.due < now,
        makes_way=makes_way,
        bar=bar,
    )


def _soonest(item: WorkItem) -> tuple[bool, float]:
    return (item.due is None, (item.due or item.since).timestamp())


def _read(view: View, subjects: Iterable[str]) -> tuple[View, dict[str, Record]]:
    """Return the base's own view, with everything that these records' needs look at read at once; and the records."""
    base = everything(view)
    heads = base.named([record_head(subject) for subject in dict.fromkeys(subjects)])
    records = {one.subject: one for one in (stored.load(Record) for stored in heads.values())}
    linked = {record_head(subject) for one in records.values() for subject in one.subjects.values()}
    heads |= base.named(sorted(linked - set(heads)))
    wanted = {one.documents[name] for one in records.values() for name in _JUDGED_BY if name in one.documents}
    documents = {stored.digest: stored for stored in heads.values()} | base.get_all(sorted(wanted))
    remembering = Remembering(base.store, base.actor, base.connection, base.request, heads | documents)
    return remembering, records
