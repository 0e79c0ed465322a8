"""Counts at the ends of blocks find the same crossing as the martingale entry by entry."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from pilotbase.evidence import criterion
from pilotbase.evidence.criterion import SingleTest
from pilotbase.evidence.lattice import Stream

KINDS = {
    "share": (((0, 1), (1, 1)), [0.4, 0.6]),
    "overlap": (((2, 2), (0, 1), (0, 1)), [0.5, 0.3, 0.2]),
    "halves": (((0, 2), (1, 2), (2, 2)), [0.2, 0.3, 0.5]),
}


def random_test(name: str, seed: int, n: int, comparison: Any) -> SingleTest:
    outcomes, shares = KINDS[name]
    kinds = np.array(outcomes)[np.random.default_rng(seed).choice(len(shares), n, p=shares)]
    stream = Stream(kinds[:, 0].copy(), kinds[:, 1].copy(), np.arange(1, n + 1) * 2, outcomes, 0)
    return SingleTest(stream, stream, comparison, 1, 1, False, "anytime")


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("comparison", [">=", "<="])
@pytest.mark.parametrize("seed", range(4))
def test_finds_the_crossing_of_the_martingale(
    monkeypatch: pytest.MonkeyPatch, name: str, comparison: Any, seed: int
) -> None:
    n, level = 5000 + 7 * seed, 0.05 * 10.0**-seed
    found = []
    for worth in (0, 10**9):
        monkeypatch.setattr(criterion, "_WORTH_COUNTING", worth)
        test = random_test(name, seed, n, comparison)
        bounds = [Fraction(k, 20) for k in range(21)]
        horizons = (2 * n, n, 1000, 63, 128, 0)
        found.append([
            (test.confirmed_at(bound, level, horizon), test.refuted_at(bound, level, horizon))
            for bound in bounds for horizon in horizons
        ])  # fmt: skip
    assert found[0] == found[1]
    assert any(pair[0] is not None for pair in found[0]) and any(pair[1] is not None for pair in found[0])


def test_entries_of_undeclared_kinds_are_left_to_the_martingale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(criterion, "_WORTH_COUNTING", 0)
    gain = np.random.default_rng(0).integers(0, 10, 500)
    stream = Stream(gain, np.full(500, 9), np.arange(1, 501), ((0, 9), (1, 9), (9, 9)), 0)
    test = SingleTest(stream, stream, ">=", 1, 1, False, "anytime")
    time = test.confirmed_at(Fraction(1, 4), 0.05, 500)
    claim = test.claim(Fraction(1, 4))
    index = claim.confirming(False).crossing(claim.values, math.log(20))
    assert index is not None and time == index + 1
