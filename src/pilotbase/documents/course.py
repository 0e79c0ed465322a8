"""Courses 课程: texts, questions and practice on generated cases, and a badge for whoever passes them.

A learner's record is a line of entries under a pseudonym, each stored once and never changed; how they stand follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

import pydantic
from pydantic import StringConstraints, model_validator

from pilotbase.documents.base import Document, Localized, Moment, Name, Part
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import Sector, Verdict

MOST_OPTIONS, LONGEST_ANSWERS = 6, 1 << 20
FEWEST_SHOWN = 5
"""Figures of a course are shown of so many people at least."""
StepKind = Literal["text", "quiz", "practice"]
"""Names: text ``learning.step.<value>``."""
LearningEntryKind = Literal["started", "quiz", "drawn", "answered", "awarded"]
Pseudonym = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]


class Skill(Part):
    """A skill that the badge shows, in a framework of others."""

    name: str
    framework: str
    """Such as ISCO-08 or ESCO."""
    code: str
    url: str


class QuizQuestion(Part):
    """A question with one right option, and why it is right."""

    asks: Localized
    options: tuple[Localized, ...] = pydantic.Field(min_length=2, max_length=MOST_OPTIONS)
    right: int = pydantic.Field(ge=1)
    """Number of the right option, from 1."""
    why: Localized

    @model_validator(mode="after")
    def _has_the_right_option(self) -> QuizQuestion:
        if self.right > len(self.options):
            raise InputError("learning.no_such_option", found=self.right, allowed=len(self.options))
        return self


class CourseStep(Part):
    """One step: a text to read, questions that are all to be answered rightly, or practice on a pack."""

    name: Name
    kind: StepKind
    title: Localized
    words: Localized
    questions: tuple[QuizQuestion, ...] = ()


class Practice(Part):
    """What is practised, and what a draw must reach: the rules of a trial, about cases drawn like these."""

    pack: str
    """Name and version of the generator, such as ``milling/1``."""
    cases: int = pydantic.Field(ge=100, le=20_000)
    rules: tuple[str, ...] = pydantic.Field(min_length=1)


class Course(Document, published=True):
    """A course; its badge is for one version of it."""

    document: Literal["course/1"] = "course/1"
    name: Name
    version: int = pydantic.Field(ge=1)
    sector: Sector
    title: Localized
    summary: Localized
    skills: tuple[Skill, ...]
    practice: Practice
    alpha: float = pydantic.Field(gt=0, lt=1)
    """Probability that somebody whose answers do not meet the rules ever gets the badge, however often they try."""
    valid_days: int = pydantic.Field(ge=30)
    """How long the badge is valid."""
    steps: tuple[CourseStep, ...] = pydantic.Field(min_length=1)

    def step(self, name: str) -> CourseStep | None:
        """Return the step with this name, or None."""
        return next((one for one in self.steps if one.name == name), None)

    @property
    def tested(self) -> tuple[str, ...]:
        """Return the names of the steps that are passed by more than reading."""
        return tuple(one.name for one in self.steps if one.kind != "text")


class RuleReached(Part):
    """What a draw reached on one rule, with the interval at its error level."""

    rule: str
    verdict: Literal["pass", "fail", "inconclusive", "not_measured"]
    estimate: float | None
    lower: float | None
    upper: float | None


class ErrorSlice(Part):
    """Cases of one cause by the generator's truth, and how many were answered rightly."""

    cause: str
    """Names: text ``learning.cause.<value>``."""
    cases: int = pydantic.Field(ge=0)
    right: int = pydantic.Field(ge=0)

    @property
    def share(self) -> float:
        """Return the share that was answered rightly."""
        return self.right / self.cases if self.cases else 0.0


class LearningEntry(Document):
    """One thing that a learner did in a course."""

    document: Literal["learning-entry/1"] = "learning-entry/1"
    learner: Pseudonym
    course: Name
    version: int
    number: int = pydantic.Field(ge=1)
    kind: LearningEntryKind
    at: Moment
    step: Name | None = None
    """Of a quiz, or of practice; None: for the badge."""
    draw: int | None = None
    """Number of the entry with the draw that is answered, or that earned the badge."""
    attempt: int | None = None
    """Of a draw for the badge, which try it is; the error level is split among all."""
    commitment: Digest | None = None
    """Of the seed of a draw, before anybody has seen a case."""
    answers: Digest | None = None
    verdict: Verdict | None = None
    rules: tuple[RuleReached, ...] = ()
    slices: tuple[ErrorSlice, ...] = ()
    """Only of practice: what a draw for the badge holds stays unsaid."""
    right: int | None = None
    """Of a quiz: how many questions were answered rightly."""
    credential: Digest | None = None
    expires_at: Moment | None = None


@dataclass(frozen=True)
class LearningHistory:
    """What a learner has done in a course, oldest first."""

    course: Course
    entries: tuple[LearningEntry, ...] = ()

    @property
    def passed(self) -> frozenset[str]:
        """Return the tested steps that are passed."""
        return frozenset(one.step for one in self.entries if one.step is not None and self._is_passed(one))

    def _is_passed(self, entry: LearningEntry) -> bool:
        step = self.course.step(entry.step or "")
        if step is None or step.kind == "practice":
            return entry.verdict is Verdict.ACCEPT
        return entry.right == len(step.questions)

    @property
    def finished(self) -> bool:
        """Return whether every tested step is passed."""
        return self.passed >= set(self.course.tested)

    @property
    def attempts(self) -> int:
        """Return how many draws for the badge there were."""
        return sum(one.kind == "drawn" and one.attempt is not None for one in self.entries)

    @property
    def earned(self) -> LearningEntry | None:
        """Return the answer that earns the badge, or None."""
        found = (one for one in self.entries if one.attempt is not None and one.verdict is Verdict.ACCEPT)
        return next(found, None)

    def draw(self, number: int) -> LearningEntry | None:
        """Return the draw with this number, or None."""
        return next((one for one in self.entries if (one.number, one.kind) == (number, "drawn")), None)

    def answer_to(self, number: int) -> LearningEntry | None:
        """Return the answer to a draw, or None while it is open."""
        return next((one for one in self.entries if (one.kind, one.draw) == ("answered", number)), None)

    def open_draw(self, step: str | None) -> LearningEntry | None:
        """Return the draw of a step (None: for the badge) that is not answered yet, or None."""
        drawn = (one for one in self.entries if one.kind == "drawn" and one.step == step)
        return next((one for one in drawn if self.answer_to(one.number) is None), None)


class LearnerStanding(Part):
    """How the caller stands in a course."""

    started_at: Moment
    passed: tuple[str, ...]
    finished: bool
    attempts: int
    earned: bool
    entries: tuple[LearningEntry, ...]


class CourseTold(Part):
    """A course, and how the caller stands in it; None: not begun."""

    course: Course
    standing: LearnerStanding | None = None


class CourseFigure(Part):
    """How many people got how far; None: fewer than five."""

    what: Text
    people: int | None


class CourseFigures(Part):
    """Figures of a course, without anybody's name or pseudonym."""

    as_of: datetime
    figures: tuple[CourseFigure, ...]
