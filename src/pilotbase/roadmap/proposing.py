"""From a sheet of limits, the roadmap in force and the records of a day to a proposed plan with its reasons.

Pure: the same input gives the same plan. What is in use stays where it is and has used its part of the limits; what was
closed or withdrawn leaves; a phase that is over takes nothing up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property

import numpy as np
import scipy

from pilotbase.documents.errors import InputError
from pilotbase.documents.planning import (
    GoalReached,
    PhaseGoal,
    PlanCandidate,
    PlanningSheet,
    ProposedPlan,
    ProposedTask,
    ResourceUse,
    ScenarioLeftOut,
)
from pilotbase.documents.roadmap import MOST_TASKS, Phase, Roadmap, TaskState
from pilotbase.documents.texts import Text, percent, text
from pilotbase.roadmap.planning import AT_MOST, shown_maturity
from pilotbase.roadmap.program import (
    NOWHERE,
    Goal,
    Mask,
    MemberShare,
    Numbers,
    Phases,
    PlanningProblem,
    Relaxation,
    Solution,
    prices,
    relaxations,
    solve,
    used,
    worth,
)
from pilotbase.workspace.journeys import Worth

_PHASES = tuple(Phase)
_TINY = 1e-6
_MOST_NAMED = 5


@dataclass(frozen=True)
class ScenarioFacts:
    """What the records say of a scenario today."""

    scenario: str
    sector: str
    action: str
    worth: Worth
    state: TaskState

    @property
    def maturity(self) -> int:
        """Return its maturity by its records."""
        return shown_maturity(self.worth.maturity, self.state)


def propose_plan(
    sheet: PlanningSheet, facts: Sequence[ScenarioFacts], roadmap: Roadmap | None, now: datetime
) -> ProposedPlan:
    """Return the best plan under ``sheet``, or what would have to be let go so that there is one.

    Raises:
        InputError: nothing can be taken up, a candidate that must be is unknown, or the time of the sheet ended first.
    """
    field = _Field(sheet, facts, roadmap, now.date())
    if not field.facts:
        raise InputError("planning.nothing_to_plan")
    try:
        found = solve(field.problem, sheet.gap, sheet.seconds)
    except TimeoutError:
        raise InputError("planning.no_time", seconds=sheet.seconds) from None
    return _proposal(field, found, now)


class _Field:
    """The scenarios to choose from, as numbers."""

    def __init__(
        self, sheet: PlanningSheet, facts: Sequence[ScenarioFacts], roadmap: Roadmap | None, today: date
    ) -> None:
        self.sheet, self.roadmap, self.today = sheet, roadmap, today
        self.stated = {one.scenario: one for one in sheet.candidates}
        self.before = (
            {task.scenario: (phase.phase, task) for phase in roadmap.phases for task in phase.tasks} if roadmap else {}
        )
        known = {one.scenario for one in facts}
        if strange := next((one.scenario for one in sheet.candidates if one.must and one.scenario not in known), None):
            raise InputError("planning.unknown_scenario", found=strange)
        self.left = [one for one in facts if one.state is TaskState.LEFT]
        choice = sorted((one for one in facts if one.state is not TaskState.LEFT), key=self._first)
        self.facts = sorted(choice[:MOST_TASKS], key=lambda one: one.scenario)
        self.place = {one.scenario: at for at, one in enumerate(self.facts)}
        self.names = [one.name for one in sheet.resources]

    def _first(self, one: ScenarioFacts) -> tuple[bool, bool, float]:
        """Return what sorts the scenarios that must not be lost first, then the worthiest."""
        return (one.scenario not in self.before, not self.of(one.scenario).must, -self._worth(one))

    def of(self, scenario: str) -> PlanCandidate:
        """Return what the sheet says of a scenario."""
        return self.stated.get(scenario) or PlanCandidate(scenario=scenario)

    def _worth(self, one: ScenarioFacts) -> float:
        weights = (self.sheet.potential, self.sheet.maturity, self.sheet.driving_effect)
        grades = (one.worth.potential, one.maturity, one.worth.driving_effect)
        return sum(weight * grade for weight, grade in zip(weights, grades, strict=True)) / sum(weights)

    @cached_property
    def in_use(self) -> Mask:
        """Return which scenarios of the roadmap are in use: they have used their part and stay."""
        return np.array([one.state is TaskState.IN_USE and one.scenario in self.before for one in self.facts], bool)

    @cached_property
    def present(self) -> Phases:
        """Return the phase of each scenario in the roadmap in force; empty where there is none."""
        if self.roadmap is None:
            return np.empty(0, np.int64)
        phases = [
            _PHASES.index(self.before[one.scenario][0]) if one.scenario in self.before else NOWHERE
            for one in self.facts
        ]
        return np.array(phases, np.int64)

    @cached_property
    def needs(self) -> Numbers:
        """Return what each scenario uses of each resource."""
        usual = self.sheet.usual
        rows = [[{**usual, **self.of(one.scenario).needs}.get(name, 0.0) for name in self.names] for one in self.facts]
        return np.array(rows, float).reshape(len(self.facts), len(self.names))

    @cached_property
    def limits(self) -> Numbers:
        """Return what there is of each resource in each phase."""
        rows = [[one.limits.get(phase, np.inf) for one in self.sheet.resources] for phase in _PHASES]
        return np.array(rows, float).reshape(len(_PHASES), len(self.names))

    @cached_property
    def problem(self) -> PlanningProblem:
        """Return all of it, valued so that the mean scenario is worth 1."""
        worths = np.array([self._worth(one) for one in self.facts], float)
        values = worths / worths.mean() if len(worths) else worths
        fixed = np.array([self.of(one.scenario).must for one in self.facts], bool) | self.in_use
        spent = np.zeros(self.limits.shape)
        for at in np.flatnonzero(self.in_use):
            spent[self.present[at]] += self.needs[at]
        return PlanningProblem(
            values=values,
            discounts=np.array([self.sheet.discount**later for later in range(len(_PHASES))]),
            needs=np.where(self.in_use[:, None], 0.0, self.needs),
            limits=np.maximum(self.limits - spent, 0.0),
            allowed=self._allowed(),
            fixed=fixed,
            order=tuple(self._order()),
            shares=tuple(self._share(one.sector, one.least) for one in self.sheet.balance),
            goals=tuple(self._goal(one) for one in self.sheet.goals),
            present=self.present,
            keep=self.sheet.keep,
        )

    def _allowed(self) -> Mask:
        over = np.array([phase.years[-1] < self.today.year for phase in _PHASES], bool)
        allowed = np.zeros((len(self.facts), len(_PHASES)), bool)
        for at, one in enumerate(self.facts):
            stated = self.of(one.scenario)
            if self.in_use[at]:
                allowed[at, self.present[at]] = True
            elif not stated.never:
                allowed[at] = [not stated.phases or phase in stated.phases for phase in _PHASES] & ~over
        return allowed

    def _order(self) -> Iterator[tuple[int, int]]:
        for one in self.sheet.candidates:
            for earlier in one.after:
                if one.scenario in self.place and earlier in self.place and not self.in_use[self.place[one.scenario]]:
                    yield self.place[earlier], self.place[one.scenario]

    def _share(self, sector: str, least: float) -> MemberShare:
        return MemberShare(np.array([one.sector == sector for one in self.facts], bool), least)

    def _goal(self, goal: PhaseGoal) -> Goal:
        gains = np.array([self._gain(goal, one) for one in self.facts], float)
        number = goal.number if goal.number is not None else (goal.share or 0) * float(gains.sum())
        could = max(int((gains > 0).sum()), 1)
        return Goal(_PHASES.index(goal.by), number, gains, goal.weight * could / max(number, _TINY))

    def _gain(self, goal: PhaseGoal, one: ScenarioFacts) -> float:
        if goal.sector not in (None, one.sector) or goal.action not in (None, one.action):
            return 0.0
        return self.of(one.scenario).gives.get(goal.of, 0.0) if goal.of is not None else 1.0


def _proposal(field: _Field, found: Solution | None, now: datetime) -> ProposedPlan:
    problem, sheet, roadmap = field.problem, field.sheet, field.roadmap
    present = worth(problem, field.present) if roadmap is not None and len(field.facts) else None
    told = ProposedPlan(
        at=now,
        sheet=sheet.digest(),
        roadmap=roadmap.digest() if roadmap is not None else None,
        solver=f"HiGHS (SciPy {scipy.__version__})",
        outcome="infeasible",
        value=0.0,
        present=present,
        bound=0.0,
        gap=0.0,
    )
    if found is None:
        ways = tuple(_relaxed(field, one) for one in relaxations(problem, sheet.seconds))
        return told.model_copy(update={"relaxations": ways})
    priced = prices(problem)
    tasks = tuple(_Dated(field, found.phases).tasks())
    out = (*_left_out(field, found.phases, priced), *_gone(field))
    changed = roadmap is None or {one.scenario: _spelled(one) for one in tasks} != {
        scenario: (phase, task.start, task.end) for scenario, (phase, task) in field.before.items()
    }
    return told.model_copy(
        update={
            "outcome": "proposed" if changed else "unchanged",
            "value": found.value,
            "bound": found.bound,
            "gap": found.gap,
            "tasks": tasks,
            "left_out": out,
            "resources": tuple(_uses(field, found.phases, priced)),
            "goals": tuple(_reached(field, found.phases)),
        }
    )


def _spelled(task: ProposedTask) -> tuple[Phase, str, str]:
    return task.phase, task.start, task.end


class _Dated:
    """The chosen scenarios as tasks: one that keeps its phase keeps its dates, unless they have passed without use."""

    def __init__(self, field: _Field, phases: Phases) -> None:
        self.field, self.phases, self._ends = field, phases, dict[int, date]()
        self._after = defaultdict[int, list[int]](list)
        for earlier, later in field.problem.order:
            self._after[later].append(earlier)

    def tasks(self) -> Iterator[ProposedTask]:
        """Yield them by phase, then by start."""
        found = [self._task(int(at)) for at in np.flatnonzero(self.phases != NOWHERE)]
        yield from sorted(found, key=lambda one: (one.phase, one.start, one.end, one.scenario))

    def _task(self, at: int) -> ProposedTask:
        one, phase = self.field.facts[at], _PHASES[self.phases[at]]
        before, task = self.field.before.get(one.scenario, (None, None))
        start, end = self._span(at)
        late = task is not None and before == phase and (start.isoformat(), end.isoformat()) != (task.start, task.end)
        return ProposedTask(
            scenario=one.scenario,
            start=start.isoformat(),
            end=end.isoformat(),
            resources=task.resources if task is not None else None,
            phase=phase,
            before=before,
            reason=self._reason(at, before) if late or (before is not None and before != phase) else None,
        )

    def _span(self, at: int) -> tuple[date, date]:
        field, one, phase = self.field, self.field.facts[at], _PHASES[self.phases[at]]
        before, task = field.before.get(one.scenario, (None, None))
        if task is not None and before == phase and (field.in_use[at] or date.fromisoformat(task.end) >= field.today):
            return date.fromisoformat(task.start), date.fromisoformat(task.end)
        first, last = date(phase.years[0], 1, 1), date(phase.years[-1], 12, 31)
        waits = [self._end(earlier) for earlier in self._after[at] if self.phases[earlier] == self.phases[at]]
        start = min(max([first, field.today, *waits]), last)
        months = field.of(one.scenario).months or field.sheet.usual_months
        return start, min(start + timedelta(days=round(months * 365.25 / 12) - 1), last)

    def _end(self, at: int) -> date:
        if at not in self._ends:
            self._ends[at] = self._span(at)[1]
        return self._ends[at]

    def _reason(self, at: int, before: Phase | None) -> Text:
        """Return why a task changes: its record first, then the rules, then room for others."""
        field, one = self.field, self.field.facts[at]
        task = field.before[one.scenario][1]
        if one.state in AT_MOST:
            return Text(code=f"roadmap.replan_{one.state}")
        if date.fromisoformat(task.end) < field.today:
            return Text(code="roadmap.replan_late")
        if before is not None and not field.problem.allowed[at, _PHASES.index(before)]:
            return text("planning.not_allowed_there", phase=_named(before))
        if waiting := [field.facts[a].scenario for a in self._after[at] if self.phases[a] == self.phases[at]]:
            return text("planning.waits_for", scenarios=waiting[:_MOST_NAMED])
        return text("planning.worth_more_so")


def _left_out(field: _Field, phases: Phases, priced: Numbers) -> Iterator[ScenarioLeftOut]:
    """Yield the scenarios that are not taken up, those of the roadmap in force first, then the worthiest."""
    places = np.flatnonzero(phases == NOWHERE).tolist()
    values = field.problem.values
    for at in sorted(places, key=lambda at: (field.facts[at].scenario not in field.before, -values[at])):
        one = field.facts[at]
        yield ScenarioLeftOut(
            scenario=one.scenario,
            before=field.before.get(one.scenario, (None,))[0],
            reason=_why_out(field, at, phases, priced),
        )


def _why_out(field: _Field, at: int, phases: Phases, priced: Numbers) -> Text:
    one, problem = field.facts[at], field.problem
    if field.of(one.scenario).never:
        return text("planning.never")
    if not problem.allowed[at].any():
        return text("planning.phase_over")
    if missing := [field.facts[a].scenario for a, b in problem.order if b == at and phases[a] == NOWHERE]:
        return text("planning.needs_first", scenarios=missing[:_MOST_NAMED])
    costs = (priced * problem.needs[at]).max(axis=0) if field.names else np.zeros(0)
    if costs.size and costs.max() > _TINY:
        return text("planning.used_up", resource=_titled(field, int(costs.argmax())))
    if one.state in AT_MOST:
        return Text(code=f"roadmap.replan_{one.state}")
    return text("planning.worth_more_so")


def _gone(field: _Field) -> Iterator[ScenarioLeftOut]:
    for one in field.left:
        if one.scenario in field.before:
            yield ScenarioLeftOut(
                scenario=one.scenario, before=field.before[one.scenario][0], reason=text("roadmap.replan_left")
            )


def _uses(field: _Field, phases: Phases, priced: Numbers) -> Iterator[ResourceUse]:
    taken = used(replace(field.problem, needs=field.needs), phases)
    for column, name in enumerate(field.names):
        for row, phase in enumerate(_PHASES):
            limit = float(field.limits[row, column])
            yield ResourceUse(
                resource=name,
                phase=phase,
                used=float(taken[row, column]),
                limit=limit if np.isfinite(limit) else None,
                price=float(priced[row, column]),
            )


def _reached(field: _Field, phases: Phases) -> Iterator[GoalReached]:
    for goal, stated in zip(field.problem.goals, field.sheet.goals, strict=True):
        there = (phases != NOWHERE) & (phases <= goal.by)
        reached = float(goal.gains[there].sum())
        yield GoalReached(title=stated.title, by=stated.by, number=goal.number, reached=reached)


def _relaxed(field: _Field, way: Relaxation) -> Text:
    """Return in words what one relaxation lets go."""
    if way.kind == "limits":
        more = [_more(field, way, int(k), int(q)) for k, q in np.argwhere(way.limits > _TINY)]
        return text("planning.raise_limits", what=_joined(more))
    if way.kind == "fixed":
        names = [field.facts[at].scenario for at in way.released]
        return text("planning.give_up_musts", count=len(names), scenarios=names[:_MOST_NAMED])
    sectors = [Text(code=f"sector.{field.sheet.balance[at].sector}") for at in way.released]
    return text("planning.give_up_shares", what=_joined(sectors))


def _more(field: _Field, way: Relaxation, row: int, column: int) -> Text:
    by, limit = way.limits[row, column], field.problem.limits[row, column]
    share = percent(by / limit) if limit else text("planning.there_is_none")
    named = {"resource": _titled(field, column), "phase": _named(_PHASES[row])}
    return text("planning.more_of", **named, by=f"{by:.4g}", share=share)


def _joined(parts: Sequence[Text]) -> Text:
    """Return parts in a row, as a list is written in the reader's language."""
    first, *rest = parts
    for part in rest:
        first = text("planning.and_so", one=first, other=part)
    return first


def _titled(field: _Field, column: int) -> str | Text:
    title = field.sheet.resources[column].title
    return title if isinstance(title, str) else text("planning.both", en=title.render("en"), zh=title.render("zh"))


def _named(phase: Phase) -> Text:
    return Text(code=f"phase.{phase}")
