"""Rooms of matches: where a demand's owner and a supplier talk, share files on terms, decide and plan."""

from __future__ import annotations

from typing import Annotated

import pydantic

from pilotbase.documents.api.exchange import RoomTold
from pilotbase.documents.api.shapes import SHORT, RequestModel
from pilotbase.documents.base import Day, Name, Sentence
from pilotbase.documents.files import File
from pilotbase.documents.permissions import ExchangeAct
from pilotbase.documents.room import LONGEST_TERMS, MOST_ENTRIES, RoomId, RoomOutcome
from pilotbase.documents.subjects import Subject
from pilotbase.documents.thread import FileName, Words
from pilotbase.operations.operation import BODY, PATH, NoInput, Operation, Repeated


class NewRoom(RequestModel):
    """The room that is proposed."""

    demand: Subject
    application: Subject
    words: Words


class OfRoom(RequestModel):
    """Which room."""

    room: Annotated[RoomId, PATH]


class OfEntry(OfRoom):
    """Which entry of a room."""

    number: Annotated[int, pydantic.Field(ge=1, le=MOST_ENTRIES), SHORT, PATH]


class SaidInRoom(OfRoom):
    """What is said."""

    words: Words


class RoomQuestion(SaidInRoom):
    """A question to the other side."""


class RoomDecision(SaidInRoom):
    """A decision that the other side is to confirm."""


class RoomAnswer(OfEntry):
    """The answer to a question."""

    words: Words


class NewMinutes(SaidInRoom):
    """Minutes of a talk."""

    day: Day


class NewStep(SaidInRoom):
    """The next step."""

    who: Name
    """The side that takes it."""
    due: Day


class RoomFile(OfRoom):
    """A file, what it is called, and on which terms it is shared."""

    name: FileName
    terms: str = pydantic.Field(min_length=1, max_length=LONGEST_TERMS)
    content: Annotated[bytes, BODY]


class RoomEnd(OfRoom):
    """How a room ends, and why."""

    outcome: RoomOutcome
    reason: Sentence


_ROOM, _HARMLESS, _SIDES = "/rooms/{room}", Repeated.HARMLESS, ExchangeAct.ROOM_TAKE_PART
LIST = Operation("rooms.list", "GET /rooms", NoInput, list[RoomTold])
SHOW = Operation("rooms.show", f"GET {_ROOM}", OfRoom, RoomTold)
OPEN = Operation(
    "rooms.open",
    "POST /rooms",
    NewRoom,
    RoomTold,
    who=ExchangeAct.ROOM_OPEN,
    repeated=_HARMLESS,
    location="/api/rooms/{given.identity}",
    example={
        "demand": "demand:plant/spindles",
        "application": "application:acme/forest",
        "words": "Would your model work without a torque sensor?",
    },
)
AGREE = Operation("rooms.agree", f"POST {_ROOM}/agreement", OfRoom, RoomTold, who=_SIDES, repeated=_HARMLESS)
ASK = Operation(
    "rooms.ask",
    f"POST {_ROOM}/questions",
    RoomQuestion,
    RoomTold,
    who=_SIDES,
    example={"words": "How often do you measure torque?"},
)
ANSWER = Operation(
    "rooms.answer",
    f"POST {_ROOM}/questions/{{number}}/answers",
    RoomAnswer,
    RoomTold,
    who=_SIDES,
    example={"words": "Ten times a second."},
)
SHARE = Operation("rooms.share", f"POST {_ROOM}/files", RoomFile, RoomTold, who=_SIDES, repeated=_HARMLESS)
ACCEPT = Operation(
    "rooms.accept", f"POST {_ROOM}/files/{{number}}/acceptance", OfEntry, RoomTold, who=_SIDES, repeated=_HARMLESS
)
FILE = Operation("rooms.file", f"GET {_ROOM}/files/{{number}}", OfEntry, File, refuses=frozenset({403}))
MINUTES = Operation(
    "rooms.minutes",
    f"POST {_ROOM}/minutes",
    NewMinutes,
    RoomTold,
    who=_SIDES,
    example={"day": "2027-01-15", "words": "Walked through line 3. The sensor can be fitted."},
)
DECIDE = Operation(
    "rooms.decide",
    f"POST {_ROOM}/decisions",
    RoomDecision,
    RoomTold,
    who=_SIDES,
    example={"words": "We begin with line 3 alone."},
)
CONFIRM = Operation(
    "rooms.confirm",
    f"POST {_ROOM}/decisions/{{number}}/confirmation",
    OfEntry,
    RoomTold,
    who=_SIDES,
    repeated=_HARMLESS,
)
STEP = Operation(
    "rooms.step",
    f"POST {_ROOM}/steps",
    NewStep,
    RoomTold,
    who=_SIDES,
    example={"words": "Fit the sensor.", "who": "plant", "due": "2027-02-01"},
)
DONE = Operation("rooms.done", f"POST {_ROOM}/steps/{{number}}/done", OfEntry, RoomTold, who=_SIDES, repeated=_HARMLESS)
END = Operation(
    "rooms.end",
    f"POST {_ROOM}/end",
    RoomEnd,
    RoomTold,
    who=_SIDES,
    repeated=_HARMLESS,
    example={"outcome": "declined", "reason": "The line is rebuilt this year."},
)
