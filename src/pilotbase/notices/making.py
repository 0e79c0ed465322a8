"""Drafts of notices, and whom they concern. The same event gives the same drafts, so nobody is notified twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from pilotbase.documents.base import Localized
from pilotbase.documents.hashes import canonical_json
from pilotbase.documents.notice import Address, NoticeBody, NoticeKind
from pilotbase.documents.permissions import ExchangeAct
from pilotbase.documents.record import Record, Reviewer
from pilotbase.documents.thread import Message, Thread, ThreadStep
from pilotbase.workspace import tables
from pilotbase.workspace.listings import Listing, PendingWork
from pilotbase.workspace.store import View

_waits, _listings = tables.waits.c, tables.listings.c


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
    parties = (record.organisation, record.demand_owner, record.supplier)
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
