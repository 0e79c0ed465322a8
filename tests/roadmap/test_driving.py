"""The driving effect equals the dense formula, cycles or not; its largest parts are named."""

import random

import numpy as np
import pytest

from pilotbase.roadmap.driving import DrivingGraph, grade_of, left_to_gain, needs_of, shares_in_top
from tests.catalogue.records_for_tests import scenario


def _random_graph(seed: int) -> tuple[dict[str, frozenset[str]], dict[str, float]]:
    chance = random.Random(seed)
    names = [f"scenario:o/s{number}" for number in range(9)]
    needs = {name: frozenset(chance.sample("abcdef", chance.randint(1, 4))) for name in names}
    return needs, {name: chance.uniform(0, 4) for name in names if chance.random() < 0.8}


def _dense(needs: dict[str, frozenset[str]]) -> np.ndarray:
    names = sorted(needs)
    shares = [[len(needs[i] & needs[j]) / len(needs[j]) if i != j else 0 for j in names] for i in names]
    return np.array(shares)


@pytest.mark.parametrize("seed", range(8))
def test_the_effect_is_the_sum_over_all_ways_and_its_parts_add_up(seed):
    needs, gains = _random_graph(seed)
    graph, names, shares = DrivingGraph(needs, gains), sorted(needs), _dense(needs)
    damping = 0.5 / max(1, *abs(np.linalg.eigvals(shares)))
    values = np.array([gains.get(name, 0.0) for name in names])
    ways = np.linalg.inv(np.eye(len(names)) - damping * shares) - np.eye(len(names))
    for row, name in enumerate(names):
        assert graph.effects[name] == pytest.approx(ways[row] @ values, rel=1e-3, abs=1e-9)
        parts = graph.largest(name, most=len(names))
        through_others = ways[row, row] * values[row]
        assert sum(part.amount for part in parts) == pytest.approx(graph.effects[name] - through_others, rel=1e-3)
        by_size = sorted((amount for at, amount in enumerate(ways[row] * values) if at != row), reverse=True)[:3]
        assert [part.amount for part in parts[:3]] == pytest.approx(
            [size for size in by_size if size > 1e-12], rel=1e-3
        )


def test_what_a_scenario_shares_with_another_is_named_and_what_is_ripe_is_driven_no_more():
    needs = {"a": frozenset({"dataset:x", "world:w"}), "b": frozenset({"dataset:x"}), "c": frozenset({"model:m"})}
    graph = DrivingGraph(needs, {"a": left_to_gain(4, 5), "b": left_to_gain(4, 1), "c": left_to_gain(5, 1)})
    (part,) = graph.largest("a")
    assert (part.scenario, part.shared) == ("b", ("dataset:x",))
    assert graph.effects["c"] == 0 and graph.largest("b") == graph.largest("c") == []
    assert grade_of(graph.effects["a"]) > grade_of(graph.effects["c"]) == 1
    assert DrivingGraph({}, {}).effects == {}


def test_needs_are_read_from_the_scenario():
    found = needs_of(scenario(standards=["gb-45438"]).to_json_value())
    assert found == {"capability:manufacturing/classification", "standard:gb-45438"}


def test_the_share_of_weights_is_that_of_the_area_in_which_a_rung_leads():
    leads, trails = shares_in_top([(5, 1, 1), (1, 5, 1)], [1, 1], 1)
    assert leads == pytest.approx(0.5, abs=0.02) and leads + trails == 1
    assert shares_in_top([(5, 5, 5), (1, 1, 1)], [2, 1], 1) == [1, 0]
    assert shares_in_top([(5, 5, 5), (1, 1, 1)], [2, 1], 3) == [1, 1]
    assert shares_in_top([], [], 1) == []
