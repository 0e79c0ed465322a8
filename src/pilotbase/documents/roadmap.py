"""Roadmap 路线图: which scenarios are to be taken to use in which phase, by when, with what."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

import pydantic
from pydantic import StringConstraints, model_validator

from pilotbase.documents.base import Day, Document, Localized, Part
from pilotbase.documents.errors import InputError
from pilotbase.documents.subjects import Subject
from pilotbase.documents.targets import Phase

MOST_TASKS = 500


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
