"""Strata: one after the other is wrong, one proportional block per update is right."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pilotbase.documents.errors import InputError
from pilotbase.evidence.confidence_sequence import ConfidenceSequence
from pilotbase.evidence.martingale import MeanMartingale
from pilotbase.evidence.order import ProportionalBlocks, draw_blocks, proportional_block


def test_blocks_hold_every_stratum_in_its_share() -> None:
    blocks = ProportionalBlocks((2, 1), (0, 9))
    assert blocks.limits == (0, 27)
    assert blocks.update(np.array([[1, 0], [2, 0], [3, 0], [4, 0], [5, 0]])).tolist() == []
    assert blocks.update(np.array([[9, 1], [8, 1]])).tolist() == [12, 15]
    assert blocks.state.waiting == ((5,), ())


def test_the_smallest_block() -> None:
    assert proportional_block([600, 300, 100]) == (6, 3, 1)
    with pytest.raises(InputError, match="no common block"):
        proportional_block([601, 300])
    with pytest.raises(InputError, match="no common block"):
        proportional_block([10, 0])


def test_the_order_of_blocks_is_a_shuffle_within_strata() -> None:
    strata = np.array([0] * 60 + [1] * 30 + [2] * 10)
    order = draw_blocks(strata, b"seed")
    assert sorted(order) == list(range(100))
    assert (np.sort(strata[order].reshape(10, 10), axis=1) == [0] * 6 + [1] * 3 + [2]).all()
    assert not np.array_equal(order, draw_blocks(strata, b"other seed"))
    first = [draw_blocks(strata, str(seed).encode())[0] for seed in range(300)]
    assert len(set(first)) > 50


def strata_of(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return values and strata of a set of 1000, one right answer short of .90: an easy half and a hard one."""
    right = np.concatenate((np.arange(500) < 495, np.arange(500) < 404)).astype(np.int64)
    return right, np.repeat([0, 1], 500)


def confirmed_in_order(values: np.ndarray) -> bool:
    return MeanMartingale.without_replacement(899, 1000, 0).crossing(values, math.log(20)) is not None


def false_confirmations(runs: int) -> tuple[float, float, float]:
    """Return how often *mean ≥ .90* is falsely confirmed: stratum by stratum, by blocks, all shuffled (α = .05)."""
    rng, false = np.random.default_rng(0), np.zeros(3)
    for run in range(runs):
        values, strata = strata_of(rng)
        one_by_one = np.concatenate([rng.permutation(values[strata == g]) for g in (0, 1)])
        order = draw_blocks(strata, run.to_bytes(4, "big"))
        blocks = ProportionalBlocks(proportional_block([500, 500]), (0, 1))
        sums = blocks.update(np.stack((values, strata), axis=1)[order])
        against = MeanMartingale.without_replacement(899, len(sums), blocks.limits[0])
        false += [
            confirmed_in_order(one_by_one),
            against.crossing(sums, math.log(20)) is not None,
            confirmed_in_order(rng.permutation(values)),
        ]
    return float(false[0] / runs), float(false[1] / runs), float(false[2] / runs)


def test_strata_one_after_the_other_are_wrong_and_blocks_are_right() -> None:
    one_by_one, blocks, shuffled = false_confirmations(300)
    assert one_by_one > 0.99
    assert blocks <= 0.05
    assert shuffled <= 0.05


def test_blocks_are_no_worse_than_shuffling() -> None:
    """Strata that differ vary less in blocks: the bounds of the mean are narrower."""
    values, strata = strata_of(np.random.default_rng(1))
    rows, widths = np.stack((values, strata), axis=1), []
    for run in range(20):
        blocks = ProportionalBlocks((1, 1), (0, 1))
        sums = blocks.update(rows[draw_blocks(strata, bytes([run]))][:600])
        by_block = ConfidenceSequence(0.05, blocks.limits, 500).update(sums)
        shuffled = ConfidenceSequence(0.05, (0, 1), 1000).update(np.random.default_rng(run).permutation(values)[:600])
        widths.append(((by_block.upper - by_block.lower) / 2, shuffled.upper - shuffled.lower))
    by_blocks, by_shuffle = np.median(widths, axis=0)
    assert by_blocks < 1.05 * by_shuffle


@pytest.mark.prove
def test_false_confirmations_in_many_runs() -> None:
    one_by_one, blocks, shuffled = false_confirmations(5000)
    assert one_by_one > 0.99
    assert max(blocks, shuffled) <= 0.05
