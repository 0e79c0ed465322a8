"""Single cases of a rehearsal as a person looks at them: what was given, expected and answered, and how it differs.

A file beside the rehearsal's log, for whoever may hold the rows of the public sample; no part of any report.
"""

from __future__ import annotations

from typing import Literal

import pydantic

from pilotbase.documents.base import Document, Part
from pilotbase.documents.contract import AnswerKind
from pilotbase.documents.hashes import Digest

MOST_CASES = 12


class ShownBox(Part):
    """A box in pixels of the image: a true one that was found or missed, or an answered one that is none."""

    state: Literal["found", "missed", "false"]
    label: str
    x: float
    y: float
    width: float
    height: float
    score: float | None = None
    """Of what was answered."""


class ShownImage(Part):
    """Pixels as we have encoded them, smaller than the original where that is large."""

    png: str
    """Base64."""
    height: int
    """Of the original, in pixels."""
    width: int


class TextPiece(Part):
    """A stretch of a text that both have, or that only one has; both are there where one stands for the other."""

    truth: str = ""
    answer: str = ""


class CaseScore(Part):
    """What a criterion's measure gives on this case alone."""

    rule: str
    value: float


class CaseInput(Part):
    """What the application was given, by the name of the field; long texts are cut."""

    name: str
    value: str


class ShownCase(Part):
    """One case; ``number``: its row of the public sample, from 1."""

    number: int = pydantic.Field(ge=1)
    result: Literal["same", "differs", "none"] | None = None
    """Whether the answer is the truth, as it is written; none: there is no answer. None: of numbers."""
    given: tuple[CaseInput, ...] = ()
    truth: str | None = None
    answer: str | None = None
    scores: tuple[CaseScore, ...] = ()
    image: ShownImage | None = None
    boxes: tuple[ShownBox, ...] = ()
    pieces: tuple[TextPiece, ...] = ()
    differing: int | None = None
    """Pixels of a mask that differ; in the image they are striped."""


class ShownCases(Document):
    """The cases of a rehearsal that are worst, and a few that are right."""

    document: Literal["shown-cases/1"] = "shown-cases/1"
    report: Digest
    """The rehearsal's."""
    kind: AnswerKind
    cases: tuple[ShownCase, ...] = pydantic.Field(max_length=MOST_CASES)
