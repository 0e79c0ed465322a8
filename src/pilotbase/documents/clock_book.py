"""Clock book 报告时限: a rule about who must be told of an incident within which time, as a versioned document."""

from __future__ import annotations

from typing import Literal, Self

import pydantic
from pydantic import model_validator

from pilotbase.documents.base import Document, Localized, Name, Part
from pilotbase.documents.errors import InputError
from pilotbase.documents.vocabularies import EventGrade


class Reporter(Part):
    """A kind of operator that the rule tells apart."""

    name: Name
    title: Localized


class ClockRule(Part):
    """One time limit."""

    clock: Name
    reporters: tuple[Name, ...] = pydantic.Field(min_length=1)
    """Whom it binds."""
    to: Localized
    minutes: int = pydantic.Field(ge=1)
    least: EventGrade
    """The lowest grade that must be reported."""
    runs_from: Literal["discovery", "report", "handling"]
    """From when the incident was known, from when another report was made, or from when it was handled."""
    after: Name | None = None
    """The clock whose report starts this one; it stands earlier in the book."""

    @model_validator(mode="after")
    def _names_what_it_follows(self) -> Self:
        if (self.runs_from == "report") != (self.after is not None):
            raise InputError("incident.clock_after", clock=self.clock)
        return self


class ClockBook(Document):
    """The time limits of one rule of one country."""

    document: Literal["clock-book/1"] = "clock-book/1"
    name: Name
    title: Localized
    source: Localized
    """Where it stands, and what of it was not seen in the original."""
    reporters: tuple[Reporter, ...] = pydantic.Field(min_length=1)
    clocks: tuple[ClockRule, ...] = pydantic.Field(min_length=1)

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        reporters = {reporter.name for reporter in self.reporters}
        earlier: set[str | None] = {None}
        for rule in self.clocks:
            unknown = [*({*rule.reporters} - reporters), *({rule.after} - earlier)]
            if unknown:
                raise InputError("incident.clock_unknown_name", clock=rule.clock, names=sorted(map(str, unknown)))
            earlier.add(rule.clock)
        return self
