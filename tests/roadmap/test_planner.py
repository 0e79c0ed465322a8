"""The planner: equal to brute force, within its limits, the same twice; what records change, and why it says so."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import numpy as np
import pytest

from pilotbase.documents.errors import InputError
from pilotbase.documents.planning import PlanningSheet
from pilotbase.documents.roadmap import Phase, Roadmap, TaskState
from pilotbase.roadmap.program import (
    NOWHERE,
    Goal,
    MemberShare,
    PlanningProblem,
    prices,
    relaxations,
    solve,
    used,
    worth,
)
from pilotbase.roadmap.proposing import ScenarioFacts, propose_plan
from pilotbase.workspace.journeys import Worth

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


def drawn(seed, scenarios, resources=2, phases=3):
    """Return a problem with every kind of rule, drawn by chance."""
    rng = np.random.default_rng(seed)
    needs = rng.uniform(1, 10, (scenarios, resources))
    pairs = (sorted(rng.choice(scenarios, 2, replace=False).tolist()) for _ in range(max(1, scenarios * 15 // 100)))
    return PlanningProblem(
        values=rng.uniform(0.2, 1, scenarios),
        discounts=0.9 ** np.arange(phases),
        needs=needs,
        limits=np.tile(needs.sum(axis=0) / 5, (phases, 1)),
        allowed=rng.random((scenarios, phases)) < 0.95,
        fixed=np.zeros(scenarios, bool),
        order=tuple((first, last) for first, last in pairs),
        shares=(MemberShare(rng.random(scenarios) < 0.4, 0.25),),
        goals=(Goal(1, scenarios / 4, np.ones(scenarios), 0.5),),
        present=rng.integers(-1, phases, scenarios),
        keep=0.1,
    )


def keeps_every_rule(problem, phases):
    """Return whether a plan keeps the rules; written apart from the planner."""
    chosen = [int(phase) for phase in phases]
    for at, phase in enumerate(chosen):
        if (phase == NOWHERE and problem.fixed[at]) or (phase != NOWHERE and not problem.allowed[at, phase]):
            return False
    if (used(problem, np.array(chosen)) > problem.limits + 1e-6).any():
        return False
    for before, after in problem.order:
        if chosen[after] != NOWHERE and not NOWHERE < chosen[before] <= chosen[after]:
            return False
    taken = [at for at, phase in enumerate(chosen) if phase != NOWHERE]
    return all(
        sum(bool(share.members[at]) for at in taken) >= share.least * len(taken) - 1e-6 for share in problem.shares
    )


def best_of_all(problem):
    plans = (np.array(one) for one in product(range(-1, problem.allowed.shape[1]), repeat=len(problem.values)))
    return max((worth(problem, one) for one in plans if keeps_every_rule(problem, one)), default=None)


@pytest.mark.parametrize("seed", range(8))
def test_it_equals_brute_force(seed):
    problem = drawn(seed, 5)
    found = solve(problem, gap=0.0)
    assert keeps_every_rule(problem, found.phases)
    assert found.value == pytest.approx(best_of_all(problem)) and found.value == pytest.approx(
        worth(problem, found.phases)
    )


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(100, 103))
def test_it_equals_brute_force_on_larger_ones(seed):
    problem = drawn(seed, 8)
    assert solve(problem, gap=0.0).value == pytest.approx(best_of_all(problem))


def test_two_runs_give_one_plan_within_the_gap_of_the_bound():
    problem = drawn(7, 150, resources=4)
    one, two = solve(problem, gap=0.03, seconds=60), solve(problem, gap=0.03, seconds=60)
    assert (one.phases == two.phases).all() and keeps_every_rule(problem, one.phases)
    assert one.gap <= 0.03 and one.bound >= one.value


def test_a_larger_penalty_moves_no_more_tasks():
    problem = replace(drawn(3, 12), order=(), shares=(), goals=())
    in_force = solve(replace(problem, present=np.empty(0, np.int64)), gap=0.0).phases
    rng = np.random.default_rng(4)
    changed = replace(problem, values=problem.values * rng.uniform(0.4, 1.6, 12), present=in_force)
    moves = [int((solve(replace(changed, keep=keep), gap=0.0).phases != in_force).sum()) for keep in (0.0, 0.1, 10.0)]
    assert moves[0] > moves[1] >= moves[2] == 0


def test_the_price_of_a_limit_is_what_one_more_of_it_adds():
    problem = PlanningProblem(
        np.array([3.0, 2.0]),
        np.array([1.0]),
        np.array([[1.0], [1.0]]),
        np.array([[1.0]]),
        np.ones((2, 1), bool),
        np.zeros(2, bool),
    )
    assert prices(problem) == pytest.approx(2.0)
    assert solve(replace(problem, limits=np.array([[2.0]]))).value - solve(problem).value == pytest.approx(2.0)


def test_what_has_no_plan_says_what_each_kind_of_rule_would_have_to_give():
    few = PlanningProblem(
        np.ones(3), np.array([1.0]), np.full((3, 1), 4.0), np.array([[10.0]]), np.ones((3, 1), bool), np.ones(3, bool)
    )
    assert solve(few) is None
    limits, fixed = relaxations(few)
    assert limits.limits == pytest.approx(2.0) and solve(replace(few, limits=few.limits + limits.limits)) is not None
    assert len(fixed.released) == 1


@pytest.mark.prove
def test_two_thousand_scenarios_are_planned_to_one_percent_in_time():
    found = solve(drawn(0, 2000, resources=5), gap=0.01, seconds=120)
    assert found.gap <= 0.01


def scenario(name, potential=3, maturity=3, driving_effect=3, state=TaskState.OPENED, sector="manufacturing"):
    return ScenarioFacts(f"scenario:plant/{name}", sector, "", Worth(potential, maturity, driving_effect), state)


def roadmap(**phases):
    """Return a roadmap: name of a task → its phase, start and end."""
    tasks = {
        phase: [
            {"scenario": f"scenario:plant/{name}", "start": start, "end": end}
            for name, (own, start, end) in phases.items()
            if own == phase
        ]
        for phase in Phase
    }
    return Roadmap.model_validate({"title": "x", "phases": [{"phase": one, "tasks": tasks[one]} for one in Phase]})


def sheet(**told):
    money = {"name": "money", "title": {"en": "Funds", "zh": "资金"}, "limits": {"p1": 1, "p2": 1}}
    return PlanningSheet.model_validate({"resources": [money], "usual": {"money": 1}, "gap": 0.0, "keep": 0, **told})


def phases_of(found):
    return {one.scenario.rpartition("/")[2]: one.phase.value for one in found.tasks}


def test_the_worthiest_come_first_and_the_rest_when_there_is_room():
    found = propose_plan(sheet(), [scenario("a", 5), scenario("b", 3), scenario("c", 1)], None, NOW)
    assert phases_of(found) == {"a": "p1", "b": "p2", "c": "p3"}
    use = {(one.phase, one.resource): (one.used, one.limit) for one in found.resources}
    assert use[Phase.P1, "money"] == (1.0, 1.0) and use[Phase.P3, "money"] == (1.0, None)
    (task,) = (one for one in found.tasks if one.phase is Phase.P1)
    assert (task.start, task.end) == ("2026-12-01", "2027-11-30")


def test_a_weight_moves_the_plan():
    facts = [scenario("deep", 5, 1, 3), scenario("ripe", 2, 5, 3)]
    assert phases_of(propose_plan(sheet(potential=2), facts, None, NOW))["deep"] == "p1"
    assert phases_of(propose_plan(sheet(maturity=2), facts, None, NOW))["ripe"] == "p1"


@pytest.mark.parametrize(
    ("state", "phase", "reason"),
    [
        (TaskState.FAILED, "p2", "roadmap.replan_failed"),
        (TaskState.STOPPED, "p2", "roadmap.replan_stopped"),
        (TaskState.OPENED, "p1", None),
        (TaskState.IN_USE, "p1", None),
    ],
)
def test_a_record_moves_a_task_and_is_given_as_the_reason(state, phase, reason):
    plan = roadmap(a=("p1", "2026-06-01", "2027-06-01"), b=("p2", "2028-01-01", "2028-12-31"))
    found = propose_plan(sheet(keep=0.005), [scenario("a", 3, 5, 3, state), scenario("b", 3, 4, 3)], plan, NOW)
    task = next(one for one in found.tasks if one.scenario.endswith("/a"))
    assert task.phase == phase and (task.reason.code if task.reason else None) == reason
    assert found.outcome == ("unchanged" if reason is None else "proposed")


def test_what_was_withdrawn_leaves_and_what_is_late_has_new_dates():
    plan = roadmap(gone=("p1", "2026-06-01", "2027-06-01"), late=("p1", "2026-01-01", "2026-10-01"))
    found = propose_plan(sheet(), [scenario("gone", state=TaskState.LEFT), scenario("late")], plan, NOW)
    (task,), (out,) = found.tasks, found.left_out
    assert (task.start, task.reason.code) == ("2026-12-01", "roadmap.replan_late")
    assert (out.scenario, out.before, out.reason.code) == ("scenario:plant/gone", Phase.P1, "roadmap.replan_left")
    assert found.moved == 1


def test_what_is_in_use_stays_and_has_used_its_part():
    plan = roadmap(runs=("p1", "2026-01-01", "2026-10-01"))
    found = propose_plan(sheet(), [scenario("runs", 1, state=TaskState.IN_USE), scenario("new", 5)], plan, NOW)
    assert phases_of(found) == {"runs": "p1", "new": "p2"}
    assert next(one.start for one in found.tasks if one.scenario.endswith("runs")) == "2026-01-01"


def test_order_balance_and_goals_are_kept_or_said_to_be_missed():
    rules = {
        "candidates": [
            {"scenario": "scenario:plant/model", "after": ["scenario:plant/data"], "gives": {"sites": 9}},
            {"scenario": "scenario:plant/ward", "gives": {"sites": 3}},
        ],
        "balance": [{"sector": "healthcare", "least": 0.3}],
        "goals": [{"title": "Sites", "by": "p1", "of": "sites", "share": 0.7}],
    }
    facts = [scenario("model", 5), scenario("data", 1), scenario("ward", 1, sector="healthcare")]
    found = propose_plan(sheet(**rules), facts, None, NOW)
    phases = phases_of(found)
    assert phases["data"] <= phases["model"] and "ward" in phases
    (goal,) = found.goals
    assert goal.number == pytest.approx(8.4) and goal.reached in (0.0, 3.0)


def test_a_scenario_that_is_left_out_has_a_reason():
    rules = {
        "resources": [{"name": "money", "title": "Funds", "limits": {"p1": 1, "p2": 0, "p3": 0}}],
        "candidates": [
            {"scenario": "scenario:plant/never", "never": True},
            {"scenario": "scenario:plant/late", "after": ["scenario:plant/poor"]},
        ],
    }
    facts = [scenario("never", 5), scenario("rich", 4), scenario("poor", 1), scenario("late", 1)]
    found = propose_plan(sheet(**rules), facts, None, NOW)
    assert phases_of(found) == {"rich": "p1"}
    reasons = {one.scenario.rpartition("/")[2]: one.reason for one in found.left_out}
    assert {name: one.code for name, one in reasons.items()} == {
        "never": "planning.never",
        "poor": "planning.used_up",
        "late": "planning.needs_first",
    }
    assert reasons["poor"].render("zh").startswith("资金") or reasons["poor"].render("en").startswith("Funds")


def test_an_impossible_plan_says_in_words_what_to_let_go():
    rules = {"candidates": [{"scenario": f"scenario:plant/{name}", "must": True, "phases": ["p1"]} for name in "abc"]}
    found = propose_plan(sheet(**rules), [scenario(name) for name in "abc"], None, NOW)
    assert found.outcome == "infeasible" and not found.tasks
    limits, musts = (one.render("en") for one in found.relaxations)
    assert limits == "Raise limits: 2 more of Funds in Phase 1, to 2027 (200 %)."
    assert musts.startswith("Give up 2 required scenarios: scenario:plant/")


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"usual": {"hours": 1}}, "There is no resource hours"),
        ({"potential": 0, "maturity": 0, "driving_effect": 0}, "All three weights are 0"),
        ({"goals": [{"title": "x", "by": "p1"}]}, "a number or a share"),
        ({"goals": [{"title": "x", "by": "p1", "of": "sites", "number": 1}]}, "No candidate gives sites"),
        ({"balance": [{"sector": one, "least": 0.6} for one in ("manufacturing", "energy")]}, "more than 100 %"),
        ({"candidates": [{"scenario": "scenario:a/b"}] * 2}, "scenario:a/b is listed twice"),
        ({"candidates": [{"scenario": "scenario:a/b", "must": True, "never": True}]}, "must never be taken up"),
        (
            {
                "candidates": [
                    {"scenario": f"scenario:a/{one}", "after": [f"scenario:a/{two}"]} for one, two in ("bc", "cb")
                ]
            },
            "scenario:a/b → scenario:a/c → scenario:a/b",
        ),
    ],
)
def test_a_sheet_that_contradicts_itself_is_refused(rules, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        sheet(**rules)


def test_a_required_scenario_that_nobody_knows_is_refused():
    with pytest.raises(InputError, match="nobody has rated it"):
        propose_plan(sheet(candidates=[{"scenario": "scenario:plant/x", "must": True}]), [], None, NOW)


def test_a_base_without_rated_scenarios_has_nothing_to_plan():
    with pytest.raises(InputError, match="nothing to plan"):
        propose_plan(sheet(), [], None, NOW)
