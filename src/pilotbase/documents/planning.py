"""Planning: the operator's sheet of limits and rules, and the plan that the planner proposes under them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Literal, Self

import pydantic
from pydantic import StringConstraints, model_validator

from pilotbase.documents.base import Document, Localized, Moment, Name, Part
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.roadmap import MOST_TASKS, Driving, Phase, Roadmap, Task, TaskState
from pilotbase.documents.subjects import Subject
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Action, Sector

MOST_WEIGHT = 100
_MOST = 10**12
Amount = Annotated[float, pydantic.Field(ge=0, le=_MOST, allow_inf_nan=False)]
Amounts = Annotated[dict[Name, Amount], pydantic.Field(max_length=20)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=200)] | Localized
Weight = Annotated[int, pydantic.Field(ge=0, le=MOST_WEIGHT)]


class Resource(Part):
    """Something that every task uses up: money, computing hours, reviewers' days, datasets to be made ready."""

    name: Name
    title: Title
    unit: Annotated[str, StringConstraints(max_length=20)] = ""
    limits: dict[Phase, Amount] = pydantic.Field(default_factory=dict, max_length=len(Phase))
    """How much there is in each phase; a phase that is not named has no limit."""


class PlanCandidate(Part):
    """What is known of a scenario that could be taken up, and what is required of it."""

    scenario: Subject
    needs: Amounts = pydantic.Field(default_factory=dict)
    """Resource → what it uses, in place of the usual."""
    gives: Amounts = pydantic.Field(default_factory=dict)
    """Quantity → what it adds to goals, such as sites: 12."""
    after: Annotated[tuple[Subject, ...], pydantic.Field(max_length=50)] = ()
    """Scenarios that must be taken up before it, or in the same phase."""
    uses: Annotated[tuple[Name, ...], pydantic.Field(max_length=50)] = ()
    """Models, components and corpora that other scenarios may need too; see the driving effect in the ranking."""
    phases: Annotated[tuple[Phase, ...], pydantic.Field(max_length=len(Phase))] = ()
    """The only phases in which it may be taken up; none: all."""
    must: bool = False
    never: bool = False
    months: int | None = pydantic.Field(None, ge=1, le=120)


class Balance(Part):
    """At least this share of all scenarios taken up are of one sector."""

    sector: Sector
    least: float = pydantic.Field(gt=0, lt=1)


class PhaseGoal(Part):
    """What must be reached by the end of a phase: a number, or a share of what all candidates could give."""

    title: Title
    by: Phase
    of: Name | None = None
    """A quantity that candidates give, such as sites; None: scenarios are counted."""
    sector: Sector | None = None
    action: Action | None = None
    number: Amount | None = None
    share: float | None = pydantic.Field(None, gt=0, le=1)
    weight: float = pydantic.Field(1.0, ge=0, le=1000)
    """What missing all of it costs, in scenarios of mean value for each scenario that could give it."""

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.number is None) == (self.share is None):
            raise InputError("planning.goal_without_number")
        return self


class PlanningSheet(Document, published=True):
    """The limits and rules under which the planner chooses scenarios and phases."""

    document: Literal["planning/1"] = "planning/1"
    potential: Weight = 1
    maturity: Weight = 1
    driving_effect: Weight = 1
    driving: Driving = "stated"
    discount: float = pydantic.Field(0.9, gt=0, le=1)
    """What a phase's delay leaves of a scenario's value."""
    keep: float = pydantic.Field(0.3, ge=0, le=100)
    """What it costs to move a task of the roadmap in force, in scenarios of mean value."""
    resources: Annotated[tuple[Resource, ...], pydantic.Field(max_length=20)] = ()
    usual: Amounts = pydantic.Field(default_factory=dict)
    """Resource → what a scenario uses that states nothing else."""
    usual_months: int = pydantic.Field(12, ge=1, le=120)
    candidates: Annotated[tuple[PlanCandidate, ...], pydantic.Field(max_length=MOST_TASKS)] = ()
    balance: Annotated[tuple[Balance, ...], pydantic.Field(max_length=len(Sector))] = ()
    goals: Annotated[tuple[PhaseGoal, ...], pydantic.Field(max_length=50)] = ()
    gap: float = pydantic.Field(0.01, ge=0, le=0.5)
    """How far below the best the plan may be, as a share."""
    seconds: int = pydantic.Field(10, ge=1, le=120)
    """When to stop with the best plan found so far; its gap is shown."""

    @model_validator(mode="after")
    def _names_what_it_knows(self) -> Self:
        for found, code in self._faults():
            raise InputError(code, found=found)
        return self

    def _faults(self) -> Iterator[tuple[str, str]]:
        if not self.potential + self.maturity + self.driving_effect:
            yield "0", "planning.no_weight"
        resources = [one.name for one in self.resources]
        scenarios: list[str] = [one.scenario for one in self.candidates]
        sectors: list[str] = [one.sector for one in self.balance]
        for names in (resources, scenarios, sectors):
            yield from ((name, "planning.double") for name, times in Counter(names).items() if times > 1)
        needed = [*self.usual, *(name for one in self.candidates for name in one.needs)]
        yield from ((name, "planning.no_resource") for name in needed if name not in resources)
        given = {name for one in self.candidates for name in one.gives}
        yield from ((one.of, "planning.nothing_gives") for one in self.goals if one.of and one.of not in given)
        yield from ((one.scenario, "planning.must_never") for one in self.candidates if one.must and one.never)
        if sum(one.least for one in self.balance) > 1:
            yield "1", "planning.balance_over_one"
        if cycle := self._cycle():
            yield " → ".join(cycle), "planning.cycle"

    def _cycle(self) -> list[str]:
        """Return scenarios of which each comes after the next, the first one again at the end; empty if none do."""
        try:
            tuple(TopologicalSorter({one.scenario: one.after for one in self.candidates}).static_order())
        except CycleError as error:
            return list(error.args[1])
        return []


class ProposedTask(Task):
    """A task of a proposed plan, and the phase in which the roadmap in force has it."""

    phase: Phase
    before: Phase | None = None
    reason: Text | None = None
    """Why it moved or has new dates; None: it is as before, or new."""


class ScenarioLeftOut(Part):
    """A scenario that the plan does not take up, and why."""

    scenario: Subject
    before: Phase | None = None
    reason: Text


class ResourceUse(Part):
    """What a plan uses of a resource in a phase, and what one more unit would add."""

    resource: Name
    phase: Phase
    used: float
    limit: float | None = None
    price: float
    """In scenarios of mean value, by the linear relaxation."""


class GoalReached(Part):
    """How far a plan gets towards a goal by the end of its phase."""

    title: Title
    by: Phase
    number: float
    reached: float


class ProposedPlan(Document):
    """A plan that was computed from a sheet and the records of a day; it stands only once the operator adopts it."""

    document: Literal["proposed-plan/1"] = "proposed-plan/1"
    at: Moment
    sheet: Digest
    roadmap: Digest | None = None
    """The roadmap in force for which it was computed."""
    solver: str
    outcome: Literal["proposed", "unchanged", "infeasible"]
    """Names: text ``planning.outcome.<value>``."""
    value: float
    """In scenarios of mean value taken up in the first phase, less what missed goals and changes cost."""
    present: float | None = None
    """The same of the roadmap in force, by today's records."""
    bound: float
    """No plan is worth more."""
    gap: float
    tasks: tuple[ProposedTask, ...] = ()
    left_out: tuple[ScenarioLeftOut, ...] = ()
    resources: tuple[ResourceUse, ...] = ()
    goals: tuple[GoalReached, ...] = ()
    relaxations: tuple[Text, ...] = ()
    """What would have to be let go so that there is a plan, each by itself."""
    unrated: int = 0
    """Open scenarios of which nobody has said what they are worth: they take no part."""
    states: dict[Subject, TaskState] = pydantic.Field(default_factory=dict)
    """How far each scenario had come when the plan was computed."""
    because: tuple[Text, ...] = ()
    """What has happened since the proposal before, oldest first."""

    @property
    def told(self) -> Text | None:
        """Return in a sentence what records would change and why; None: they would change nothing."""
        if not self.because or self.outcome == "unchanged":
            return None
        changes = [one.reason is not None for one in self.tasks] + [one.before is not None for one in self.left_out]
        return text(f"planning.told.{self.outcome}", changed=sum(changes), fresh=self.fresh, why=self.because[-1])

    @property
    def moved(self) -> int:
        """Return how many tasks of the roadmap in force change their phase or are dropped."""
        shifted = sum(one.before is not None and one.before != one.phase for one in self.tasks)
        return shifted + sum(one.before is not None for one in self.left_out)

    @property
    def fresh(self) -> int:
        """Return how many scenarios the roadmap in force does not have."""
        return sum(one.before is None for one in self.tasks)

    def as_roadmap(self, title: Title) -> Roadmap:
        """Return the plan as a roadmap."""
        phases = [
            {"phase": phase, "tasks": [_plain(one) for one in self.tasks if one.phase == phase]} for phase in Phase
        ]
        return Roadmap.model_validate({"title": title, "phases": phases})


def _plain(task: ProposedTask) -> Task:
    return Task(scenario=task.scenario, start=task.start, end=task.end, resources=task.resources)
