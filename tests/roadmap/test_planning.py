"""The roadmap: how far each task has come by the ledger, and what a verdict, a stop or a day gone by asks for."""

from datetime import date, timedelta

import pytest

from pilotbase.catalogue.saving import save
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.permissions import Act
from pilotbase.documents.planning import PlanningSheet
from pilotbase.documents.roadmap import Phase, Roadmap, TaskState
from pilotbase.documents.vocabularies import ServingState, Verdict
from pilotbase.roadmap.planning import read_roadmap, replan, set_roadmap, set_sheet, state_of, tell_roadmap
from pilotbase.roadmap.proposals import propose, review, waiting_proposal
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.journeys import Stage
from tests.catalogue.records_for_tests import (
    COMMISSION,
    DESK,
    OTHER_OWNER,
    OWNER,
    REGULATOR,
    SCENARIO,
    SUPPLIER,
    report,
    scenario,
)
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


def test_a_verdict_and_a_date_gone_by_are_reasons_for_another_plan(trial, clock):
    view, rival = trial.store.as_actor(DESK), {"potential": 3, "maturity": 3, "driving_effect": 3}
    save(trial.store.as_actor(OWNER), scenario((), name="pumps", value=rival))
    trial.do(OWNER, "scenario:plant/pumps", Act.SCENARIO_SUBMIT)
    money = {"name": "money", "title": "Funds", "limits": {"p1": 1, "p2": 0, "p3": 0}}
    set_roadmap(view, roadmap(task(start="2026-05-01", end="2027-01-01")))
    assert review(view) is None
    set_sheet(view, PlanningSheet.model_validate({"resources": [money], "usual": {"money": 1}, "keep": 0.1}))
    trial.reach("agreed")
    assert review(view).told is None
    trial.report = report(trial.plan, Verdict.REJECT)
    trial.reach("reported")
    found = review(view)
    assert [one.render() for one in found.because] == ["plant/milling: on trial → not accepted."]
    assert [one.scenario for one in found.tasks] == ["scenario:plant/pumps"]
    assert found.left_out[0].reason.code == "planning.used_up" and found.told is not None
    clock.step(400 * 86_400)
    again = review(view)
    assert [one.render() for one in again.because][1:] == ["plant/milling: not in use by its date, 2027-01-01."]
    assert review(view) is None
    set_roadmap(view, again.as_roadmap("To 2030"))
    assert waiting_proposal(view) is None and propose(view).told is None


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
