"""The past of the demonstration: two years in every state, by the code of any base, and today goes on from there."""

from collections import Counter
from datetime import timedelta

import pytest

from pilotbase.catalogue.records import load_record
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.loading import load_document
from pilotbase.documents.record import Record
from pilotbase.documents.roadmap import TaskState
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.states import CommissionState
from pilotbase.roadmap.planning import read_roadmap
from pilotbase.roadmap.proposals import review
from pilotbase.roadmap.proposing import ScenarioFacts, propose_plan
from pilotbase.worker.base import open_base
from pilotbase.worker.demo import past
from pilotbase.worker.demo.examples import find_examples, sectors_of
from pilotbase.worker.demo.records import STAGES, Cast, fill
from pilotbase.workspace.journeys import Worth
from tests.cli.test_command_line import run


def test_the_days_are_in_order_and_every_example_takes_part():
    days = [day for day, _, _ in past.EVENTS]
    assert days == sorted(days) and days[-1] < past.DAYS
    examples = find_examples()
    named = {name for _, _, name in past.EVENTS} | {f"{sector}/{name}" for sector, (name, _) in STAGES.items()}
    there = {folder.parent for folder in examples.glob("*/applications/*/application.yaml")}
    theirs = {f"{one.parent.parent.name}/{one.name}" for one in there if one.parent.parent.name in sectors_of(examples)}
    assert theirs <= named and set(sectors_of(examples)) <= named


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PILOTBASE_HOME", str(tmp_path_factory.mktemp("past") / "home"))
        clock = past.clock_of_past()
        base = open_base(create=True, clock=clock)
        began = clock()
        try:
            list(past.play(base, Cast.alone(base.trust.issuer), clock))
        except PilotbaseError as error:
            if error.text.code != "data.package.not_fetched":
                raise
            pytest.skip(f"the package index cannot be reached: {error.text.render()}")
        yield open_base(), began, clock


def records(base, kind):
    subjects = {one.subject for one in base.lab.view.every(Record) if one.kind == kind}
    return [load_record(base.lab.view, subject)[0] for subject in sorted(subjects)]


@pytest.mark.prove
def test_trials_of_two_years_stand_in_every_way_a_trial_can_end(played):
    base, began, clock = played
    trials = records(base, "commission")
    ends = Counter(one.state for one in trials)
    assert ends.keys() >= {
        CommissionState.REFUSED,
        CommissionState.DECLINED,
        CommissionState.CANCELLED,
        CommissionState.RECTIFICATION,
        CommissionState.REVOKED,
        CommissionState.CERTIFIED,
        *(state for _, state in STAGES.values()),
    }, ends
    moments = sorted(step.at for one in trials for step in one.history)
    assert began < moments[0] < began + timedelta(days=60)
    assert clock() - timedelta(days=5) < moments[-1] <= clock() <= base.lab.store.clock()


@pytest.mark.prove
def test_the_log_holds_and_today_goes_on(played):
    """What is under way today can be tried: each hidden set has an attempt left; filling again adds nothing."""
    from pilotbase.worker.trials.hidden_budgets import why_none_left

    base, _, _ = played
    for sector, (_, state) in STAGES.items():
        scenario = load_document(Scenario, base.home.path / "demo" / sector / "scenario.yaml")
        assert state is CommissionState.CERTIFIED or why_none_left(base, scenario.digest()) is None, sector
    before = len(base.lab.view.log_entries(limit=10_000))
    list(fill(base, Cast.alone(base.trust.issuer)))
    assert len(base.lab.view.log_entries(limit=10_000)) == before > 200
    assert run("log", "verify").exit_code == 0


def test_whoever_moves_a_weight_sees_the_plan_move():
    examples, now = find_examples(), past.clock_of_past()()
    owned = [load_document(Scenario, examples / sector / "scenario.yaml") for sector in sectors_of(examples)]
    facts = [ScenarioFacts(one.subject, one.sector, "", _worth(one), TaskState.OPENED) for one in owned if one.value]
    phases = [
        {task.scenario: task.phase for task in propose_plan(sheet, facts, None, now).tasks}
        for sheet in (past.LIMITS, past.LIMITS.model_copy(update={"maturity": 10}))
    ]
    assert phases[0] != phases[1] and len(phases[0]) == len(facts) == 5


def _worth(scenario):
    value = scenario.value
    return Worth(value.potential, value.maturity, value.driving_effect)


@pytest.mark.prove
def test_what_has_happened_since_the_roadmap_was_adopted_plans_again(played):
    base, _, _ = played
    view = base.lab.store.as_actor(Cast.alone(base.trust.issuer).operator("desk"))
    assert read_roadmap(view).tasks
    assert review(view).told is not None
