"""Roadmap 路线图 and targets: what a base means to reach in a year, and which scenarios it takes to use, by when."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

import pydantic
from pydantic import StringConstraints, model_validator

from pilotbase.documents.base import Day, Document, Localized, Part
from pilotbase.documents.errors import InputError
from pilotbase.documents.subjects import Subject
from pilotbase.documents.vocabularies import Action, Sector

Aim = Literal["opened", "proposed", "trials", "verdicts", "certified", "served"]
"""Which figure is aimed at; names: text ``figure.<value>``."""
MOST_TASKS = 500


class Figure(StrEnum):
    """What is counted; names: text ``figure.<value>``."""

    OPENED = "opened"
    """Scenarios that were ever opened."""
    OPEN = "open"
    """Scenarios that are open now."""
    PROPOSED = "proposed"
    """Matches: trials that a supplier proposed."""
    TRIALS = "trials"
    """Trials that the parties agreed on."""
    UNDER_WAY = "under_way"
    """Trials between agreement and report."""
    VERDICTS = "verdicts"
    """Trials that came to a verdict."""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    INCONCLUSIVE = "inconclusive"
    CERTIFIED = "certified"
    """Trials that came to a certificate."""
    IN_FORCE = "in_force"
    """Trials with a certificate that is valid now."""
    SERVED = "served"
    """Services that ever answered by a certified version."""
    IN_USE = "in_use"
    """Services that answer now, by whichever certified version."""
    UNCERTIFIED = "uncertified"
    """Services that answer now by an endpoint that holds no certificate, on the operator's word: no use is counted."""
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
        """Return the years that belong to it, each year to one phase only."""
        return _YEARS[self]


_YEARS = {Phase.P1: range(2020, 2028), Phase.P2: range(2028, 2031), Phase.P3: range(2031, 2036)}


class Target(Part):
    """So many of a figure in a year, of one sector, of one action, or of all."""

    year: int = pydantic.Field(ge=2020, le=2100)
    figure: Aim
    sector: Sector | None = None
    action: Action | None = None
    number: int = pydantic.Field(ge=0, le=10**9)

    @property
    def about(self) -> tuple[int, str, str, str]:
        """Return what it is a target of: two targets about the same contradict each other."""
        return (self.year, self.figure, self.sector or "", self.action or "")


class Targets(Document):
    """All targets of a base."""

    document: Literal["targets/1"] = "targets/1"
    targets: tuple[Target, ...] = ()


class TaskState(StrEnum):
    """How far the scenario of a task has come, by the ledger; names: text ``task.<value>``."""

    PLANNED = "planned"
    OPENED = "opened"
    ON_TRIAL = "on_trial"
    FAILED = "failed"
    """Its last trial came to another verdict than accept, and nothing is certified."""
    CERTIFIED = "certified"
    IN_USE = "in_use"
    STOPPED = "stopped"
    """What was in use has been stopped."""
    LEFT = "left"
    """The scenario was closed or withdrawn before anything was in use."""


class Task(Part):
    """Task 任务: one scenario to be taken to use."""

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
    """Phase 阶段 of the plan, with its tasks in the order in which they begin."""

    phase: Phase
    tasks: tuple[Task, ...] = ()


class Roadmap(Document):
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
