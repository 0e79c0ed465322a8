"""A description of data: what its owner says, and what is guessed from the files, with the ground of each guess."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pydantic

from pilotbase.documents.base import Day, Document, Localized, Name, Part
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import Issue
from pilotbase.documents.scenario import LanguageTag
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import Opening, Sector

NONE = "-"
"""Says that there is none, where a guess would be made."""


class Answers(Part):
    """Answers by name; columns are named ``column``, or ``table.column`` where several tables have it."""

    name: Name | None = None
    title: Localized | str | None = None
    organisation: Name | None = None
    contact: str | None = pydantic.Field(default=None, max_length=200)
    description: Localized | str | None = None
    sector: Sector | None = None
    license: str | None = None
    url: str | None = None
    creator: tuple[str, ...] = ()
    publisher: str | None = None
    published: Day | None = None
    language: tuple[LanguageTag, ...] = ()
    opening: Opening | None = None
    purpose: str | None = pydantic.Field(default=None, pattern="^(training|verification|statistics)$")
    collection: str | None = None
    """How the data were collected."""
    personal: tuple[str, ...] = ()
    """What is personal or sensitive in them; ``none`` where nothing is."""
    limitations: tuple[str, ...] = ()
    use_cases: tuple[str, ...] = ()
    annotation: str | None = None
    """How labels came about: by whom, by which guideline or event."""
    annotations: str | None = None
    """How many people labelled an item."""
    label: str | None = None
    """The column that applications learn to answer; `NONE`: there is none."""
    time: str | None = None
    group: str | None = None
    key: str | None = None
    """One column, or several divided by commas."""
    units: Mapping[str, str] = pydantic.Field(default_factory=dict)
    """Column → unit, as UCUM spells it."""
    descriptions: Mapping[str, Localized | str] = pydantic.Field(default_factory=dict)
    """Column → what it says."""


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
