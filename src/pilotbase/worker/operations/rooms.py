"""Rooms of matches."""

from __future__ import annotations

import io

from pilotbase.catalogue.threads import content_of
from pilotbase.documents.api.exchange import RoomTold
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.files import File
from pilotbase.documents.room import RoomHistory
from pilotbase.operations import rooms as declared
from pilotbase.worker import rooms
from pilotbase.worker.operations.binding import Caller, does


def _told(caller: Caller, history: RoomHistory) -> RoomTold:
    end, organisation = history.end, caller.view.actor.organisation
    return filled(
        RoomTold,
        history.room,
        state=history.state,
        outcome=end.outcome if end is not None else None,
        awaits=[(one.act, one.entry.number if one.entry else None) for one in history.awaits(organisation)],
        entries=list(history.entries),
    )


does(declared.LIST)(lambda caller, asked: [_told(caller, one) for one in rooms.rooms_of(caller.view)])
does(declared.SHOW)(lambda caller, asked: _told(caller, rooms.read_room(caller.view, asked.room)))
does(declared.OPEN)(
    lambda caller, asked: _told(caller, rooms.open_room(caller.view, asked.demand, asked.application, asked.words))
)
does(declared.AGREE)(lambda caller, asked: _told(caller, rooms.agree(caller.view, asked.room)))
does(declared.ASK)(
    lambda caller, asked: _told(caller, rooms.enter(caller.view, asked.room, "question", words=asked.words))
)
does(declared.ANSWER)(
    lambda caller, asked: _told(
        caller, rooms.reply(caller.view, asked.room, "answer", ("question", asked.number), asked.words)
    )
)
does(declared.ACCEPT)(lambda caller, asked: _told(caller, rooms.accept_terms(caller.view, asked.room, asked.number)))
does(declared.MINUTES)(
    lambda caller, asked: _told(
        caller, rooms.enter(caller.view, asked.room, "minutes", words=asked.words, day=asked.day)
    )
)
does(declared.DECIDE)(
    lambda caller, asked: _told(caller, rooms.enter(caller.view, asked.room, "decision", words=asked.words))
)
does(declared.CONFIRM)(
    lambda caller, asked: _told(caller, rooms.reply(caller.view, asked.room, "confirmed", ("decision", asked.number)))
)
does(declared.STEP)(
    lambda caller, asked: _told(caller, rooms.plan_step(caller.view, asked.room, asked.words, asked.who, asked.due))
)
does(declared.DONE)(
    lambda caller, asked: _told(caller, rooms.reply(caller.view, asked.room, "done", ("step", asked.number)))
)
does(declared.END)(
    lambda caller, asked: _told(caller, rooms.end_room(caller.view, asked.room, asked.outcome, asked.reason))
)


@does(declared.SHARE)
def share(caller: Caller, asked: declared.RoomFile) -> RoomTold:
    """Share a file on terms."""
    blobs, file = caller.base.lab.vault.blobs, (asked.name, io.BytesIO(asked.content))
    return _told(caller, rooms.share_file(caller.view, blobs, asked.room, file, asked.terms, caller.limits.attached))


@does(declared.FILE)
def file(caller: Caller, asked: declared.OfEntry) -> File:
    """Return a file whose terms the caller's side has accepted."""
    found = rooms.file_in(caller.view, asked.room, asked.number)
    return File.of(found.name, content_of(caller.base.lab.vault.blobs, found))
