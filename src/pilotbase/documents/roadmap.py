"""Roadmap 路线图 and targets: what a base aims to reach in a year, and which scenarios it brings into use, by when."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

import pydantic
from pydantic import StringConstraints, model_validator

from pilotbase.documents.base import Day, Document, Localized, Moment, Name, Part, Sentence
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.record import Reviewer
from pilotbase.documents.subjects import Subject
from pilotbase.documents.vocabularies import Action, Role, Sector

Aim = Literal["opened", "proposed", "trials", "verdicts", "certified", "served"]
"""The figure of a target; names: text ``figure.<value>``."""
Driving = Literal["stated", "shown"]
"""The driving effect as the owner stated it, or as shared needs show it."""
PotentialBy = Literal["stated", "reviewed"]
"""The potential as the owner stated it, or the median of the reviewers' scores where there are any."""
Grade = Annotated[int, pydantic.Field(ge=1, le=5)]
MOST_TASKS = 2000
SCORES = 3
"""Reviewers who score the potential of a version of a scenario; the last score opens all of them."""


class Figure(StrEnum):
    """What is counted; names: text ``figure.<value>``."""

    OPENED = "opened"
    """Scenarios that were ever opened."""
    OPEN = "open"
    """Scenarios that are open now."""
    PROPOSED = "proposed"
    """Matches: trials that a supplier proposed."""
    TRIALS = "trials"
    """Trials agreed on by the parties."""
    UNDER_WAY = "under_way"
    """Trials between agreement and report."""
    VERDICTS = "verdicts"
    """Trials that reached a verdict."""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    INCONCLUSIVE = "inconclusive"
    CERTIFIED = "certified"
    """Trials that led to a certificate."""
    IN_FORCE = "in_force"
    """Trials with a certificate that is valid now."""
    SERVED = "served"
    """Services that have ever answered with a certified version."""
    IN_USE = "in_use"
    """Services that answer now, with any certified version."""
    UNCERTIFIED = "uncertified"
    """Services that answer now through an endpoint without a certificate, by the operator's override: not a use."""
    WARNED = "warned"
    """Services that ever had a warning of any colour."""
    STOPPED = "stopped"
    """Services that were ever stopped."""


class Phase(StrEnum):
    """Phases of the plan 分期, as its targets are set for 2027, 2030 and 2035; names: text ``phase.<value>``.

    Source: State Council opinions on the "AI+" action (国发〔2025〕11号).
    """

    P1 = "p1"
    P2 = "p2"
    P3 = "p3"

    @property
    def years(self) -> range:
        """Return its years; each year belongs to only one phase."""
        return _YEARS[self]


_YEARS = {Phase.P1: range(2020, 2028), Phase.P2: range(2028, 2031), Phase.P3: range(2031, 2036)}


class Target(Part):
    """A number for a figure in a year, for one sector, one action, or all."""

    year: int = pydantic.Field(ge=2020, le=2100)
    figure: Aim
    sector: Sector | None = None
    action: Action | None = None
    number: int = pydantic.Field(ge=0, le=10**9)

    @property
    def about(self) -> tuple[int, str, str, str]:
        """Return what the target is about: two targets about the same contradict each other."""
        return (self.year, self.figure, self.sector or "", self.action or "")


class Targets(Document):
    """All targets of a base."""

    document: Literal["targets/1"] = "targets/1"
    targets: tuple[Target, ...] = ()


class Clause(Document):
    """A clause of a policy in our own words, and the counts that would show that the base does what it asks."""

    document: Literal["clause/1"] = "clause/1"
    clause: Name
    source: str
    place: str
    words: Localized
    duty: Role
    """Whose duty it is."""
    since: Day | None = None
    shown_by: tuple[str, ...] = ()
    """Figures of the ledger, or other counts; empty: the base keeps no record of what is asked."""
    once: Figure | None = None
    """It does not apply while this figure is 0."""


class TaskState(StrEnum):
    """How far the scenario of a task has come, by the ledger; names: text ``task.<value>``."""

    PLANNED = "planned"
    OPENED = "opened"
    ON_TRIAL = "on_trial"
    FAILED = "failed"
    """Its last trial ended with a verdict other than accept, and nothing is certified."""
    CERTIFIED = "certified"
    IN_USE = "in_use"
    STOPPED = "stopped"
    """What was in use has been stopped."""
    LEFT = "left"
    """The scenario was closed or withdrawn before it came into use."""


class Task(Part):
    """Task 任务: one scenario to bring into use."""

    scenario: Subject
    start: Day
    end: Day
    resources: Localized | str | None = None
    """People, data and computing power that it needs."""

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> Self:
        if self.end < self.start:
            raise InputError("roadmap.ends_before_start", scenario=self.scenario, start=self.start, end=self.end)
        return self


class PlannedPhase(Part):
    """Phase 阶段 of the plan, with its tasks in order of their start."""

    phase: Phase
    tasks: tuple[Task, ...] = ()


class Roadmap(Document, published=True):
    """The roadmap of a base; each change is a new version under the same name."""

    document: Literal["roadmap/1"] = "roadmap/1"
    title: Annotated[str, StringConstraints(min_length=1, max_length=200)] | Localized
    phases: tuple[PlannedPhase, ...] = pydantic.Field(min_length=1, max_length=len(Phase))

    @model_validator(mode="after")
    def _each_scenario_once(self) -> Self:
        phases: list[str] = [one.phase for one in self.phases]
        scenarios = [task.scenario for task in self.tasks]
        double = [name for names in (phases, scenarios) for name in names if names.count(name) > 1]
        if double:
            raise InputError("roadmap.double", found=double[0])
        if len(scenarios) > MOST_TASKS:
            raise InputError("roadmap.too_many_tasks", found=len(scenarios), most=MOST_TASKS)
        return self

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Return the tasks of all phases."""
        return tuple(task for phase in self.phases for task in phase.tasks)


class PotentialScore(Document):
    """A reviewer's score of a scenario's potential. It is sealed until the last one is in."""

    document: Literal["potential-score/1"] = "potential-score/1"
    scenario: Subject
    version: Digest
    """Of the scenario that was read."""
    reviewer: Reviewer
    potential: Grade
    words: Sentence
    salt: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    """Sealed with the score, so that nobody can guess the score from its digest."""


class SealedPotential(Document):
    """The receipt of a score: its digest is in the log, what it says is encrypted."""

    document: Literal["sealed-potential/1"] = "sealed-potential/1"
    scenario: Subject
    version: Digest
    reviewer: Reviewer
    score: Digest
    blob: Digest
    received_at: Moment


class JudgedPotential(Document):
    """The scores of a version of a scenario, opened all at once when the last one came in."""

    document: Literal["judged-potential/1"] = "judged-potential/1"
    scenario: Subject
    version: Digest
    scores: tuple[PotentialScore, ...] = pydantic.Field(min_length=SCORES, max_length=SCORES)
    judged_at: Moment

    @property
    def grades(self) -> tuple[int, ...]:
        """Return the scores in ascending order: the lowest, the median, the highest."""
        return tuple(sorted(one.potential for one in self.scores))


def judged_potential_head(scenario: Subject) -> str:
    """Return the name of the newest opened scores of a scenario."""
    return f"judged-potential:{scenario.partition(':')[2]}"
