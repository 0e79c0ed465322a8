"""A description of data as far as it is guessed: the draft, the ground of each guess, what is asked, what is wrong."""

from __future__ import annotations

from typing import Literal

from pilotbase.documents.base import Document, Part
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import Issue
from pilotbase.documents.texts import Text


class Guessed(Part):
    """One guess: of which part of what (``table``, ``table.column``, nothing for the dataset), and on which ground."""

    place: str
    part: str
    value: str
    ground: Text
    sure: Literal["certain", "likely", "unsure"]


class SeenValue(Part):
    """What was seen in a column, and is no promise."""

    place: str
    seen: Text


class OpenQuestion(Part):
    """What only the owner can say. ``answer``: under which name it is taken; ``guessed``: what stands there else."""

    answer: str
    asked: Text
    guessed: str = ""
    several: bool = False
    """Several answers, divided by semicolons."""


class Described(Document):
    """What a box has guessed of files, with the answers that were given."""

    document: Literal["described/1"] = "described/1"
    dataset: Dataset
    guesses: tuple[Guessed, ...] = ()
    seen: tuple[SeenValue, ...] = ()
    taken: tuple[Text, ...] = ()
    """What the files did not say themselves: encoding, separator, sheets."""
    findings: tuple[Issue, ...] = ()
    """What is wrong in the values, each with its place and what to do; it stops nothing."""
    questions: tuple[OpenQuestion, ...] = ()
    units: tuple[str, ...] = ()
    """Measured numbers whose unit nobody has said."""
    missing: tuple[str, ...] = ()
    """What publishing still lacks."""
    changed: tuple[Text, ...] = ()
    """Against the description that was there before."""
    unchanged: bool = False
