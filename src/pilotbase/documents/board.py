"""Board 排行榜: what an owner and the suppliers of a scenario see of submissions to its board."""

from __future__ import annotations

from typing import Literal

import pydantic

from pilotbase.documents.base import Document, Localized, Moment, Name, Part
from pilotbase.documents.hashes import Digest
from pilotbase.documents.limits import EndReason
from pilotbase.documents.plan import ApplicationReference
from pilotbase.documents.scenario import Contact


class BoardSubmission(Document):
    """One application version on one board: it gets one look, however often it is sent or interrupted."""

    document: Literal["board-submission/1"] = "board-submission/1"
    board: Digest
    """The slice's record in the vault."""
    sealed: Digest
    application: ApplicationReference
    number: int = pydantic.Field(ge=1)
    """Of this supplier, on this board."""
    submitted_at: Moment


class BoardEntry(Document):
    """What a board says of a submission: only whether it beat the board's best, and the board's best then."""

    document: Literal["board-entry/1"] = "board-entry/1"
    submission: Digest
    application: ApplicationReference
    end: EndReason
    improved: bool
    """Better than the best before by more than the Ladder's step."""
    released: float
    """The best score of the board after this submission: its own where it improved, else the one before."""
    submitted_at: Moment


class Board(Document):
    """A board as it stands. Its scores certify nothing: they come from a slice that no trial ever scores."""

    document: Literal["board/1"] = "board/1"
    slice: Digest
    scenario: Name
    owner: Contact
    measure: str
    better: Literal["higher", "lower"]
    cases: int = pydantic.Field(ge=1)
    allowed: int = pydantic.Field(ge=1)
    """Submissions of one supplier."""
    used: dict[str, int] = pydantic.Field(default_factory=dict)
    """Submissions so far, by supplier."""
    ranked: tuple[BoardEntry, ...] = ()
    """The submissions that beat all before them, the best first; of the others only their supplier hears."""


class SeenBoard(Part):
    """A scenario's board as one actor may see it."""

    scenario: str
    title: Localized | str
    measure: str
    better: Literal[">=", "<="]
    """``>=``: a higher score is better."""
    allowed: int
    """Submissions of one supplier."""
    board: Board | None
    """None: nothing was submitted yet, or nothing by whoever asks: the standings are for those who are on it."""
    own: tuple[BoardEntry, ...]
    """What it said to one's own submissions, newest first."""
