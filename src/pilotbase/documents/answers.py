"""What the owner says of a dataset that is described: whatever is left out is guessed or missing."""

from __future__ import annotations

from collections.abc import Mapping

import pydantic

from pilotbase.documents.base import Day, Localized, Name, Part
from pilotbase.documents.scenario import LanguageTag
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
