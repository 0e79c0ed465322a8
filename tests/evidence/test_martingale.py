"""The primitive: what a bet pays, that batching and storing change nothing, and that ties are exact."""

from __future__ import annotations

import json
import math
import warnings
from dataclasses import asdict
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotbase.evidence.lattice import MeanClaim
from pilotbase.evidence.martingale import FRACTIONS, MartingaleState, MeanMartingale

LOG_20 = math.log(20)


def by_hand(values: list[int], null: Fraction, low: int, size: int | None) -> float:
    """Multiply the bets with plain numbers, from the definition."""
    capitals, total = [1.0] * len(FRACTIONS), 0
    for t, value in enumerate(values):
        mean = null if size is None else Fraction(null - total, size - t)
        capitals = [
            c * (1 + float(f) * float(Fraction(value - mean) / (mean - low)))
            for c, f in zip(capitals, FRACTIONS, strict=True)
        ]
        total += value
    return math.log(sum(capitals) / len(capitals))


def test_equals_the_product_of_bets_with_replacement() -> None:
    values = [1, 0, 1, 1, 0, 1, 1, 1]
    martingale = MeanMartingale.with_replacement(Fraction(3, 5), 0)
    martingale.update(np.array(values))
    assert martingale.log_capital == pytest.approx(by_hand(values, Fraction(3, 5), 0, None), abs=1e-12)


def test_equals_the_product_of_bets_without_replacement_for_any_integers() -> None:
    values = [3, -2, 1, 0, 2, -1]
    martingale = MeanMartingale.without_replacement(4, 30, -2)
    martingale.update(np.array(values))
    assert martingale.log_capital == pytest.approx(by_hand(values, Fraction(4), -2, 30), abs=1e-12)


def test_fifty_five_right_answers_in_a_row_show_ninety_percent() -> None:
    martingale = MeanMartingale.with_replacement(Fraction(9, 10), 0)
    assert martingale.crossing(np.ones(200, dtype=np.int64), LOG_20) == 54


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.lists(st.integers(1, 400), min_size=1, max_size=6))
def test_batches_do_not_matter(seed: int, finite: bool, cuts: list[int]) -> None:
    values = np.random.default_rng(seed).integers(0, 4, 1500)

    def fresh() -> MeanMartingale:
        if finite:
            return MeanMartingale.without_replacement(2300, 3000, 0)
        return MeanMartingale.with_replacement(Fraction(3, 2), 0)

    whole = fresh()
    path = whole.update(values)
    pieces, parts, rest = fresh(), [], values
    for cut in cuts:
        parts.append(pieces.update(rest[:cut]))
        rest = rest[cut:]
    parts.append(pieces.update(rest))
    assert np.array_equal(np.concatenate(parts), path)
    assert pieces.state == whole.state


def test_a_stored_state_resumes() -> None:
    values = np.random.default_rng(1).integers(0, 2, 400)
    straight = MeanMartingale.without_replacement(600, 1000, 0)
    straight.update(values)
    first = MeanMartingale.without_replacement(600, 1000, 0)
    first.update(values[:137])
    stored = json.loads(json.dumps(asdict(first.state)))
    state = MartingaleState(**{**stored, "log_capitals": tuple(stored["log_capitals"])})
    resumed = MeanMartingale.without_replacement(600, 1000, 0, state)
    resumed.update(values[137:])
    assert resumed.state == straight.state


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    finite=st.booleans(),
    null=st.sampled_from([Fraction(1, 10**13), Fraction(1, 50), Fraction(1, 4), Fraction(2, 3)]),
    high=st.sampled_from([1, 7, 10**6]),
    size=st.integers(1, 2000),
)
def test_the_level_is_crossed_where_the_path_of_the_capital_reaches_it(
    seed: int, finite: bool, null: Fraction, high: int, size: int
) -> None:
    """Products of a block stand for its values, also where one factor is a million million."""
    values = np.random.default_rng(seed).integers(0, high, size, endpoint=True)

    def fresh() -> MeanMartingale:
        if finite:
            return MeanMartingale.without_replacement(int(null * high * size), size, 0)
        return MeanMartingale.with_replacement(null * high, 0)

    path = fresh().update(values)
    for level in (0.5, LOG_20, 20.0, float(path[size // 2]) - 1e-9):
        reached = np.flatnonzero(path >= level)
        assert fresh().crossing(values, level) == (int(reached[0]) if len(reached) else None)


def test_the_capital_does_not_depend_on_the_future() -> None:
    rng = np.random.default_rng(2)
    values = rng.integers(0, 2, 300)
    shuffled = np.concatenate((values[:100], rng.permutation(values[100:])))
    one, two = (MeanMartingale.without_replacement(180, 300, 0).update(v) for v in (values, shuffled))
    assert np.array_equal(one[:100], two[:100])


def test_a_million_losing_bets_neither_overflow_nor_vanish() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        martingale = MeanMartingale.with_replacement(Fraction(9, 10), 0)
        martingale.update(np.zeros(10**6, dtype=np.int64))
        assert math.isfinite(martingale.log_capital)
        martingale = MeanMartingale.with_replacement(Fraction(1, 10), 0)
        martingale.update(np.ones(10**6, dtype=np.int64))
        assert martingale.log_capital > 1e6


@pytest.mark.parametrize(("right", "confirmed", "refuted"), [(90, True, False), (89, False, True), (91, True, False)])
def test_a_whole_set_is_decided_exactly_at_the_boundary(right: int, confirmed: bool, refuted: bool) -> None:
    values = np.array([1] * right + [0] * (100 - right))
    claim = MeanClaim(values, 0, 1, Fraction("0.90"))
    # At level infinity only the logical bound decides.
    assert (claim.confirming(True).crossing(values, math.inf) is not None) is confirmed
    assert (claim.refuting(True).crossing(-values, math.inf) is not None) is refuted
    assert claim.holds() is confirmed


def test_the_logical_bound_comes_as_soon_as_it_can() -> None:
    values = np.array([1] * 90 + [0] * 10)
    assert MeanClaim(values, 0, 1, Fraction("0.9")).confirming(True).crossing(values, math.inf) == 89
    wrong_first = values[::-1].copy()
    wrong_first[10] = 0  # 89 right: the eleventh wrong answer settles it
    assert MeanClaim(wrong_first, 0, 1, Fraction("0.9")).refuting(True).crossing(-wrong_first, math.inf) == 10


def test_thresholds_are_exact_decimals() -> None:
    # 0.07 * 100 is 7.000000000000001 in floats: seven of a hundred must pass.
    values = np.array([1] * 7 + [0] * 93)
    assert MeanClaim(values, 0, 1, Fraction("0.07")).holds()
    assert MeanClaim(values, 0, 1, Fraction("0.07")).total == 7


def test_a_threshold_at_the_end_of_the_range_is_logic_alone() -> None:
    ones = np.ones(5, dtype=np.int64)
    all_right = MeanClaim(ones, 0, 1, Fraction(1))
    assert all_right.refuting(False).crossing(-ones, LOG_20) is None
    assert all_right.refuting(False).crossing(-np.array([1, 1, 0, 1, 1]), LOG_20) == 2
    assert all_right.confirming(False).crossing(np.ones(1000, dtype=np.int64), LOG_20) is None
    assert MeanClaim(ones, 0, 1, Fraction(0)).confirming(True).crossing(ones, LOG_20) == 0


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**32 - 1),
    st.fractions(Fraction(1, 10), Fraction(9, 10), max_denominator=200),
    st.fractions(Fraction(1, 10), Fraction(9, 10), max_denominator=200),
)
def test_evidence_above_a_bound_falls_as_the_bound_rises(seed: int, one: Fraction, two: Fraction) -> None:
    values = np.random.default_rng(seed).integers(0, 2, 120)
    low, high = sorted((one, two))
    for finite in (True, False):
        above_low = MeanClaim(values, 0, 1, low).confirming(finite).update(values[:80])
        above_high = MeanClaim(values, 0, 1, high).confirming(finite).update(values[:80])
        assert (above_low >= above_high - 1e-9).all()


def test_counts_alone_give_the_same_capital() -> None:
    values = np.random.default_rng(3).integers(0, 3, 500)
    counts = np.array([0, 1, 7, 100, 500])
    quick = MeanMartingale.with_replacement(Fraction(1), 0).capitals_at(values, counts)
    path = np.concatenate(([0.0], MeanMartingale.with_replacement(Fraction(1), 0).update(values)))
    assert quick == pytest.approx(path[counts], abs=1e-9)


def test_bets_on_a_linear_grid_would_lose_their_power_near_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trap (decision 3): 0.88 against 0.90 is refuted with log-spaced bets, half as often with equally spaced."""
    rng = np.random.default_rng(5)
    runs = [-(rng.random(5000) < 0.88).astype(np.int64) for _ in range(60)]

    def refuted() -> int:
        level = math.log(40)
        return sum(
            MeanMartingale.with_replacement(Fraction(-9, 10), -1).crossing(values, level) is not None for values in runs
        )

    log_spaced = refuted()
    monkeypatch.setattr("pilotbase.evidence.martingale.FRACTIONS", np.arange(1, 11) / 11)
    assert log_spaced > 50
    assert refuted() < 0.7 * log_spaced
