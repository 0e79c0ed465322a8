"""The Ladder: what it shows, for how many entries its band holds, and that two attackers stay within it."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from pilotbase.evidence.ladder import Ladder


def test_an_entry_is_shown_when_it_is_a_step_better_and_never_better_than_measured() -> None:
    ladder, shown, told = Ladder(2500, 100, 3), (), []
    for loss in (0.503, 0.49, 0.48, 0.4601, 0.3, 0.1):
        shown = ladder.after(loss, shown)
        told.append(shown[-1])
    assert ladder.steps == 38
    assert np.array(told) * 38 == pytest.approx([20, 19, 19, 18, 18, 18]), "three improvements, and no more"


def test_few_cases_have_wide_steps() -> None:
    assert [Ladder(cases, 1, 1).steps for cases in (1, 84, 500, 4225, 100_000)] == [1, 7, 17, 50, 50]


def test_the_band_counts_every_entry_that_a_team_could_come_to() -> None:
    """An entry is determined by where the improvements before it came, on which levels, and by its own number."""
    entries, improvements, ladder = 6, 3, Ladder(30, 6, 3)
    levels = ladder.steps + 1
    reached = {
        (number, before, found)
        for number in range(entries)
        for count in range(improvements)
        for before in combinations(range(number), count)
        for found in combinations(range(levels), count)
    }
    assert ladder.band == pytest.approx(np.sqrt((np.log(len(reached)) + np.log(20)) / 60))


def test_the_fewest_cases_for_a_band_of_a_fifth() -> None:
    needed = Ladder(1, 100, 5).needed
    assert Ladder(needed, 100, 5).band <= 0.2 < Ladder(needed - 1, 100, 5).band


@pytest.mark.parametrize("size", [30, 300, 4000])
def test_neither_a_climb_by_random_subsets_nor_a_vote_leaves_the_band(size: int) -> None:
    """Labels are coins, so that every loss is 1/2: 400 entries, and a vote of those that the board did not reject."""
    rng, cases, ladder = np.random.default_rng(size), 4000, Ladder(4000, 401, 10)
    best, votes, shown = rng.random(cases) < 0.5, np.zeros(cases), ()
    for _ in range(400):
        entry = best ^ (rng.permutation(cases) < size) & (rng.random(cases) < 0.5)
        after = ladder.after(entry.mean(), shown)
        if after != shown:
            best, shown, votes = entry, after, votes + np.where(entry, -1, 1)
    shown = ladder.after(float((votes + rng.uniform(-0.1, 0.1, cases) < 0).mean()), shown)
    assert 0.5 - ladder.band <= 0.47 < shown[-1] <= 0.52
