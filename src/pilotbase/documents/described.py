"""A description of data: what its owner states, and what is guessed from the files, with the ground of each guess."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pydantic

from pilotbase.documents.base import Day, Document, Localized, Name, Part
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import Issue
from pilotbase.documents.quality import RecordSetProfile
from pilotbase.documents.scenario import LanguageTag
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import Opening, Sector

NONE = "-"
"""States that there is none, so that nothing is guessed."""


class Answers(Part):
    """Answers by name; columns are named ``column``, or ``table.column`` if several tables have it."""

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
    """What is personal or sensitive in them; ``none`` if nothing is."""
    limitations: tuple[str, ...] = ()
    use_cases: tuple[str, ...] = ()
    annotation: str | None = None
    """How labels were made: by whom, and by which guideline or event."""
    annotations: str | None = None
    """How many people labelled each item."""
    label: str | None = None
    """The column that applications learn to answer; `NONE`: there is none."""
    time: str | None = None
    group: str | None = None
    key: str | None = None
    """One column, or several separated by commas."""
    units: Mapping[str, str] = pydantic.Field(default_factory=dict)
    """Column → unit, in UCUM notation."""
    descriptions: Mapping[str, Localized | str] = pydantic.Field(default_factory=dict)
    """Column → its meaning."""


class Guessed(Part):
    """One guess: its place (``table``, ``table.column``, empty for the dataset), the part it fills, and its ground."""

    place: str
    part: str
    value: str
    ground: Text
    sure: Literal["certain", "likely", "unsure"]


class SeenValue(Part):
    """What was observed in a column; it is not a promise."""

    place: str
    seen: Text


class OpenQuestion(Part):
    """What only the owner can say. ``answer``: the name of the answer; ``guessed``: the value used without one."""

    answer: str
    asked: Text
    guessed: str = ""
    several: bool = False
    """Several answers, separated by semicolons."""


class Described(Document):
    """What a box has guessed from files, with the answers given."""

    document: Literal["described/1"] = "described/1"
    dataset: Dataset
    guesses: tuple[Guessed, ...] = ()
    seen: tuple[SeenValue, ...] = ()
    profiles: tuple[RecordSetProfile, ...] = ()
    """The values of each table's columns, counted."""
    taken: tuple[Text, ...] = ()
    """What the files did not state themselves: encoding, separator, sheets."""
    findings: tuple[Issue, ...] = ()
    """Problems in the values, each with its place and what to do; they don't block anything."""
    questions: tuple[OpenQuestion, ...] = ()
    units: tuple[str, ...] = ()
    """Measured quantities without a stated unit."""
    missing: tuple[str, ...] = ()
    """What is still missing for publishing."""
    changed: tuple[Text, ...] = ()
    """Changes against the previous description."""
    unchanged: bool = False
