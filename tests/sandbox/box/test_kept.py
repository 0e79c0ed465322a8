"""A task given to a kept box, as a trial gives its batches, beside one given to a kept process (decision 0033)."""

import pytest

from benchmarks.compute import kept
from benchmarks.compute.tasks import in_turn


@pytest.mark.prove
def test_a_task_costs_no_more_than_one_given_to_a_kept_process():
    """A quarter of it where nothing else runs; so it holds on a machine that does much else, too."""
    single, _ = kept.measure(tasks=200, times=3)
    assert 0 < single.ratio <= 1.3


@pytest.mark.prove
def test_two_at_a_time_cost_no_more_either():
    """Long runs: in short ones it counts when the machine lets which thread go on."""
    _, several = kept.measure(tasks=10_000, times=5)
    assert 0 < several.ratio <= 1.3


def test_runs_are_taken_in_turn():
    taken = []
    medians = in_turn(
        3, lambda number: taken.append("box") or number, lambda number: taken.append("pool") or 9 - number
    )
    assert taken == ["box", "pool"] * 3 and medians == [1, 8]
