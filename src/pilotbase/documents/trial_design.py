"""When the verdict of a trial is reached, and how much an accept rests on at least: fixed before any result."""

from __future__ import annotations

from typing import Literal, Self

import pydantic
from pydantic import model_validator

from pilotbase.documents.base import Part
from pilotbase.documents.errors import InputError
from pilotbase.documents.texts import Text, text


class AcceptFloor(Part):
    """How much an accept rests on at least, so that no handful of cases suffices; a reject needs no more than evidence.

    Units are counted where the criteria count units.
    """

    cases: int = pydantic.Field(ge=1, le=10**9)
    positives: int | None = pydantic.Field(default=None, ge=1, le=10**9)
    """Of these, cases of the positive class, and of each class that a criterion names; none when not set."""

    @property
    def in_words(self) -> Text:
        """Return it as what follows on *an accept needs at least*."""
        if self.positives is None:
            return text("trial.floor.cases", cases=self.cases)
        return text("trial.floor.positives", cases=self.cases, positives=self.positives)


class TrialDesign(Part):
    """When scoring stops: ``early`` as soon as the verdict stands, ``fixed`` after ``cases``, ``full`` after all.

    The number of a fixed design is chosen before any result is seen; the exact test at a fixed number then needs fewer
    cases than one that may stop at any time (threshold 0.90, every answer right, α 0.05: 29 against 55).
    """

    stop: Literal["early", "full", "fixed"] = "early"
    cases: int | None = pydantic.Field(default=None, ge=1, le=10**9)
    """Number of cases to score; required with ``stop: fixed``, and only allowed there."""
    accept_from: AcceptFloor | None = None
    """How many cases an accept needs at least; as few as the evidence takes when not set."""

    @model_validator(mode="after")
    def _cases_when_fixed(self) -> Self:
        if (self.stop == "fixed") != (self.cases is not None):
            raise InputError("scenario.fixed_cases", found=self.stop)
        return self
