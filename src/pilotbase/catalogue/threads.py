"""Exchange 技术交流: asking, replying, correcting, removing, marking the answer; each change leaves a trace.

The store decides who sees a thread (`workspace.threads`), the permission table who may do what. For a person, what they
may not see does not exist.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO

from pilotbase.catalogue.records import everything
from pilotbase.documents.api.exchange import ListedThread, ThreadPage
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.errors import BarredError, InputError, RefusedError
from pilotbase.documents.hashes import Digest, hex_of
from pilotbase.documents.permissions import ExchangeAct, SubjectRelation, act_name, permitted
from pilotbase.documents.subjects import kind_of
from pilotbase.documents.thread import (
    MAXIMUM_ATTACHMENTS,
    MAXIMUM_MESSAGES,
    Attachment,
    Correction,
    Marking,
    Mention,
    Message,
    Question,
    Removal,
    Reply,
    Thread,
    ThreadStep,
    mentions_in,
)
from pilotbase.workspace.actors import BASE, Actor, parties
from pilotbase.workspace.blobs import BlobStore
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.listings import find_listing
from pilotbase.workspace.store import View
from pilotbase.workspace.threads import ThreadRow, count_threads, find_thread, list_threads, put_thread
from pilotbase.workspace.transaction import Transaction

KINDS = ("demand", "scenario", "application")
"""Kinds of records that threads are about."""


@dataclass(frozen=True)
class SeenThread:
    """A thread as an actor sees it, and its version."""

    thread: Thread
    digest: Digest
    owner: str
    """The organisation that owns its subject."""


@dataclass(frozen=True)
class Deed:
    """What a person is about to do to a thread."""

    act: ExchangeAct
    message: int = 0
    reason: str = ""
    seen: Digest | None = None
    """The version that the person has seen; a newer one refuses the deed."""


def ask(view: View, question: Question) -> SeenThread:
    """Open a thread and return it; the same request opens it only once.

    Raises:
        NotFoundError: the actor does not see its subject, or such subjects have no threads.
        RefusedError: the actor is no person of an organisation.
    """
    with view.transaction(ExchangeAct.THREAD_ASK.value) as change:
        here = view.within(change)
        owner = _owner_of(here, question.subject)
        _require(ExchangeAct.THREAD_ASK, view.actor, SubjectRelation())
        identity = hex_of(view.request)[:16] if view.request is not None else secrets.token_hex(8)
        if view.request is not None and find_thread(here, identity) is not None:
            return read(here, identity)
        thread = filled(
            Thread,
            question,
            identity=identity,
            messages=(_message(change, 1, Reply(text=question.text, mentions=question.mentions)),),
            history=(_step(change, ExchangeAct.THREAD_ASK, 1),),
        )
        return _keep(change, thread, owner)


def reply(view: View, identity: str, said: Reply, seen: Digest | None = None) -> SeenThread:
    """Add a message; raises as `read`, and `RefusedError` or `ConflictError`."""

    def add(change: Transaction, thread: Thread) -> Thread:
        number = len(thread.messages) + 1
        if number > MAXIMUM_MESSAGES:
            raise BarredError("thread.full", limit=MAXIMUM_MESSAGES)
        return _changed(thread, messages=(*thread.messages, _message(change, number, said)))

    return _advance(view, identity, Deed(ExchangeAct.THREAD_REPLY, seen=seen), add)


def correct(view: View, identity: str, number: int, said: Correction, seen: Digest | None = None) -> SeenThread:
    """Replace the words of a message; the base keeps the earlier ones."""

    def put(change: Transaction, thread: Thread) -> Thread:
        message = _standing(thread, number)
        if message.text == said.text:
            return thread
        return _replaced(thread, message, text=said.text, corrected_at=change.now)

    return _advance(view, identity, Deed(ExchangeAct.THREAD_CORRECT, number, seen=seen), put)


def remove(
    view: View, blobs: BlobStore, identity: str, number: int, why: Removal, seen: Digest | None = None
) -> SeenThread:
    """Remove a message: the base keeps its words and shows that there was one; its files are erased."""

    def take(change: Transaction, thread: Thread) -> Thread:
        message = _standing(thread, number)
        without = _replaced(thread, message, text="", mentions=(), attachments=(), removed_at=change.now)
        left = _changed(without, answer=None) if thread.answer == number else without
        _erase(view.within(change), blobs, left, message.attachments)
        return left

    return _advance(view, identity, Deed(ExchangeAct.THREAD_REMOVE, number, why.reason, seen), take)


def mark(view: View, identity: str, marking: Marking, seen: Digest | None = None) -> SeenThread:
    """Mark which message is the answer, or that none is."""

    def put(_: Transaction, thread: Thread) -> Thread:
        if marking.message is not None:
            _standing(thread, marking.message)
            if marking.message == 1:
                raise InputError("thread.question_is_no_answer")
        return _changed(thread, answer=marking.message)

    return _advance(view, identity, Deed(ExchangeAct.THREAD_MARK, marking.message or 0, seen=seen), put)


def attach(
    view: View, blobs: BlobStore, identity: str, number: int, file: tuple[str, IO[bytes]], at_most: int
) -> SeenThread:
    """Add a file to the actor's own message; the same file under the same name changes nothing.

    Raises:
        InputError: it is larger than ``at_most`` bytes, there are too many files, or it has no valid name.
    """
    name, stream = file
    _require_seen(view, identity)
    digest, size = store_file(blobs, stream, at_most)
    attachment = new_attachment(name, digest, size)

    def put(_: Transaction, thread: Thread) -> Thread:
        message = _standing(thread, number)
        if attachment in message.attachments:
            return thread
        if len(message.attachments) >= MAXIMUM_ATTACHMENTS:
            raise InputError("thread.too_many_files", limit=MAXIMUM_ATTACHMENTS)
        if not blobs.exists(digest):  # the last message with this file has just been removed
            raise ConflictError("thread.file_gone", name=name)
        return _replaced(thread, message, attachments=(*message.attachments, attachment))

    return _advance(view, identity, Deed(ExchangeAct.THREAD_ATTACH, number), put)


def read(view: View, identity: str) -> SeenThread:
    """Return a thread; raises `NotFoundError` if there is none, or the actor does not see it."""
    row = _require_seen(view, identity)
    return SeenThread(everything(view).load(row.digest, Thread), row.digest, row.owner)


def read_all(view: View, rows: Sequence[ThreadRow]) -> list[Thread]:
    """Return the threads of those rows that the actor sees."""
    base = everything(view)
    return [base.load(row.digest, Thread) for row in rows]


def page(view: View, subject: str | None, after: str | None, limit: int) -> ThreadPage:
    """Return some of the threads that the actor sees, those about ``subject`` or all; raises `NotFoundError`."""
    if subject is not None and find_listing(view, subject) is None:
        raise NotFoundError("hub.not_found")
    rows, following = list_threads(view, subject, after, limit)
    items = [_listed(thread) for thread in read_all(view, rows)]
    return ThreadPage(items=items, total=count_threads(view, subject), next=following)


def file_of(seen: SeenThread, number: int, digest: Digest) -> Attachment:
    """Return a file of a message; raises `NotFoundError`."""
    message = seen.thread.message(number)
    for attachment in message.attachments if message else ():
        if attachment.digest == digest:
            return attachment
    raise NotFoundError("thread.not_found")


def content_of(blobs: BlobStore, attachment: Attachment) -> bytes:
    """Return the bytes of a file; raises `NotFoundError` if they were erased."""
    if not blobs.exists(attachment.digest):
        raise NotFoundError("thread.not_found")
    return blobs.get(attachment.digest)


def may(view: View, seen: SeenThread, act: ExchangeAct, number: int = 0) -> bool:
    """Return whether the table lets the actor do ``act`` to message ``number`` of a thread."""
    return view.actor.person is not None and permitted(act, view.actor, _stands(seen.thread, seen.owner, number))


def _listed(thread: Thread) -> ListedThread:
    return filled(
        ListedThread,
        thread,
        answered=thread.answer is not None,
        messages=len(thread.messages),
        last_at=thread.messages[-1].at,
        url=f"/exchange/{thread.identity}/",
    )


def _advance(view: View, identity: str, deed: Deed, change_it: Callable[[Transaction, Thread], Thread]) -> SeenThread:
    """Write the next version of a thread, made by ``change_it``; if this very request already did, return that one."""
    with view.transaction(deed.act.value) as change:
        here = view.within(change)
        before = read(here, identity)
        if here.outcome() is not None:
            return before
        _require_message(before.thread, deed)
        _require(deed.act, view.actor, _stands(before.thread, before.owner, deed.message))
        changed = change_it(change, before.thread)
        if changed == before.thread:
            change.settle(before.digest)
            return before
        if deed.seen is not None and deed.seen != before.digest:
            raise ConflictError("thread.changed_meanwhile")
        message = len(changed.messages) if deed.act is ExchangeAct.THREAD_REPLY else deed.message
        step = _step(change, deed.act, message).model_copy(update={"reason": deed.reason, "before": before.digest})
        after = _keep(change, _changed(changed, history=(*changed.history, step)), before.owner, before.digest)
        change.settle(after.digest)
        return after


def _keep(change: Transaction, thread: Thread, owner: str, before: Digest | None = None) -> SeenThread:
    change.vouch_for(owner)
    digest = change.put(thread, parties(*{thread.asker} - {owner}), owner=owner, fields=_fields(thread))
    change.set_head(f"thread:{thread.identity}", digest, expected=before)
    if before is not None:
        change.change_visibility(before, BASE)
    row = filled(
        ThreadRow,
        thread,
        organisation=thread.asker,
        answered=thread.answer is not None,
        digest=digest,
        owner=owner,
    )
    put_thread(change, row)
    return SeenThread(thread, digest, owner)


def _fields(thread: Thread) -> dict[str, list[str]]:
    files = [attachment.digest for message in thread.messages for attachment in message.attachments]
    return {"attachment": sorted(set(files))}


def _owner_of(view: View, subject: str) -> str:
    listing = find_listing(view, subject)
    if listing is None or listing.kind not in KINDS:
        raise NotFoundError("record.not_found", subject=subject)
    return listing.owner


def _require_seen(view: View, identity: str) -> ThreadRow:
    row = find_thread(view, identity)
    if row is None:
        raise NotFoundError("thread.not_found")
    return row


def _require(act: ExchangeAct, actor: Actor, stands: SubjectRelation) -> None:
    if actor.person is None or not permitted(act, actor, stands):
        raise RefusedError("thread.not_permitted", act=act_name(act))


def _require_message(thread: Thread, deed: Deed) -> None:
    of_message = (ExchangeAct.THREAD_ATTACH, ExchangeAct.THREAD_CORRECT, ExchangeAct.THREAD_REMOVE)
    if deed.act in of_message and thread.message(deed.message) is None:
        raise NotFoundError("thread.no_message", number=deed.message)


def _stands(thread: Thread, owner: str, number: int) -> SubjectRelation:
    message = thread.message(number)
    kind = kind_of(thread.subject)
    return SubjectRelation(
        demand_owner=owner if kind in ("demand", "scenario") else None,
        supplier=owner if kind == "application" else None,
        asker=thread.asker,
        author=(message.organisation, message.person) if message is not None else None,
    )


def _standing(thread: Thread, number: int) -> Message:
    message = thread.message(number)
    if message is None:
        raise NotFoundError("thread.no_message", number=number)
    if message.removed_at is not None:
        raise BarredError("thread.removed", number=number)
    return message


def _message(change: Transaction, number: int, said: Reply) -> Message:
    called: tuple[Mention, ...] = (*said.mentions, *mentions_in(said.text))
    return Message(
        number=number,
        organisation=change.actor.organisation,
        person=change.actor.person or "",
        at=change.now,
        text=said.text,
        mentions=tuple(dict.fromkeys(called)),
        request=change.request,
    )


def _step(change: Transaction, act: ExchangeAct, message: int) -> ThreadStep:
    who = change.actor
    return ThreadStep(act=act, message=message, organisation=who.organisation, person=who.person or "", at=change.now)


def _replaced(thread: Thread, message: Message, **changes: object) -> Thread:
    place, changed = message.number - 1, message.model_copy(update=changes)
    return _changed(thread, messages=(*thread.messages[:place], changed, *thread.messages[place + 1 :]))


def _changed(thread: Thread, **changes: object) -> Thread:
    return thread.model_copy(update=changes)


def store_file(blobs: BlobStore, stream: IO[bytes], at_most: int) -> tuple[Digest, int]:
    """Keep a file of at most so many bytes and return its digest and size; raises `InputError`."""
    size = stream.seek(0, 2)
    stream.seek(0)
    if size > at_most:
        raise InputError("thread.file_too_large", allowed=at_most)
    return blobs.put(stream), size


def new_attachment(name: str, digest: Digest, size: int) -> Attachment:
    """Return what names a kept file; raises `InputError` for what is no name of a file."""
    try:
        return Attachment(name=name, digest=digest, size=size)
    except ValueError:
        raise InputError("thread.file_name") from None


def _erase(here: View, blobs: BlobStore, left: Thread, files: Sequence[Attachment]) -> None:
    """Erase the files that no message of any thread contains any more."""
    base = everything(here)
    for file in files:
        holders = [stored.load(Thread) for stored in base.find("thread", {"attachment": file.digest}, limit=1000)]
        newest = {one.identity for one in holders if base.head(f"thread:{one.identity}") == one.digest()}
        if not newest - {left.identity} and file.digest not in _fields(left)["attachment"]:
            blobs.remove(file.digest)
