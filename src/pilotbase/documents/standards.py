"""Standards as code: profiles 标准剖面, the use of them, records of checks 检查记录, the conformity matrix.

Profiles never contain the text of a standard: requirements are in our own words, with the clause's number if known.
A requirement written from memory, without reading the source, says so; if it has a number, it is off until a scenario
turns it on.

Every row is *aligned with* its source. None claims that the source is met: only an authorised body decides that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Self

import pydantic

from pilotbase.documents.base import Day, Document, Localized, Moment, Name, Part, short_form
from pilotbase.documents.contract import AnswerKind
from pilotbase.documents.criteria import Wrapper
from pilotbase.documents.errors import InputError
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
"""Checks of a report's sections; ``robustness`` means each perturbed arm."""
Share = Annotated[float, pydantic.Field(ge=-1e9, le=1e9)]
WordOfMeasure = Annotated[str, pydantic.Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)?$", max_length=100)]


class EvidenceDocument(Part):
    """A document that somebody vouches for: its number or title, and figures if the requirement needs any.

    The base checks that it exists, is current, and meets the required figures; it does not judge its content.
    """

    kind: Name
    """Its name in a profile, such as ``risk-management-plan``."""
    reference: str = pydantic.Field(min_length=1, max_length=500)
    """Its number, title or address, so that others can find it."""
    until: Day | None = None
    sample: int | None = pydantic.Field(default=None, ge=1, le=10**12)
    """Size of the sample, if it is about one."""
    passed: int | None = pydantic.Field(default=None, ge=0, le=10**12)
    """How many of these were in order."""
    reviewers: Annotated[tuple[str, ...], pydantic.Field(max_length=20)] = ()
    """Who has checked, each independently."""
    record: Digest | None = None
    """Digest of the check's record (``standard-check/1``), if the software made it."""

    @property
    def share(self) -> float | None:
        """Return the share in order; None if it states none."""
        return None if self.sample is None or self.passed is None else self.passed / self.sample


Evidence = Annotated[tuple[EvidenceDocument, ...], pydantic.Field(max_length=200)]


class StandardUse(Part):
    """One profile that a scenario names; the name alone is enough."""

    profile: Name
    also: Annotated[tuple[Name, ...], pydantic.Field(max_length=200)] = ()
    """Requirements that are off by default because they are only remembered, but are checked here."""
    evidence: Evidence = ()
    """Evidence from the owner of the scenario."""


StandardUses = Annotated[
    tuple[Annotated[StandardUse, short_form("profile")], ...], pydantic.Field(min_length=1, max_length=20)
]


class StandardReference(Part):
    """The version of a profile in a frozen plan."""

    name: Name
    version: str
    digest: Digest
    also: tuple[Name, ...] = ()


class CheckedFile(Part):
    """One file, and whether it is labelled as generated: for people (explicit) and for machines (implicit)."""

    name: str = pydantic.Field(max_length=1000)
    digest: Digest
    medium: Medium
    explicit: LabelState
    implicit: LabelState
    lacking: tuple[str, ...] = ()
    """Fields that the implicit label lacks; their names are only remembered."""
    why: tuple[Text, ...] = ()
    """What is wrong or could not be determined."""


class StandardCheck(Document, published=True):
    """A check's record; the evidence that names it contains its digest."""

    document: Literal["standard-check/1"] = "standard-check/1"
    kind: Name
    """Its kind of evidence: ``label-check``, ``keyword-check``, ``spot-check``."""
    sample: int = pydantic.Field(ge=0)
    passed: int = pydantic.Field(ge=0)
    method: str = pydantic.Field(max_length=200)
    """Name and version of the method of checking."""
    subject: Digest | None = None
    """Digest of what was checked if it is one file, such as a table of answers."""
    against: Digest | None = None
    """Digest of what it was compared with, such as a list of keywords."""
    words: int | None = pydantic.Field(default=None, ge=0)
    """Keywords in the list."""
    reviewers: tuple[str, ...] = ()
    agreement: float | None = None
    """Cohen's kappa of the two reviewers, before any differences were settled."""
    files: tuple[CheckedFile, ...] = pydantic.Field(default=(), max_length=100_000)
    made_at: Moment
    software: str

    def as_evidence(self) -> tuple[EvidenceDocument, ...]:
        """Return this record as evidence; for a keyword search, including the length of the list."""
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
    """What a profile is aligned with, and which parts of it were read."""

    identifier: str = pydantic.Field(min_length=1, max_length=200)
    """Its citation: ``ISO/IEC TS 4213:2022``."""
    title: Localized | str
    status: StandardStatus
    read: Literal["whole", "excerpt", "summary", "nothing"]
    """What its authors worked from: the text, a part of it, what others say about it, or nothing."""
    note: Localized | str | None = None


class Requirement(Part):
    """One thing that a clause requires, and the one way to show it: measure, check, quality or evidence."""

    id: Name
    clause: str = pydantic.Field(default="", max_length=60)
    """Its number in the source; empty if unknown."""
    asks: Localized | str
    """In our own words."""
    status: StandardStatus = StandardStatus.PUBLISHED
    """``remembered``: unverified; with a number in it, off until a scenario turns it on with ``also``."""
    mandatory: bool = False
    """A plan that lacks a mandatory measure is not frozen."""
    answers: tuple[AnswerKind, ...] = ()
    """Kinds of answers that it covers; all when empty."""
    measure: Annotated[tuple[WordOfMeasure, ...], pydantic.Field(max_length=50)] = ()
    """A criterion on one of these measures is enough; without a threshold it only has to be measured."""
    complement: Annotated[tuple[WordOfMeasure, ...], pydantic.Field(max_length=50)] = ()
    """Alternative measures, used as one minus the figure."""
    wrapper: Wrapper | None = None
    """``drop``: how much the measure falls under a perturbation; ``gap`` and ``worst``: between groups."""
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
    """Minimum number of cases."""
    reviewers: int | None = pydantic.Field(default=None, ge=1, le=20)
    """How many people must have checked, each independently."""

    @property
    def way(self) -> Literal["measure", "check", "quality", "evidence"]:
        """Return the way to show it."""
        if self.measure:
            return "measure"
        if self.check:
            return "check"
        return "quality" if self.quality is not None else "evidence"

    @property
    def place(self) -> str:
        """Return its clause, or its name if the clause is unknown."""
        return self.clause or self.id

    @property
    def is_off(self) -> bool:
        """Return whether it is checked only if a scenario turns it on: its number was never read in the source."""
        numbers = (self.at_least, self.at_most, self.sample, self.reviewers)
        return self.status is StandardStatus.REMEMBERED and any(number is not None for number in numbers)

    def satisfied_by(self, figure: float) -> bool:
        """Return whether a figure is within the threshold; without a threshold, any figure is."""
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


class StandardProfile(Document, published=True):
    """One standard, or an organisation's requirements, as a versioned file that trials are checked against."""

    document: Literal["standard-profile/1"] = "standard-profile/1"
    name: Name
    version: str = pydantic.Field(max_length=64, pattern=r"^\d+\.\d+\.\d+$")
    title: Localized | str
    source: StandardSource
    answers: tuple[AnswerKind, ...] = ()
    """Kinds of answers it applies to; all when empty."""
    includes: Annotated[tuple[Name, ...], pydantic.Field(max_length=20)] = ()
    """Profiles whose requirements also apply."""
    requirements: Annotated[tuple[Requirement, ...], pydantic.Field(max_length=500)] = ()

    def _problems(self) -> Iterator[tuple[str, Text]]:
        if not self.requirements and not self.includes:
            yield "requirements", text("standard.asks_nothing")
        seen: dict[str, Any] = {}
        for index, one in enumerate(self.requirements):
            if one.id in seen:
                yield f"requirements[{index}].id", text("standard.requirement_twice", found=one.id)
            seen[one.id] = one


class ConformityRow(Part):
    """One requirement and the trial's result for it."""

    profile: Name
    version: str
    requirement: Name
    clause: str = ""
    asks: Localized | str
    source: str
    status: StandardStatus
    """The weaker of the source's status and the requirement's own."""
    mandatory: bool
    outcome: Conformity
    sentence: Text
    vouched_by: Literal["trial", "owner", "supplier", "base"] | None = None
    """Who vouches for it; None: no evidence was given."""
    estimate: float | None = None
    """The figure that was compared."""
    lower: float | None = None
    """Lower end of its interval, if it has one; like ``upper``, in the full view only."""
    upper: float | None = None


def coarse_rows(rows: Sequence[ConformityRow] | None) -> tuple[ConformityRow, ...] | None:
    """Return the rows as a supplier may see them: outcomes, and figures in two digits without bounds."""
    return None if rows is None else tuple(_coarse(row) for row in rows)


def without_figures(rows: Sequence[ConformityRow] | None) -> tuple[ConformityRow, ...] | None:
    """Return the rows with their outcomes alone: what may leave a site, where a figure could depend on a few cases."""
    bare = {"estimate": None, "lower": None, "upper": None}
    return None if rows is None else tuple(row.model_copy(update=bare) for row in rows)


def _coarse(row: ConformityRow) -> ConformityRow:
    estimate = None if row.estimate is None else float(f"{row.estimate:.2g}")
    return row.model_copy(update={"estimate": estimate, "lower": None, "upper": None})
