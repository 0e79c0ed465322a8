"""Rooms of matches: opened by one side, agreed to by the other, seen by both and by the base alone.

Files are for the two sides only: whoever is given one accepts its terms first, and the acceptance is in the log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import IO, Any, NamedTuple

from pilotbase.catalogue.threads import new_attachment, store_file
from pilotbase.documents.base import Localized
from pilotbase.documents.call import PublishedCall
from pilotbase.documents.errors import BarredError, InputError, RefusedError
from pilotbase.documents.hashes import digest_json, hex_of
from pilotbase.documents.notice import Address, NoticeBody, NoticeKind
from pilotbase.documents.permissions import ExchangeAct, SubjectRelation, permitted
from pilotbase.documents.room import (
    MOST_ENTRIES,
    MOST_FILES,
    Awaited,
    MatchRoom,
    RoomEntry,
    RoomEntryKind,
    RoomHistory,
    RoomOutcome,
)
from pilotbase.documents.subjects import Subject, holder_of, kind_of, name_of
from pilotbase.documents.texts import Text, text
from pilotbase.documents.thread import Attachment
from pilotbase.documents.vocabularies import Role
from pilotbase.notices.rows import NoticeDraft
from pilotbase.worker.matching import proofs_that_hold
from pilotbase.workspace.actors import parties
from pilotbase.workspace.blobs import BlobStore
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import Query, find_listing, list_page, require_listing
from pilotbase.workspace.store import Change, View
from pilotbase.workspace.transaction import Transaction

_Check = Callable[[RoomHistory], None]


def open_room(view: View, demand: Subject, application: Subject, words: str) -> RoomHistory:
    """Propose a room for a match; while one for the same pair has not ended, that one is returned.

    Raises:
        NotFoundError: the actor sees no such open demand, or neither the application nor a certificate of it.
        RefusedError: the actor is neither its owner nor its supplier, or is both.
    """
    owner, supplier = _sides(view, demand, application)
    pair = [one for one in rooms_of(view) if (one.room.demand, one.room.application) == (demand, application)]
    there = next((one for one in pair if one.end is None), None)
    if there is not None:
        return there
    with view.transaction("room.opened") as change:
        change.vouch_for(owner)
        made = MatchRoom(
            identity=hex_of(digest_json([demand, application, len(pair)]))[:16],
            demand=demand,
            application=application,
            owner=owner,
            supplier=supplier,
            by=view.actor.organisation,
            words=words,
            opened_at=change.now,
        )
        digest = change.put(made, parties(supplier), owner=owner, fields={"room": made.identity})
        change.set_head(_head(made.identity), digest, expected=None)
    return RoomHistory(made)


def _sides(view: View, demand: Subject, application: Subject) -> tuple[str, str]:
    """Return owner and supplier of a match, of which the actor must be one."""
    listing = require_listing(view, demand)
    if listing.kind not in ("demand", "scenario") or listing.state != "open" or kind_of(application) != "application":
        raise NotFoundError("record.not_found", subject=demand)
    owner, supplier = listing.owner, holder_of(application)
    if owner == supplier or not permitted(ExchangeAct.ROOM_OPEN, view.actor, _stands(owner, supplier)):
        raise RefusedError("room.not_a_side")
    certified = any(one.application == application for one in proofs_that_hold(view, view.store.clock()))
    if not certified and find_listing(view, application) is None:
        raise NotFoundError("record.not_found", subject=application)
    return owner, supplier


def rooms_of(view: View) -> list[RoomHistory]:
    """Return the rooms that the actor sees, newest first."""
    entries = defaultdict[str, list[RoomEntry]](list)
    for one in view.every(RoomEntry):
        entries[one.room].append(one)
    return [RoomHistory(one, tuple(entries[one.identity][::-1])) for one in view.every(MatchRoom)]


def read_room(view: View, identity: str) -> RoomHistory:
    """Return a room; raises `NotFoundError`: there is none, or the actor does not see it."""
    stored = view.named([_head(identity)]).get(_head(identity))
    if stored is None:
        raise NotFoundError("room.not_found")
    return RoomHistory(stored.load(MatchRoom), tuple(view.every(RoomEntry, {"room": identity})[::-1]))


def agree(view: View, identity: str) -> RoomHistory:
    """Agree to a room that the other side has proposed; raises as `enter`."""

    def check(history: RoomHistory) -> None:
        if history.room.by == view.actor.organisation:
            raise RefusedError("room.other_side")

    history = read_room(view, identity)
    return history if history.state == "open" else enter(view, identity, "agreed", check, states=("proposed",))


def enter(
    view: View,
    identity: str,
    kind: RoomEntryKind,
    check: _Check = lambda history: None,
    states: tuple[str, ...] = ("open",),
    **said: Any,
) -> RoomHistory:
    """Add an entry for the actor's side, if ``check`` has nothing against it, and return the room after it.

    Raises:
        NotFoundError: there is no such room for the actor.
        RefusedError: the actor is of neither side.
        BarredError: the room is not agreed to, has ended or is full.
    """
    with view.transaction(f"room.{kind}") as change:
        here = view.within(change)
        history = read_room(here, identity)
        if here.outcome() is not None:
            return history
        _require_side(view, history)
        if history.state == "ended":
            raise BarredError("room.ended")
        if history.state not in states:
            raise BarredError("room.not_agreed")
        if len(history.entries) >= MOST_ENTRIES - (kind != "ended"):
            raise BarredError("room.full", limit=MOST_ENTRIES)
        check(history)
        added = _put(change, history, kind, said)
        change.settle(added.digest())
    return RoomHistory(history.room, (*history.entries, added))


def _put(change: Transaction, history: RoomHistory, kind: RoomEntryKind, said: dict[str, Any]) -> RoomEntry:
    room = history.room
    made = RoomEntry(
        room=room.identity,
        number=len(history.entries) + 1,
        kind=kind,
        organisation=change.actor.organisation,
        person=change.actor.person,
        at=change.now,
        **said,
    )
    change.vouch_for(room.owner)
    digest = change.put(made, parties(room.supplier), owner=room.owner, fields={"room": room.identity})
    change.set_head(f"{_head(room.identity)}:{made.number}", digest, expected=None)  # refuses the second of two
    return made


def reply(
    view: View, identity: str, kind: RoomEntryKind, to: tuple[RoomEntryKind, int], words: str = ""
) -> RoomHistory:
    """Answer a question, confirm a decision, or say that a step is done; done again, it stays as it is.

    Raises as `enter`, and:
        NotFoundError: the room has no such entry.
        RefusedError: it is for the other side.
    """
    about, number = to

    def check(history: RoomHistory) -> None:
        entry = history.entry(number, about)
        if entry is None:
            raise NotFoundError("room.no_entry", number=number)
        whose = entry.who if about == "step" else history.room.other(entry.organisation)
        if whose != view.actor.organisation:
            raise RefusedError("room.other_side")

    history = read_room(view, identity)
    entry = history.entry(number, about)
    if entry is not None and kind != "answer" and (history.reply(entry) is not None):
        return history
    return enter(view, identity, kind, check, about=number, words=words)


def plan_step(view: View, identity: str, words: str, who: str, due: str) -> RoomHistory:
    """Note the next step, who takes it, and by when; raises as `enter`, and `InputError`: somebody else would."""

    def check(history: RoomHistory) -> None:
        if who not in (history.room.owner, history.room.supplier):
            raise InputError("room.neither_side", found=who, owner=history.room.owner, supplier=history.room.supplier)

    return enter(view, identity, "step", check, words=words, who=who, day=due)


def share_file(
    view: View, blobs: BlobStore, identity: str, file: tuple[str, IO[bytes]], terms: str, at_most: int
) -> RoomHistory:
    """Share a file on terms; the same file on the same terms is shared once.

    Raises as `enter`, and `InputError`: it is too large, or one too many.
    """
    name, stream = file
    history = read_room(view, identity)
    _require_side(view, history)
    attachment = new_attachment(name, *store_file(blobs, stream, at_most))
    own = (view.actor.organisation, attachment, terms)
    if own in [(one.organisation, one.file, one.words) for one in history.entries]:
        return history

    def check(history: RoomHistory) -> None:
        if history.files >= MOST_FILES:
            raise InputError("room.too_many_files", limit=MOST_FILES)

    return enter(view, identity, "file", check, words=terms, file=attachment)


def accept_terms(view: View, identity: str, number: int) -> RoomHistory:
    """Accept the terms of a file, so that the actor's side may open it; raises as `enter`, and `NotFoundError`."""

    def check(history: RoomHistory) -> None:
        if history.entry(number, "file") is None:
            raise NotFoundError("room.no_entry", number=number)

    history = read_room(view, identity)
    file = history.entry(number, "file")
    if file is not None and history.has_accepted(view.actor.organisation, file):
        return history
    return enter(view, identity, "accepted", check, about=number)


def file_in(view: View, identity: str, number: int) -> Attachment:
    """Return a file that the actor's side may open.

    Raises:
        NotFoundError: there is no such file for the actor.
        RefusedError: the actor is of neither side.
        BarredError: its terms are not accepted.
    """
    history = read_room(view, identity)
    _require_side(view, history)
    entry = history.entry(number, "file")
    if entry is None or entry.file is None:
        raise NotFoundError("room.no_entry", number=number)
    if not history.has_accepted(view.actor.organisation, entry):
        raise BarredError("room.terms_first", number=number)
    return entry.file


def end_room(view: View, identity: str, outcome: RoomOutcome, reason: str) -> RoomHistory:
    """End a room in a trial or a call that is there, or decline with a reason; before it is agreed to, only decline.

    Raises as `enter`, and:
        BarredError: no trial of the application on the scenario is proposed, or no call on it is published.
    """
    history = read_room(view, identity)
    if history.end is not None and (history.end.outcome, history.end.words) == (outcome, reason):
        return history
    led_to = _led_to(view, history.room, outcome)
    if outcome == "trial" and led_to is None:
        raise BarredError("room.no_trial")
    if outcome == "call" and led_to is None:
        raise BarredError("room.no_call")
    states = ("proposed", "open") if outcome == "declined" else ("open",)
    return enter(view, identity, "ended", states=states, words=reason, outcome=outcome, led_to=led_to)


def _led_to(view: View, room: MatchRoom, outcome: RoomOutcome) -> Subject | None:
    listing = find_listing(view, room.demand)
    made = listing.scenario if listing is not None and listing.kind == "demand" else room.demand
    if outcome == "trial" and made:
        page = list_page(view, Query("commission", scenario=made, application=room.application), limit=1)
        return page.items[0].subject if page.items else None
    if outcome == "call":
        calls = (one.call for one in view.every(PublishedCall))
        return next((one.subject for one in calls if one.scenario == made), None)
    return None


class RoomWaiting(NamedTuple):
    """What a room waits for from the actor's side."""

    room: MatchRoom
    act: Awaited
    since: datetime


def rooms_waiting(view: View) -> Iterator[RoomWaiting]:
    """Yield what rooms wait for from the actor's side."""
    for history in rooms_of(view):
        if _is_side(view, history):
            for act, entry in history.awaits(view.actor.organisation):
                yield RoomWaiting(history.room, act, entry.at if entry is not None else history.room.opened_at)


def room_told(room: MatchRoom, what: str, organisation: str) -> Text:
    """Return what ``organisation`` did in a room, or what the room waits for, in a sentence."""
    return text(f"room.told.{what}", organisation=organisation, application=name_of(room.application))


_TOLD = {"question": "answer", "decision": "confirm", "ended": "ended"}
"""Kind of an entry → which sentence tells of it; of others: that there is something new."""


def notice_of_room(view: View, change: Change) -> NoticeDraft:
    """Return the notice to the other side that a room was proposed, or that something happened in it."""
    if change.kind == "room":
        room, told = view.load(change.digest, MatchRoom), "agree"
        by, person = room.by, None
    else:
        entry = view.load(change.digest, RoomEntry)
        room, by, person = read_room(view, entry.room).room, entry.organisation, entry.person
        told = _TOLD.get(entry.kind, "entry")
    to = room.other(by)
    demand = find_listing(view, room.demand)
    name = name_of(room.demand)
    title = demand.title if demand is not None else Localized(en=name, zh=name)
    body = NoticeBody(title=title, record="room", organisation=by, said=room_told(room, told, by))
    address = Address(organisation=to, role=Role.DEMAND_OWNER if to == room.owner else Role.SUPPLIER)
    return NoticeDraft(NoticeKind.ROOM, room_subject(room), address, body, f"room {change.digest}", author=person or "")


def room_subject(room: MatchRoom) -> Subject:
    """Return the subject under which a room is stored and shown."""
    return _head(room.identity)


def _is_side(view: View, history: RoomHistory) -> bool:
    return permitted(ExchangeAct.ROOM_TAKE_PART, view.actor, _stands(history.room.owner, history.room.supplier))


def _require_side(view: View, history: RoomHistory) -> None:
    if not _is_side(view, history):
        raise RefusedError("room.not_a_side")


def _stands(owner: str, supplier: str) -> SubjectRelation:
    return SubjectRelation(demand_owner=owner, supplier=supplier)


def _head(identity: str) -> str:
    return f"room:{identity}"
