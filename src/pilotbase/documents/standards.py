"""Standards as code: profiles 标准剖面, the use of them, records of checks 检查记录, the conformity matrix.

The text of a standard is never in it: requirements are told in our own words, with the clause's number where it is
known. What is only remembered, and was not read, says so; a number that is only remembered is off until a scenario
turns it on.

Every row is *aligned with* its source. None says that the source is met: whether it is, a body that may say so decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Self

import pydantic

from pilotbase.documents.base import Day, Document, Localized, Moment, Name, Part
from pilotbase.documents.contract import AnswerKind
from pilotbase.documents.criteria import Wrapper
from pilotbase.documents.errors import InputError, Issue
from pilotbase.documents.hashes import Digest
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Conformity, StandardStatus

Medium = Literal["text", "image", "audio", "video", "unknown"]
LabelState = Literal["present", "malformed", "absent", "not_measured", "unreadable"]
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


class EvidenceDocument(Part):
    """A document that somebody vouches for: its number or title, and figures where the requirement asks for any.

    The base looks whether it is there, in time, and within the figures asked for; it does not judge what it says.
    """

    kind: Name
    """What a profile calls it, such as ``risk-management-plan``."""
    reference: str = pydantic.Field(min_length=1, max_length=500)
    """Its number, title or address: where somebody finds it."""
    until: Day | None = None
    sample: int | None = pydantic.Field(default=None, ge=1, le=10**12)
    """Of how many it speaks, where it is about a sample."""
    passed: int | None = pydantic.Field(default=None, ge=0, le=10**12)
    """How many of these were found in order."""
    reviewers: Annotated[tuple[str, ...], pydantic.Field(max_length=20)] = ()
    """Who has looked, each alone."""
    record: Digest | None = None
    """Digest of the check's record (``standard-check/1``), where the software made it."""

    @property
    def share(self) -> float | None:
        """Return the share found in order; None where it states none."""
        return None if self.sample is None or self.passed is None else self.passed / self.sample


Evidence = Annotated[tuple[EvidenceDocument, ...], pydantic.Field(max_length=200)]


class StandardUse(Part):
    """One profile that a scenario names; its name alone may stand there."""

    profile: Name
    also: Annotated[tuple[Name, ...], pydantic.Field(max_length=200)] = ()
    """Requirements that are off by default, since only remembered, and are held here all the same."""
    evidence: Evidence = ()
    """What the owner of the scenario shows."""


def _short_form(value: Any) -> Any:
    return {"profile": value} if isinstance(value, str) else value


StandardUses = Annotated[
    tuple[Annotated[StandardUse, pydantic.BeforeValidator(_short_form)], ...],
    pydantic.Field(min_length=1, max_length=20),
]


class StandardReference(Part):
    """The version of a profile that a plan was frozen with."""

    name: Name
    version: str
    digest: Digest
    also: tuple[Name, ...] = ()


class CheckedFile(Part):
    """One file, and whether it says that it was generated: to people (explicit) and to machines (implicit)."""

    name: str = pydantic.Field(max_length=1000)
    digest: Digest
    medium: Medium
    explicit: LabelState
    implicit: LabelState
    lacking: tuple[str, ...] = ()
    """Fields that the implicit label has not; their names are only remembered."""
    why: tuple[Text, ...] = ()
    """What is wrong or could not be told."""


class StandardCheck(Document):
    """A check's record; its digest stands in the evidence that names it."""

    document: Literal["standard-check/1"] = "standard-check/1"
    kind: Name
    """The kind of evidence that it is: ``label-check``, ``keyword-check``, ``spot-check``."""
    sample: int = pydantic.Field(ge=0)
    passed: int = pydantic.Field(ge=0)
    method: str = pydantic.Field(max_length=200)
    """Name and version of the way in which it was looked."""
    subject: Digest | None = None
    """Digest of what was checked where that is one file, such as a table of answers."""
    against: Digest | None = None
    """Digest of what it was held against, such as a list of keywords."""
    words: int | None = pydantic.Field(default=None, ge=0)
    """Keywords in the list."""
    reviewers: tuple[str, ...] = ()
    agreement: float | None = None
    """Cohen's kappa of the two reviewers, before anything was settled."""
    files: tuple[CheckedFile, ...] = pydantic.Field(default=(), max_length=100_000)
    made_at: Moment
    software: str

    def as_evidence(self) -> tuple[EvidenceDocument, ...]:
        """Return the evidence that this record is: of a search for keywords also how long the list was."""
        reference, digest = f"standard-check {self.made_at.date().isoformat()}", self.digest()
        found = EvidenceDocument(
            kind=self.kind,
            reference=reference,
            sample=self.sample or None,
            passed=self.passed,
            reviewers=self.reviewers,
            record=digest,
        )
        if not self.words:
            return (found,)
        return found, EvidenceDocument(kind="keyword-list", reference=reference, sample=self.words, record=digest)


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


class ConformityRow(Part):
    """One requirement and what the trial says of it."""

    profile: Name
    version: str
    requirement: Name
    clause: str = ""
    asks: Localized | str
    source: str
    status: StandardStatus
    """The worse of the source's and the requirement's own."""
    mandatory: bool
    outcome: Conformity
    sentence: Text
    vouched_by: Literal["trial", "owner", "supplier", "base"] | None = None
    """Who vouches for it; None: nobody has shown anything."""
    estimate: float | None = None
    """The figure that was compared."""
    lower: float | None = None
    """Ends of its interval, where it has one; full view only, as ``upper``."""
    upper: float | None = None


def coarse_rows(rows: Sequence[ConformityRow] | None) -> tuple[ConformityRow, ...] | None:
    """Return the rows as a supplier may see them: outcomes, and figures in two digits without bounds."""
    return None if rows is None else tuple(_coarse(row) for row in rows)


def without_figures(rows: Sequence[ConformityRow] | None) -> tuple[ConformityRow, ...] | None:
    """Return the rows with their outcomes alone: what may leave a site, where a figure might rest on a few cases."""
    bare = {"estimate": None, "lower": None, "upper": None}
    return None if rows is None else tuple(row.model_copy(update=bare) for row in rows)


def _coarse(row: ConformityRow) -> ConformityRow:
    estimate = None if row.estimate is None else float(f"{row.estimate:.2g}")
    return row.model_copy(update={"estimate": estimate, "lower": None, "upper": None})
