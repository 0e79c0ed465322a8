"""Notices: drafts of them, whom they concern, and the rows: each stored once, read as long as its subject can be seen.

The same event gives the same drafts, so nobody is notified twice. The log has no lines about notices: they only repeat
what the log already says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    true,
)

from pilotbase.documents.api.shapes import filled
from pilotbase.documents.base import Localized
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import canonical_json
from pilotbase.documents.notice import Address, Notice, NoticeBody, NoticeKind
from pilotbase.documents.permissions import ExchangeAct
from pilotbase.documents.record import Record, Reviewer
from pilotbase.documents.subjects import record_head
from pilotbase.documents.thread import Message, Thread, ThreadStep
from pilotbase.workspace import records, tables
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.columns import set_row
from pilotbase.workspace.listings import MAXIMUM_PAGE, Listing, PendingWork
from pilotbase.workspace.store import View
from pilotbase.workspace.threads import seen_threads

_waits, _listings = tables.waits.c, tables.listings.c
COUNTED = 100
"""Unread notices are counted up to this number: a page shows 99+."""
_rows, _reads, _floors = tables.notices.c, tables.notice_reads.c, tables.notice_floors.c
_heads, _documents = tables.heads.c, tables.documents.c
KNOWN = _rows.kind.in_([kind.value for kind in NoticeKind])
"""Notices of other kinds are hidden: the plug-in that says what they mean is not here."""


@dataclass(frozen=True)
class NoticeDraft:
    """A notice to keep, for one address."""

    kind: NoticeKind
    subject: str
    address: Address
    body: NoticeBody
    happening: str
    """Names the event: the same for everyone who is notified of it."""
    thread: str = ""
    author: str = ""
    """The person who did it, who gets no notice."""

    @property
    def identity(self) -> str:
        """Return the notice's name, derived from the event and its recipient: it does not reveal how many there are."""
        told = [self.kind.value, self.happening, self.address.to_json_value()]
        return hashlib.sha256(canonical_json(told)).hexdigest()[:32]


def of_step(record: Record, title: Localized) -> Iterator[NoticeDraft]:
    """Yield the notices of the last step of ``record``: to its parties, and to whose turn it is now."""
    step = record.history[-1]
    body = NoticeBody(title=title, record=record.kind, act=step.act, state=step.state, organisation=step.organisation)
    happening = f"{record.subject} {record.digest()}"
    for address in dict.fromkeys(_concerned(record)):
        yield NoticeDraft(NoticeKind.STEP, record.subject, address, body, happening, author=step.person or "")


def of_release(record: Record, title: Localized, reviewer: Reviewer) -> NoticeDraft:
    """Return the notice to a reviewer released by the last step: it mentions nothing that they would have to see."""
    step = record.history[-1]
    address = Address(organisation=reviewer.organisation, person=reviewer.person)
    body = NoticeBody(title=title, record=record.kind, act=step.act, organisation=step.organisation)
    return NoticeDraft(
        NoticeKind.STEP, "", address, body, f"{record.subject} {record.digest()}", author=step.person or ""
    )


def of_wait(listing: Listing, wait: PendingWork, now: datetime) -> NoticeDraft:
    """Return the notice that work is due soon, or that its day has passed."""
    assert wait.due is not None
    kind = NoticeKind.OVERDUE if wait.due < now else NoticeKind.DUE
    address = Address(organisation=wait.organisation, role=wait.role, person=wait.person)
    body = NoticeBody(title=listing.title, record=listing.kind, act=wait.act, due=wait.due)
    happening = f"{listing.subject} {wait.act} {wait.since.isoformat()} {wait.due.isoformat()}"
    return NoticeDraft(kind, listing.subject, address, body, happening)


def of_thread(thread: Thread, owner: str) -> Iterator[NoticeDraft]:
    """Yield the notices of the last step of ``thread``, whose subject ``owner`` owns."""
    step = thread.history[-1]
    body = NoticeBody(
        title=Localized(en=thread.title, zh=thread.title), act=step.act.value, organisation=step.organisation
    )
    happening = f"thread {thread.identity} {len(thread.history)}"
    for address, kind in _told(thread, step, owner).items():
        yield NoticeDraft(kind, thread.subject, address, body, happening, thread.identity, step.person)


def waits_due(view: View, after: datetime, until: datetime) -> list[tuple[Listing, PendingWork]]:
    """Return the work of all records that is due after one moment and not after another."""
    rows = (
        select(tables.waits, _listings.kind, _listings.state, _listings.digest, _listings.owner, _listings.title)
        .join(tables.listings, _listings.subject == _waits.subject)
        .where(_waits.due > after, _waits.due <= until)
        .order_by(_waits.due, _waits.subject, _waits.position)
    )
    with view.reading() as connection:
        return [
            (_listing(row), PendingWork(row.act, row.role, row.organisation, row.person, row.since, row.due))
            for row in connection.execute(rows)
        ]


def _concerned(record: Record) -> Iterator[Address]:
    parties = (record.organisation, record.demand_owner, record.supplier, record.host)
    yield from (Address(organisation=party) for party in parties if party is not None)
    for reviewer in record.reviewers:
        yield Address(organisation=reviewer.organisation, role="reviewer", person=reviewer.person)
    at = record.history[-1].at
    yield from (
        Address(role=wait.role.value) for wait in record.waits if wait.organisation is None and wait.since == at
    )
    yield from (Address(organisation=order.organisation) for order in record.orders)


def _told(thread: Thread, step: ThreadStep, owner: str) -> dict[Address, NoticeKind]:
    message = thread.message(step.message)
    if step.act is ExchangeAct.THREAD_ASK:
        return {Address(organisation=owner): NoticeKind.QUESTION, **_called(message)}
    if step.act is ExchangeAct.THREAD_REPLY:
        taking_part = {_of(one): NoticeKind.REPLY for one in thread.messages if one.organisation != owner}
        return {Address(organisation=owner): NoticeKind.REPLY, **taking_part, **_called(message)}
    if step.act is ExchangeAct.THREAD_MARK and thread.answer is not None:
        return {_of(one): NoticeKind.ANSWER for one in thread.messages}
    if step.act is ExchangeAct.THREAD_REMOVE and message is not None:
        return {_of(message): NoticeKind.REMOVAL}
    return {}


def _called(message: Message | None) -> dict[Address, NoticeKind]:
    called = message.mentions if message is not None else ()
    return {Address(organisation=one.organisation, person=one.person or ""): NoticeKind.MENTION for one in called}


def _of(message: Message) -> Address:
    return Address(organisation=message.organisation, person=message.person)


def _listing(row: Row[Any]) -> Listing:
    title = Localized.model_validate_json(row.title)
    return Listing(row.subject, row.kind, row.state, row.digest, row.owner, title)


def keep(connection: Connection, drafts: Iterable[NoticeDraft], now: datetime) -> list[tuple[int, NoticeDraft]]:
    """Keep the drafts that are not there yet, and return them with their numbers."""
    kept = []
    for draft in drafts:
        if connection.scalar(select(_rows.sequence).where(_rows.identity == draft.identity)) is not None:
            continue
        values = {
            "identity": draft.identity,
            "kind": draft.kind.value,
            "subject": draft.subject,
            "thread": draft.thread,
            "organisation": draft.address.organisation,
            "role": draft.address.role,
            "person": draft.address.person,
            "author": draft.author,
            "body": canonical_json(draft.body.to_json_value()),
            "made_at": now,
        }
        key = connection.execute(insert(tables.notices).values(values)).inserted_primary_key
        assert key is not None
        kept.append((int(key[0]), draft))
    return kept


def list_notices(
    view: View, unread: bool = False, after: str | None = None, limit: int = 50
) -> tuple[list[Notice], str | None]:
    """Return the notices of the person of ``view``, newest first, and the identity from which to read on.

    Raises:
        InputError: there is no notice ``after`` for this person.
    """
    limit = max(1, min(limit, MAXIMUM_PAGE))
    with view.reading() as connection:
        rows = _with_reads(view.actor)
        if unread:
            rows = rows.where(_rows.sequence > _floor(view.actor), ~_read_one_by_one(view.actor))
        if after is not None:
            rows = rows.where(_rows.sequence < _sequence_of(connection, view.actor, after))
        found = connection.execute(rows.order_by(_rows.sequence.desc()).limit(limit + 1)).all()
    notices = [as_notice(row, view.actor, bool(row.is_read)) for row in found]
    return notices[:limit], notices[limit - 1].identity if len(notices) > limit else None


def find_notice(view: View, identity: str) -> Notice | None:
    """Return one notice of the person of ``view``, or None."""
    with view.reading() as connection:
        row = connection.execute(_with_reads(view.actor).where(_rows.identity == identity)).first()
    return None if row is None else as_notice(row, view.actor, bool(row.is_read))


def count_unread(view: View) -> int:
    """Return how many notices the person of ``view`` has not read, up to `COUNTED`."""
    if view.actor.person is None:
        return 0
    with view.reading() as connection:
        return connection.scalar(_number_unread(view.actor)) or 0


@lru_cache(records.EYES)
def _number_unread(actor: Actor) -> Select[int]:
    some = unread_of(actor).limit(COUNTED)
    return select(func.count()).select_from(some.subquery())


def mark_read(view: View, identities: Sequence[str] | None) -> int:
    """Mark notices as read by the person of ``view``, all of them for None, and return how many were unread."""
    person = view.actor.person
    if person is None:
        return 0
    with view.store.database.write() as connection:
        unread = unread_of(view.actor)
        if identities is not None:
            unread = unread.where(_rows.identity.in_(list(identities)))
        numbers = connection.scalars(unread).all()
        if numbers:
            connection.execute(insert(tables.notice_reads), [{"person": person, "notice": one} for one in numbers])
        if connection.scalar(unread_of(view.actor).limit(1)) is None:
            _raise_floor(connection, person, view.actor.organisation)
    return len(numbers)


def unread_of(actor: Actor) -> Select[Any]:
    """Return the numbers of the notices that the person has not read, looking only above their floor."""
    rows = _mine(actor).with_only_columns(_rows.sequence)
    return rows.where(_rows.sequence > _floor(actor), ~_read_one_by_one(actor))


def unread_since(connection: Connection, actor: Actor, position: int, limit: int) -> list[tuple[int, Notice]]:
    """Return the notices after ``position`` that a person has not read, oldest first, with their numbers."""
    rows = _mine(actor).where(_rows.sequence > position, ~_is_read(actor)).order_by(_rows.sequence).limit(limit)
    return [(row.sequence, as_notice(row, actor)) for row in connection.execute(rows)]


def find_for_organisation(connection: Connection, actor: Actor, identity: str) -> Notice | None:
    """Return a notice for anyone in the organisation of ``actor``, or None if it cannot see it (any more)."""
    own = or_(_rows.organisation == actor.organisation, _for_organisation(actor))
    rows = select(tables.notices).where(_rows.identity == identity, own, KNOWN, _about_seen(actor))
    row = connection.execute(rows).first()
    return None if row is None else as_notice(row, actor)


def last_sequence(connection: Connection) -> int:
    """Return the number of the newest notice, 0 while there is none."""
    return connection.scalar(select(func.max(_rows.sequence))) or 0


def forget(connection: Connection, before: datetime) -> int:
    """Remove the notices from before a moment, with everything that belongs to them; return how many.

    Their queued messages are removed too.
    """
    old = select(_rows.sequence).where(_rows.made_at < before)
    connection.execute(delete(tables.notice_reads).where(_reads.notice.in_(old)))
    told = (tables.work.c.kind == "notice", tables.work.c.queued_at < before)
    connection.execute(delete(tables.work).where(*told))
    return connection.execute(delete(tables.notices).where(_rows.made_at < before)).rowcount


def as_notice(row: Any, actor: Actor, read: bool = False) -> Notice:
    """Return the notice in a row, for ``actor``."""
    return filled(
        Notice,
        row,
        kind=NoticeKind(row.kind),
        organisation=row.organisation or actor.organisation,
        body=NoticeBody.model_validate_json(row.body),
        read=read,
    )


def _mine(actor: Actor) -> Select[Any]:
    person = actor.person or ""
    for_me = and_(_for_organisation(actor), _rows.person.in_(["", person]), _rows.author != person)
    return select(tables.notices).where(for_me, KNOWN, _about_seen(actor))


def _with_reads(actor: Actor) -> Select[Any]:
    return _mine(actor).add_columns(_is_read(actor).label("is_read"))


def _for_organisation(actor: Actor) -> ColumnElement[bool]:
    roles = ["", *(role.value for role in actor.roles)]
    return and_(
        literal(bool(actor.organisation)),
        _rows.organisation.in_(["", actor.organisation]),
        _rows.role.in_(roles),
    )


def _about_seen(actor: Actor) -> ColumnElement[bool]:
    """Return the condition that the actor can see the subject of a notice: a record, service, incident or thread.

    A notice without a subject is visible.
    """
    if actor.sees_all:
        return true()
    record = (
        exists()
        .where(_heads.name.in_([literal(record_head("")) + _rows.subject, _rows.subject]))
        .where(_documents.digest == _heads.digest, _documents.owner == _heads.owner)
        .where(records.visible_to(actor))
    )
    thread = seen_threads(actor).where(tables.threads.c.identity == _rows.thread).exists()
    return or_(_rows.subject == "", and_(_rows.thread == "", record), and_(_rows.thread != "", thread))


def _is_read(actor: Actor) -> ColumnElement[bool]:
    return or_(_rows.sequence <= _floor(actor), _read_one_by_one(actor))


def _read_one_by_one(actor: Actor) -> ColumnElement[bool]:
    return exists().where(_reads.notice == _rows.sequence, _reads.person == (actor.person or ""))


def _floor(actor: Actor) -> ColumnElement[int]:
    own = (_floors.person == (actor.person or ""), _floors.organisation == actor.organisation)
    return func.coalesce(select(_floors.read_to).where(*own).scalar_subquery(), 0)


def _raise_floor(connection: Connection, person: str, organisation: str) -> None:
    """Note that everything was read, so that rows for single notices up to here are no longer needed."""
    whose = {"person": person, "organisation": organisation}
    set_row(connection, tables.notice_floors, whose, {"read_to": last_sequence(connection)})


def _sequence_of(connection: Connection, actor: Actor, identity: str) -> int:
    sequence = connection.scalar(_mine(actor).with_only_columns(_rows.sequence).where(_rows.identity == identity))
    if sequence is None:
        raise InputError("workspace.no_such_page", after=identity)
    return int(sequence)
