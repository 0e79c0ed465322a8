"""Board 排行榜: what an owner and the suppliers of a scenario see of submissions to its board."""

from __future__ import annotations

from typing import Literal

import pydantic

from pilotbase.documents.base import Document, Localized, Moment, Name, Part
from pilotbase.documents.hashes import Digest
from pilotbase.documents.limits import EndReason
from pilotbase.documents.plan import ApplicationReference
from pilotbase.documents.scenario import Contact


class BoardSubmission(Document, published=True):
    """One application version on one board: it is scored once, however often it is sent or interrupted."""

    document: Literal["board-submission/1"] = "board-submission/1"
    board: Digest
    """The slice's record in the vault."""
    sealed: Digest
    application: ApplicationReference
    number: int = pydantic.Field(ge=1)
    """Number of the supplier's submission on this board."""
    submitted_at: Moment


class BoardEntry(Document, published=True):
    """What a board reveals about a submission: only whether it beat the board's best, and the best score afterwards."""

    document: Literal["board-entry/1"] = "board-entry/1"
    submission: Digest
    application: ApplicationReference
    end: EndReason
    improved: bool
    """Whether it beat the previous best by more than the Ladder's step."""
    released: float
    """The best score of the board after this submission: its own if it improved, else the previous best."""
    submitted_at: Moment


class Board(Document, published=True):
    """The current state of a board. Its scores certify nothing: they come from a slice that no trial ever scores."""

    document: Literal["board/1"] = "board/1"
    slice: Digest
    scenario: Name
    owner: Contact
    measure: str
    better: Literal["higher", "lower"]
    cases: int = pydantic.Field(ge=1)
    allowed: int = pydantic.Field(ge=1)
    """Submissions allowed per supplier."""
    used: dict[str, int] = pydantic.Field(default_factory=dict)
    """Submissions so far, per supplier."""
    ranked: tuple[BoardEntry, ...] = ()
    """The submissions that beat all earlier ones, best first; the others are reported only to their supplier."""


class SeenBoard(Part):
    """A scenario's board, as one actor may see it."""

    scenario: str
    title: Localized | str
    measure: str
    better: Literal[">=", "<="]
    """``>=``: a higher score is better."""
    allowed: int
    """Submissions allowed per supplier."""
    board: Board | None
    """None: no submissions yet, or none by the caller; only suppliers on the board see the standings."""
    own: tuple[BoardEntry, ...]
    """The results of the caller's own submissions, newest first."""
