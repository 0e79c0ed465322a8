"""The roadmap of a base: set by the operator, read with how far each task has come and what should be re-planned."""

from __future__ import annotations

from collections import defaultdict

from pilotbase.catalogue.records import everything
from pilotbase.documents.api.ledger import RoadmapTold, TaskTold
from pilotbase.documents.moments import has_passed
from pilotbase.documents.roadmap import PlannedPhase, Roadmap, TaskState
from pilotbase.documents.subjects import holder_of
from pilotbase.roadmap.bookkeeping import keep_books
from pilotbase.roadmap.ledger import owner_of
from pilotbase.roadmap.replanning import replan, state_of
from pilotbase.workspace.actors import BASE
from pilotbase.workspace.journeys import Stage, stages_of
from pilotbase.workspace.store import View

HEAD = "roadmap"


def set_roadmap(view: View, roadmap: Roadmap) -> Roadmap:
    """Let ``roadmap`` stand in place of what was there; raises `RefusedError` for all but the operator."""
    with view.transaction("roadmap.set") as change:
        change.require_operator()
        change.let_stand(HEAD, change.put(roadmap, BASE))
    return roadmap


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
    states, today = task_states(view, roadmap), now.date()
    suggested = {one.scenario: one for one in replan(roadmap, states, today)}
    tasks = [
        TaskTold(
            phase=phase.phase,
            scenario=task.scenario,
            start=task.start,
            end=task.end,
            resources=task.resources,
            state=states[task.scenario],
            is_late=states[task.scenario] is not TaskState.IN_USE and has_passed(task.end, now),
            suggested_end=suggested[task.scenario].end if task.scenario in suggested else None,
            suggested_phase=suggested[task.scenario].phase if task.scenario in suggested else None,
            reason=suggested[task.scenario].reason if task.scenario in suggested else None,
        )
        for phase in roadmap.phases
        for task in phase.tasks
    ]
    return RoadmapTold(at=now, title=roadmap.title, tasks=tasks)


def task_states(view: View, roadmap: Roadmap) -> dict[str, TaskState]:
    """Return scenario → how far it has come, for every task of ``roadmap``."""
    scenarios = [task.scenario for task in roadmap.tasks]
    found: dict[str, list[Stage]] = defaultdict(list)
    for stage in stages_of(view, scenarios):
        found[stage.scenario].append(stage)
    return {scenario: state_of(found[scenario]) for scenario in scenarios}
