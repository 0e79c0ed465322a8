"""The roadmap: how far each task has come by the ledger, and what a verdict, a stop or a day gone by asks for."""

from datetime import date, timedelta

import pytest

from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.permissions import Act
from pilotbase.documents.roadmap import Phase, Roadmap, TaskState
from pilotbase.documents.vocabularies import ServingState
from pilotbase.roadmap.planning import read_roadmap, replan, set_roadmap, state_of, tell_roadmap
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.journeys import Stage
from tests.catalogue.records_for_tests import COMMISSION, DESK, OTHER_OWNER, OWNER, REGULATOR, SCENARIO, SUPPLIER
from tests.roadmap.services_for_tests import admit, stand

TODAY = date(2026, 6, 1)


def task(scenario=SCENARIO, start="2026-01-01", end="2026-05-01"):
    return {"scenario": scenario, "start": start, "end": end}


def roadmap(*tasks, phase="p1"):
    return Roadmap.model_validate({"title": "To use", "phases": [{"phase": phase, "tasks": list(tasks)}]})


def stage(kind, state, verdict=""):
    return Stage(SCENARIO, kind, state, verdict)


OPEN = stage("scenario", "open")


@pytest.mark.parametrize(
    ("stages", "state"),
    [
        ([], TaskState.PLANNED),
        ([stage("scenario", "review")], TaskState.PLANNED),
        ([OPEN], TaskState.OPENED),
        ([OPEN, stage("commission", "declined")], TaskState.OPENED),
        ([OPEN, stage("commission", "running")], TaskState.ON_TRIAL),
        ([OPEN, stage("commission", "reported", "accept")], TaskState.ON_TRIAL),
        ([OPEN, stage("commission", "reported", "reject")], TaskState.FAILED),
        ([OPEN, stage("commission", "retest", "reject")], TaskState.ON_TRIAL),
        ([OPEN, stage("commission", "reported", "reject"), stage("commission", "agreed")], TaskState.ON_TRIAL),
        ([OPEN, stage("commission", "certified", "accept")], TaskState.CERTIFIED),
        ([OPEN, stage("commission", "certified", "accept"), stage("service", "serving")], TaskState.IN_USE),
        ([OPEN, stage("service", "stopped"), stage("service", "fallen_back")], TaskState.IN_USE),
        ([OPEN, stage("commission", "certified", "accept"), stage("service", "stopped")], TaskState.STOPPED),
        ([stage("scenario", "withdrawn")], TaskState.LEFT),
        ([stage("scenario", "closed"), stage("commission", "certified", "accept")], TaskState.CERTIFIED),
    ],
)
def test_states_by_hand(stages, state):
    assert state_of(stages) is state
    assert state_of(list(reversed(stages))) is state


@pytest.mark.parametrize(
    ("state", "end", "suggested"),
    [
        (TaskState.IN_USE, "2026-05-01", None),
        (TaskState.OPENED, "2026-06-01", None),
        (TaskState.OPENED, "2026-05-31", ("2026-10-29", "replan_late")),
        (TaskState.FAILED, "2026-12-31", ("2027-12-30", "replan_failed")),
        (TaskState.STOPPED, "2026-05-01", ("2026-09-29", "replan_stopped")),
        (TaskState.LEFT, "2026-12-31", (None, "replan_left")),
    ],
)
def test_what_is_suggested(state, end, suggested):
    plan = roadmap(task(end=end))
    found = replan(plan, {SCENARIO: state}, TODAY)
    assert [(one.end, one.reason.code.partition(".")[2]) for one in found] == ([suggested] if suggested else [])


def test_a_task_that_goes_on_beyond_its_phase_moves_to_the_next():
    plan = roadmap(task(start="2026-01-01", end="2027-12-01"))
    (change,) = replan(plan, {SCENARIO: TaskState.FAILED}, TODAY)
    assert change.phase is Phase.P2 and change.end == "2029-10-30"


@pytest.mark.parametrize(
    "phases",
    [
        [{"phase": "p1", "tasks": [task(), task()]}],
        [{"phase": "p1"}, {"phase": "p1"}],
        [{"phase": "p1", "tasks": [task(start="2026-05-02")]}],
        [],
    ],
)
def test_a_roadmap_that_contradicts_itself_is_refused(phases):
    with pytest.raises((InputError, ValueError)):
        Roadmap.model_validate({"title": "x", "phases": phases})


def test_the_operator_sets_it_and_each_sees_its_part(any_trial, clock):
    trial, store = any_trial, any_trial.store
    trial.reach("reported")
    other = "scenario:hospital/xray"
    plan = roadmap(task(end="2027-01-01"), task(other, end="2026-02-01"))
    for who in (OWNER, REGULATOR, SUPPLIER):
        with pytest.raises(RefusedError):
            set_roadmap(store.as_actor(who), plan)
    assert read_roadmap(store.as_actor(DESK)) is None and tell_roadmap(store.as_actor(DESK)).tasks == []
    for _ in range(2):
        set_roadmap(store.as_actor(DESK), plan)

    def told(who):
        return [(one.scenario, one.state, one.is_late) for one in tell_roadmap(store.as_actor(who)).tasks]

    both = [(SCENARIO, TaskState.ON_TRIAL, False), (other, TaskState.PLANNED, True)]
    assert told(DESK) == told(REGULATOR) == both
    assert told(OWNER) == both[:1] and told(OTHER_OWNER) == both[1:]
    with pytest.raises(NotFoundError):
        tell_roadmap(store.as_actor(SUPPLIER))


def test_a_stop_asks_for_another_way_to_use(trial, clock):
    store = trial.store
    trial.reach("certified")
    set_roadmap(store.as_actor(DESK), roadmap(task(end="2027-01-01")))
    admit(trial)
    stand(store, ServingState.SERVING, clock())
    (now,) = tell_roadmap(store.as_actor(DESK)).tasks
    assert now.state is TaskState.IN_USE and now.reason is None
    stand(store, ServingState.STOPPED, clock() + timedelta(hours=1))
    (now,) = tell_roadmap(store.as_actor(OWNER)).tasks
    assert now.state is TaskState.STOPPED and now.reason.code == "roadmap.replan_stopped"
    assert now.suggested_end == "2028-01-01" and now.suggested_phase is Phase.P2
    trial.do(DESK, COMMISSION, Act.CERTIFICATE_REVOKE)
    assert tell_roadmap(store.as_actor(DESK)).tasks[0].state is TaskState.STOPPED
