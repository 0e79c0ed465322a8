"""The room of a match 对接洽谈室: a demand's owner and a supplier, from the first question to a trial, a call or not.

What happens in it is a line of entries, each stored once and never changed; how it stands follows from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.base import Day, Document, Moment, Name
from pilotbase.documents.record import PersonId
from pilotbase.documents.subjects import Subject
from pilotbase.documents.thread import Attachment, Words

MOST_ENTRIES, MOST_FILES = 500, 40
"""Of one room."""
LONGEST_TERMS = 4000
RoomId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
RoomEntryKind = Literal[
    "agreed", "question", "answer", "file", "accepted", "minutes", "decision", "confirmed", "step", "done", "ended"
]
"""Kinds of entries; names: text ``room.kind.<value>``."""
RoomOutcome = Literal["trial", "call", "declined"]
"""How a room ends; names: text ``room.outcome.<value>``."""
RoomState = Literal["proposed", "open", "ended"]
"""Names: text ``room.state.<value>``."""
Awaited = Literal["agree", "answer", "confirm", "done"]
"""What a room waits for; names: text ``room.awaits.<value>``."""


class MatchRoom(Document):
    """A room that one side has proposed: about which demand and which application, between whom."""

    document: Literal["room/1"] = "room/1"
    identity: RoomId
    demand: Subject
    """A scenario, or a demand in words."""
    application: Subject
    owner: Name
    supplier: Name
    by: Name
    """The side that proposed it; the other must agree."""
    words: Words
    opened_at: Moment

    def other(self, organisation: str) -> str:
        """Return the other side."""
        return self.supplier if organisation == self.owner else self.owner


class RoomEntry(Document):
    """One thing that happened in a room."""

    document: Literal["room-entry/1"] = "room-entry/1"
    room: RoomId
    number: int = pydantic.Field(ge=1, le=MOST_ENTRIES)
    kind: RoomEntryKind
    organisation: Name
    person: PersonId | None = None
    """None: at the command line of the base."""
    at: Moment
    words: str = ""
    """What was asked, answered, noted or decided; of a file its terms, of an end its reason."""
    about: int | None = None
    """Number of the question that it answers, the file whose terms it accepts, the decision, or the step."""
    file: Attachment | None = None
    day: Day | None = None
    """Of minutes the day of the talk, of a step its last day."""
    who: Name | None = None
    """Who takes the step."""
    outcome: RoomOutcome | None = None
    led_to: Subject | None = None
    """The trial, or the call."""


class AwaitedEntry(NamedTuple):
    """What a room waits for from one side, and the entry that it is about (None: the room itself)."""

    act: Awaited
    entry: RoomEntry | None


@dataclass(frozen=True)
class RoomHistory:
    """A room with its entries, oldest first."""

    room: MatchRoom
    entries: tuple[RoomEntry, ...] = ()

    @property
    def state(self) -> RoomState:
        """Return how it stands: proposed until the other side agrees."""
        if self.end is not None:
            return "ended"
        return "open" if any(one.kind == "agreed" for one in self.entries) else "proposed"

    @property
    def end(self) -> RoomEntry | None:
        """Return the entry that ended it, or None."""
        return next((one for one in self.entries if one.kind == "ended"), None)

    @property
    def files(self) -> int:
        """Return the number of its files."""
        return sum(one.file is not None for one in self.entries)

    def entry(self, number: int, kind: RoomEntryKind) -> RoomEntry | None:
        """Return an entry of this kind by its number, or None."""
        return next((one for one in self.entries if (one.number, one.kind) == (number, kind)), None)

    def reply(self, entry: RoomEntry) -> RoomEntry | None:
        """Return what answered, accepted, confirmed or did an entry, or None."""
        return next((one for one in self.entries if one.about == entry.number), None)

    def has_accepted(self, organisation: str, file: RoomEntry) -> bool:
        """Return whether a side may open a file: its own, or one whose terms it has accepted."""
        accepted = (one.organisation for one in self.entries if (one.kind, one.about) == ("accepted", file.number))
        return organisation in (file.organisation, *accepted)

    def awaits(self, organisation: str) -> Iterator[AwaitedEntry]:
        """Yield what it waits for from one side."""
        if self.state == "proposed" and organisation != self.room.by:
            yield AwaitedEntry("agree", None)
        if self.state != "open":
            return
        for one in self.entries:
            if self.reply(one) is not None:
                continue
            if one.kind in ("question", "decision") and one.organisation != organisation:
                yield AwaitedEntry("answer" if one.kind == "question" else "confirm", one)
            elif one.kind == "step" and one.who == organisation:
                yield AwaitedEntry("done", one)
