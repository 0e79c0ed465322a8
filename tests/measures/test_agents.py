"""Plans of actions in worlds that cases describe: worked by hand, and what cannot be read is told."""

import json

import numpy as np
import pytest

from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.errors import InputError
from pilotbase.measures import Cases, observe, score
from tests.contracts.episode_cases import runs_of_episodes

WORLD = {
    "facts": ["at gate", "line sealed"],
    "actions": {
        "go in": {"needs": ["at gate"], "adds": ["at hall"], "drops": ["at gate"]},
        "go out": {"needs": ["at hall"], "adds": ["at gate"], "drops": ["at hall"]},
        "open line": {"needs": ["at hall"], "adds": ["valve shut"], "drops": ["line sealed"]},
        "shut valve": {"needs": ["at hall"], "adds": ["valve shut"]},
    },
}
GOAL = '["valve shut", "line sealed"]'


def reached(answer, truth=GOAL, world=WORLD, rule="goal_reached(world=world) >= 0.5"):
    spelled = world if isinstance(world, str) else json.dumps(world)
    cases = Cases(
        np.array([truth], object), np.array([answer], object), kind="text", given={"world": np.array([spelled], object)}
    )
    return score(parse_rule(rule), cases)


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ('["go in", "shut valve"]', 1.0),
        ('["go in", "go out", "go in", "shut valve"]', 1.0),
        ('["shut valve"]', 0.0),  # it is not there yet
        ('["go in", "open line"]', 0.0),  # what must go on to hold holds no more
        ('["go in", "fly", "shut valve"]', 0.0),
        ('["go in"]', 0.0),
        ("[]", 0.0),
        ("go in, shut valve", 0.0),
        ('[["go in"], 7]', 0.0),
        ("[" * 100_000, 0.0),
        (None, 0.0),
    ],
)
def test_a_plan_counts_when_it_can_be_carried_out_and_the_goal_holds_then(answer, value):
    assert reached(answer) == value


def test_a_goal_may_hold_already_and_longer_plans_than_allowed_do_not_count():
    assert reached("[]", "at gate|line sealed") == 1.0
    walk = json.dumps(["go in", "go out"] * 3)
    assert reached(walk, "at gate", rule="goal_reached(world=world, steps=6) >= 0.5") == 1.0
    assert reached(walk, "at gate", rule="goal_reached(world=world, steps=5) >= 0.5") == 0.0


def test_a_case_without_truth_does_not_count():
    assert reached('["go in"]', None) is None


@pytest.mark.parametrize(
    "world",
    [
        "",
        "[]",
        '{"facts": []}',
        '{"facts": [1], "actions": {}}',
        '{"facts": [], "actions": {"a": {"need": []}}}',
        '{"facts": [], "actions": {"a": []}}',
        "[" * 100_000,
    ],
)
def test_a_world_that_is_none_is_told(world):
    with pytest.raises(InputError) as refused:
        reached("[]", world=world)
    assert refused.value.text.code == "measure.no_world"


def test_a_goal_that_is_none_is_told_whatever_is_answered():
    with pytest.raises(InputError) as refused:
        reached("nothing", "[1, 2]")
    assert refused.value.text.code == "measure.no_goal"


def test_a_goal_in_each_of_k_runs_is_estimated_without_bias():
    cases = runs_of_episodes([8, 7, 4, 0], 8)
    (part,) = observe(parse_rule("all_of(k=4) >= 0.5"), cases, np.arange(32)).parts
    assert part.value() == pytest.approx((1 + 35 / 70 + 1 / 70 + 0) / 4)
    assert len(set(part.gain[::4])) == 1, "each run of an episode has the score of the episode"
    (alone,) = observe(parse_rule("all_of(k=4) >= 0.5"), cases.among(np.array([0, 3])), np.arange(2)).parts
    assert alone.value() == 0.5, "of a single run it is the goal"
