"""The roadmap of a base and its planning sheet, set by the operator; what is read: states, suggestions, task sheets.

The same roadmap, stages and day give the same suggestions. No roadmap changes by itself; a person decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pilotbase.catalogue.records import everything
from pilotbase.documents.api.ledger import (
    NeedTold,
    NextTold,
    RoadmapTold,
    TaskSheetsTold,
    TaskSheetTold,
    TaskTold,
)
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.moments import has_passed
from pilotbase.documents.planning import PlanCandidate, PlanningSheet
from pilotbase.documents.roadmap import MOST_TASKS, Phase, PlannedPhase, Roadmap, Task, TaskState
from pilotbase.documents.states import SCENARIO_OVER, TRIAL_OVER, CommissionState, ScenarioState
from pilotbase.documents.subjects import holder_of, name_of
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import ServingState, Verdict
from pilotbase.operations.ledger import TasksAsked
from pilotbase.roadmap.ledger import keep_books, owner_of
from pilotbase.workspace.actors import BASE
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.journeys import Stage, stages_of
from pilotbase.workspace.listings import find_listings, find_waits_on
from pilotbase.workspace.store import View

HEAD, SHEET = "roadmap", "planning-sheet"
_ANSWERS = frozenset({ServingState.SERVING, ServingState.FALLEN_BACK})
_AGAIN_ON_TRIAL = frozenset({CommissionState.RECTIFICATION, CommissionState.RETEST})
_AS_PLANNED: dict[str, Any] = dict.fromkeys(("suggested_end", "suggested_phase", "reason"))
_AGAIN = frozenset({TaskState.FAILED, TaskState.STOPPED})
_AT_LEAST = {TaskState.ON_TRIAL: 3, TaskState.CERTIFIED: 4, TaskState.IN_USE: 5}
AT_MOST = {TaskState.FAILED: 2, TaskState.STOPPED: 1}
"""The maturity that records leave or give a scenario, whatever its owner stated."""


def set_roadmap(view: View, roadmap: Roadmap) -> Roadmap:
    """Let ``roadmap`` stand in place of what was there; raises `RefusedError` for all but the operator."""
    with view.transaction("roadmap.set") as change:
        change.require_operator()
        change.let_stand(HEAD, change.put(roadmap, BASE))
    return roadmap


def set_sheet(view: View, sheet: PlanningSheet) -> PlanningSheet:
    """Let ``sheet`` stand in place of what was there; raises `RefusedError` for all but the operator."""
    with view.transaction("planning.set") as change:
        change.require_operator()
        change.let_stand(SHEET, change.put(sheet, BASE))
    return sheet


def read_sheet(view: View) -> PlanningSheet:
    """Return the sheet that stands, without limits and goals where none was set; raises as `require_whole`."""
    require_whole(view)
    return sheet_of(view)


def require_whole(view: View) -> None:
    """Raise `NotFoundError` for all but those who see the whole ledger: a plan weighs all owners' scenarios."""
    if owner_of(view.actor):
        raise NotFoundError("planning.whole_base")


def read_roadmap(view: View) -> Roadmap | None:
    """Return the roadmap, to a demand owner its own tasks of it; None where there is none. Raises as `owner_of`."""
    owner, base = owner_of(view.actor), everything(view)
    head = base.head(HEAD)
    if head is None:
        return None
    roadmap = base.load(head, Roadmap)
    if not owner:
        return roadmap
    phases = tuple(
        PlannedPhase(phase=one.phase, tasks=tuple(task for task in one.tasks if holder_of(task.scenario) == owner))
        for one in roadmap.phases
    )
    return roadmap.model_copy(update={"phases": phases})


def tell_roadmap(view: View) -> RoadmapTold:
    """Return the roadmap with the state of each task, today; without tasks where none was set. Raises as `owner_of`."""
    roadmap, now = read_roadmap(view), view.store.clock()
    if roadmap is None:
        return RoadmapTold(at=now, title="", tasks=[])
    keep_books(view)
    states, today = task_states(view, [one.scenario for one in roadmap.tasks]), now.date()
    suggested: dict[str, dict[str, Any]] = {
        one.scenario: {"suggested_end": one.end, "suggested_phase": one.phase, "reason": one.reason}
        for one in replan(roadmap, states, today)
    }
    tasks = [
        filled(
            TaskTold,
            task,
            phase=phase.phase,
            state=states[task.scenario],
            is_late=states[task.scenario] is not TaskState.IN_USE and has_passed(task.end, now),
            **suggested.get(task.scenario, _AS_PLANNED),
        )
        for phase in roadmap.phases
        for task in phase.tasks
    ]
    return RoadmapTold(at=now, title=roadmap.title, tasks=tasks)


def tell_task_sheets(view: View, asked: TasksAsked) -> TaskSheetsTold:
    """Return the sheets of the tasks that ``view`` sees in the roadmap; raises as `owner_of`."""
    told, rules = tell_roadmap(view), sheet_of(everything(view))
    tasks = [one for one in told.tasks if asked.phase in (None, one.phase) and asked.scenario in ("", one.scenario)]
    stated = {one.scenario: one for one in rules.candidates}
    rules_of = {one.scenario: stated.get(one.scenario) or PlanCandidate(scenario=one.scenario) for one in tasks}
    listed = find_listings(view, {*rules_of, *(before for one in rules_of.values() for before in one.after)})
    waits = defaultdict[str, list[NextTold]](list)
    for scenario, wait in find_waits_on(view, list(rules_of)):
        waits[scenario].append(filled(NextTold, wait))
    sheets = []
    for task in tasks:
        rule = rules_of[task.scenario]
        needs = rules.usual | rule.needs
        sheet = filled(
            TaskSheetTold,
            task,
            title=listed[task.scenario].title if task.scenario in listed else name_of(task.scenario),
            owner=holder_of(task.scenario),
            needs=[
                NeedTold(title=one.title, amount=needs[one.name], unit=one.unit)
                for one in rules.resources
                if needs.get(one.name)
            ],
            gives=rule.gives,
            after=[one for one in rule.after if one in listed],
            next=waits[task.scenario],
        )
        sheets.append(sheet)
    return TaskSheetsTold(at=told.at, title=told.title, sheets=sheets)


def sheet_of(view: View) -> PlanningSheet:
    """Return the sheet that stands; ``view`` must see everything."""
    return view.load_head(SHEET, PlanningSheet) or PlanningSheet()


def task_states(view: View, scenarios: Sequence[str]) -> dict[str, TaskState]:
    """Return scenario → how far it has come, for each of ``scenarios``."""
    found: dict[str, list[Stage]] = defaultdict(list)
    for stage in stages_of(view, scenarios if len(scenarios) <= MOST_TASKS else None):
        found[stage.scenario].append(stage)
    return {scenario: state_of(found[scenario]) for scenario in scenarios}


def shown_maturity(stated: int, state: TaskState) -> int:
    """Return a maturity of 1 to 5: a trial, a verdict, a certificate, use and a stop outweigh what was stated."""
    return min(max(stated, _AT_LEAST.get(state, 1)), AT_MOST.get(state, 5))


@dataclass(frozen=True)
class Suggestion:
    """What should become of a task, and why; without an end it is to be taken off."""

    scenario: str
    reason: Text
    end: str | None
    phase: Phase | None
    """The phase in which the new end lies; None: after the last one, or taken off."""


def state_of(stages: Sequence[Stage]) -> TaskState:
    """Return how far a scenario has come, by where itself, its trials and its services stand."""
    by_kind: dict[str, list[Stage]] = {"scenario": [], "commission": [], "service": []}
    for stage in stages:
        by_kind[stage.kind].append(stage)
    services, trials = by_kind["service"], by_kind["commission"]
    scenario = by_kind["scenario"][0].state if by_kind["scenario"] else ""
    if services:
        return TaskState.IN_USE if any(one.state in _ANSWERS for one in services) else TaskState.STOPPED
    if any(one.state == CommissionState.CERTIFIED for one in trials):
        return TaskState.CERTIFIED
    if scenario in SCENARIO_OVER:
        return TaskState.LEFT
    live = [one for one in trials if one.state not in TRIAL_OVER]
    if any(one.verdict in ("", Verdict.ACCEPT) or one.state in _AGAIN_ON_TRIAL for one in live):
        return TaskState.ON_TRIAL
    if live:
        return TaskState.FAILED
    return TaskState.OPENED if scenario == ScenarioState.OPEN else TaskState.PLANNED


def replan(roadmap: Roadmap, states: Mapping[str, TaskState], today: date) -> tuple[Suggestion, ...]:
    """Return what to change in ``roadmap`` on ``today``, in its order; scenarios without a state are planned."""
    return tuple(
        suggestion
        for phase in roadmap.phases
        for task in phase.tasks
        for suggestion in _suggested(task, states.get(task.scenario, TaskState.PLANNED), today)
    )


def _suggested(task: Task, state: TaskState, today: date) -> Iterator[Suggestion]:
    """Yield at most one change: what failed or was stopped, and what is late, takes as long again as was planned."""
    if state is TaskState.IN_USE:
        return
    if state is TaskState.LEFT:
        yield Suggestion(task.scenario, text("roadmap.replan_left"), None, None)
    elif state in _AGAIN or today > date.fromisoformat(task.end):
        reason = f"roadmap.replan_{state}" if state in _AGAIN else "roadmap.replan_late"
        start, end = date.fromisoformat(task.start), date.fromisoformat(task.end)
        later = max(today, end) + (end - start)
        phase = next((one for one in Phase if later.year in one.years), None)
        yield Suggestion(task.scenario, Text(code=reason), later.isoformat(), phase)
