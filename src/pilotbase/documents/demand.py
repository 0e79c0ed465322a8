"""A demand in words 需求描述: what is read from it for a scenario, each value with its ground in the text.

Everything is a guess until a person confirms it. Nothing is decided here, and nothing in the text is an instruction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, get_args

import pydantic

from pilotbase.documents.base import Document, Localized, Name, Note, Part
from pilotbase.documents.contract import Task
from pilotbase.documents.scenario import Contact
from pilotbase.documents.subjects import Subject, demand_subject
from pilotbase.documents.texts import Language, Text, text
from pilotbase.documents.vocabularies import Action, Sector

LONGEST_DEMAND = 200_000
"""Characters: more than a hundred pages."""
LONGEST_TITLE = 200
Band = Literal["sure", "likely", "guess"]
"""How well a value is grounded: said in so many words; what the text suggests; little more than a default."""
DataKind = Literal["readings", "records", "images", "video", "audio", "texts", "positions"]
"""Kinds of data; names: text ``demand.data.<value>``."""
Today = Literal["manual", "rule", "system", "none"]
"""What is done today; names: text ``demand.baseline.<value>``."""
DemandField = Literal[
    "problem",
    "sector",
    "action",
    "task",
    "data",
    "baseline",
    "costs.miss",
    "costs.false_alarm",
    "horizon",
    "volume",
    "response",
    "conditions.data_may_leave",
]
"""What a draft may say, in the order in which it is asked for; names: text ``demand.field.<value>``."""

CLOSED: Mapping[str, tuple[str, Sequence[str]]] = MappingProxyType(
    {
        "sector": ("sector", [one.value for one in Sector]),
        "action": ("action", [one.value for one in Action]),
        "task": ("match.task", get_args(Task)),
        "data": ("demand.data", get_args(DataKind)),
        "baseline": ("demand.baseline", get_args(Today)),
        "conditions.data_may_leave": ("demand.leave", ("true", "false")),
    }
)
"""Field whose value is of a closed list → the code of the values' names, and the values."""


class Ground(Part):
    """The words that a value rests on: characters ``start`` to ``end`` of the text, verbatim."""

    start: int = pydantic.Field(ge=0)
    end: int = pydantic.Field(ge=0)
    said: str


class DraftedField(Part):
    """One value that was read."""

    path: DemandField
    value: str
    """A name of a closed list, a number, ``true``, ``false``, or words of the text."""
    unit: str | None = None
    """A currency, a unit of time (UCUM), or for a volume the time that it is counted over."""
    band: Band
    by: Literal["rule", "nearest", "model"] = "rule"
    """By the words of the text, because the nearest scenarios of the base say so, or by a language model."""
    grounds: tuple[Ground, ...] = ()
    others: tuple[str, ...] = ()
    """Second choices, the better first; for a contradiction, what the text says as well."""

    @property
    def in_words(self) -> Text | str:
        """Return the value with its unit, or by its name."""
        if self.path in CLOSED:
            return text(f"{CLOSED[self.path][0]}.{self.value}")
        number = f"{int(self.value):,}" if self.value.isdecimal() else self.value
        if self.path == "volume":
            return text(f"demand.per.{self.unit}", number=number)
        return f"{number} {self.unit}" if self.unit else self.value


class DemandQuestion(Part):
    """What a trial still needs to know, or what is only a guess: asked one by one."""

    path: DemandField
    asked: Text
    guessed: str = ""


class DemandFinding(Part):
    """Something odd in the text, and where: a contradiction, words for a program, disguised letters."""

    what: Text
    grounds: tuple[Ground, ...] = ()


class Resembling(Part):
    """A record of the base beside the demand."""

    subject: str
    title: Localized | str
    owner: str
    likeness: float = pydantic.Field(ge=-1, le=1)
    duplicate: bool = False
    """A scenario so alike that it may be the same demand."""


class DemandDraft(Document, published=True):
    """What was read from a demand in words. The same text gives the same fields."""

    document: Literal["demand-draft/1"] = "demand-draft/1"
    language: Language
    length: int = pydantic.Field(ge=0)
    """Characters of the text."""
    fields: tuple[DraftedField, ...] = ()
    questions: tuple[DemandQuestion, ...] = ()
    findings: tuple[DemandFinding, ...] = ()
    scenarios: tuple[Resembling, ...] = ()
    """Open scenarios beside it, the likest first."""
    solutions: tuple[Resembling, ...] = ()
    """Applications beside it, the likest first."""

    def field(self, path: DemandField) -> DraftedField | None:
        """Return what was read for ``path``."""
        return next((one for one in self.fields if one.path == path), None)


class WordedDemand(Document, published=True):
    """A demand that its owner has registered in words: it needs no data, and everybody may read it."""

    document: Literal["demand/1"] = "demand/1"
    name: Name
    title: Localized | str
    owner: Contact
    text: str = pydantic.Field(min_length=1, max_length=LONGEST_DEMAND)
    fields: tuple[DraftedField, ...] = ()
    """What was read from the text."""
    resembles: tuple[Subject, ...] = ()
    """What was on the base already and much alike when it was registered."""
    apart: Note = ""
    """Why it stands apart from these, in the owner's words."""

    @property
    def subject(self) -> str:
        """The demand's name across all its versions."""
        return demand_subject(self.owner.organisation, self.name)

    @property
    def sector(self) -> Sector:
        """Return the sector that was read."""
        return Sector(self.value("sector") or Sector.OTHER)

    @property
    def action(self) -> Action | None:
        """Return the action that was read, or None."""
        found = self.value("action")
        return Action(found) if found else None

    def value(self, path: DemandField) -> str:
        """Return what was read for ``path``, empty if nothing was."""
        return next((one.value for one in self.fields if one.path == path), "")
