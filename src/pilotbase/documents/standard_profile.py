"""Standard profile 标准剖面: a standard as code: clause → requirement → measure, check or document → threshold.

The text of a standard is never in it: requirements are told in our own words, with the clause's number where it is
known. What is only remembered, and was not read, says so; a number that is only remembered is off until a scenario
turns it on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

import pydantic

from pilotbase.documents.base import Document, Localized, Name, Part
from pilotbase.documents.criteria import Wrapper
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.tasks import AnswerKind
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import StandardStatus

Check = Literal[
    "contract",
    "intended_use",
    "model_card",
    "exact_duplicates",
    "near_duplicates",
    "similar_cases",
    "group_overlap",
    "key_overlap",
    "giveaway_feature",
    "row_order",
    "baseline",
    "people",
    "labels",
    "label_agreement",
    "label_error",
    "robustness",
    "fairness",
    "calibration",
    "answers",
    "abstention",
    "human_oversight",
    "hand_over",
    "runtime",
    "other_runtimes",
    "load",
    "load_test",
    "recovery",
    "energy",
    "soak",
    "runs",
    "calls",
    "model_digest",
]
"""Checks of a report's sections; ``robustness`` stands for each perturbed arm."""

Share = Annotated[float, pydantic.Field(ge=-1e9, le=1e9)]
WordOfMeasure = Annotated[str, pydantic.Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)?$", max_length=100)]


class StandardSource(Part):
    """What a profile is aligned with, and what of it was read."""

    identifier: str = pydantic.Field(min_length=1, max_length=200)
    """As it is cited: ``ISO/IEC TS 4213:2022``."""
    title: Localized | str
    status: StandardStatus
    read: Literal["whole", "excerpt", "summary", "nothing"]
    """What its authors had before them: the text, a part, what others say of it, or nothing."""
    note: Localized | str | None = None


class Requirement(Part):
    """One thing that a clause asks for, and the one way in which it is shown: measure, check, quality or evidence."""

    id: Name
    clause: str = pydantic.Field(default="", max_length=60)
    """Its number in the source; empty where it is not known."""
    asks: Localized | str
    """In our own words."""
    status: StandardStatus = StandardStatus.PUBLISHED
    """``remembered``: unverified; with a number in it, off until a scenario turns it on with ``also``."""
    mandatory: bool = False
    """A plan that lacks a mandatory measure is not frozen."""
    answers: tuple[AnswerKind, ...] = ()
    """Kinds of answers that it speaks of; all when empty."""
    measure: Annotated[tuple[WordOfMeasure, ...], pydantic.Field(max_length=50)] = ()
    """Measures of which a criterion of one is enough; without a threshold it is asked that it is measured."""
    complement: Annotated[tuple[WordOfMeasure, ...], pydantic.Field(max_length=50)] = ()
    """Measures that serve as well, of which one minus the figure is meant."""
    wrapper: Wrapper | None = None
    """``drop``: by how much the measure falls under a perturbation; ``gap`` and ``worst``: between groups."""
    check: tuple[Check, ...] = ()
    """Findings of the report that must all pass."""
    quality: WordOfMeasure | None = None
    """A measure of the data's quality report."""
    evidence: Name | None = None
    """A kind of document."""
    at_least: Share | None = None
    at_most: Share | None = None
    compared: Literal["proven", "sample"] = "proven"
    """``sample``: the standard compares the sample's own figure; the interval stands beside it all the same."""
    sample: int | None = pydantic.Field(default=None, ge=1, le=10**9)
    """Of how many cases, at least."""
    reviewers: int | None = pydantic.Field(default=None, ge=1, le=20)
    """How many people must have looked, each alone."""

    @property
    def way(self) -> Literal["measure", "check", "quality", "evidence"]:
        """Return the way in which it is shown."""
        if self.measure:
            return "measure"
        if self.check:
            return "check"
        return "quality" if self.quality is not None else "evidence"

    @property
    def place(self) -> str:
        """Return its clause, or its name where the clause is not known."""
        return self.clause or self.id

    @property
    def is_off(self) -> bool:
        """Tell whether it is held only where a scenario turns it on: a number that nobody has read."""
        numbers = (self.at_least, self.at_most, self.sample, self.reviewers)
        return self.status is StandardStatus.REMEMBERED and any(number is not None for number in numbers)

    def satisfied_by(self, figure: float) -> bool:
        """Tell whether a figure is within the threshold; any is where there is none."""
        low, high = self.at_least, self.at_most
        return (low is None or figure >= low) and (high is None or figure <= high)

    @pydantic.model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [bool(self.measure), bool(self.check), self.quality is not None, self.evidence is not None]
        if sum(ways) != 1:
            raise InputError("standard.one_way", found=self.id)
        low, high = self.at_least, self.at_most
        if (self.check and (low, high) != (None, None)) or (low is not None and high is not None and low > high):
            raise InputError("standard.no_threshold", found=self.id)
        if (self.wrapper is not None or self.complement) and not self.measure:
            raise InputError("standard.wrapper_of_measures", found=self.id)
        if self.mandatory and self.status is StandardStatus.REMEMBERED:
            raise InputError("standard.remembered_mandatory", found=self.id)
        return self


class StandardProfile(Document):
    """One standard, or what an organisation asks for, as a file that is read, versioned and held against a trial."""

    document: Literal["standard-profile/1"] = "standard-profile/1"
    name: Name
    version: str = pydantic.Field(max_length=64, pattern=r"^\d+\.\d+\.\d+$")
    title: Localized | str
    source: StandardSource
    answers: tuple[AnswerKind, ...] = ()
    """Kinds of answers to which it can be applied; all when empty."""
    includes: Annotated[tuple[Name, ...], pydantic.Field(max_length=20)] = ()
    """Profiles whose requirements are held too."""
    requirements: Annotated[tuple[Requirement, ...], pydantic.Field(max_length=500)] = ()

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = [Issue(file="", path=path, problem=problem) for path, problem in self._problems()]
        if problems:
            raise InputError.from_issues("", problems)
        return self

    def _problems(self) -> Iterator[tuple[str, Text]]:
        if not self.requirements and not self.includes:
            yield "requirements", text("standard.asks_nothing")
        seen: dict[str, Any] = {}
        for index, one in enumerate(self.requirements):
            if one.id in seen:
                yield f"requirements[{index}].id", text("standard.requirement_twice", found=one.id)
            seen[one.id] = one
