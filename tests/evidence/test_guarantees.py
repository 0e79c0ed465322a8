"""The promises by simulation: how often a procedure is wrong when it must not be, and that the tempting way is wrong.

Rows of the corrections table (statistics.md) are named in the tests. Seeds are fixed; a bound of α + 3 standard errors
is a bound that a sound procedure misses about once in a thousand seeds. Long versions are marked ``prove``.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from pilotbase.evidence import CriterionPlan, Levels, draw_order, verdict_of
from pilotbase.measures.observation import MeasurePart, Observation

ALPHA = Fraction(1, 20)
LEVELS = Levels(ALPHA, ALPHA)
BINARY = ((0, 1), (1, 1))
F1 = ((2, 2), (0, 1), (0, 1))

Runs = pytest.mark.parametrize("runs", [100, pytest.param(20_000, marks=pytest.mark.prove)])


def at_most(count: int, runs: int, alpha: float = 0.05) -> bool:
    return count / runs <= alpha + 3 * math.sqrt(alpha * (1 - alpha) / runs)


def share(right: Any, bound: str, estimand: Any = "hidden_set", **how: Any) -> CriterionPlan:
    right = np.asarray(right, dtype=np.int64)
    part = MeasurePart(right, np.ones(len(right), dtype=np.int64), BINARY)
    return CriterionPlan("accuracy", Observation("single", (part,)), ">=", Fraction(bound), estimand, **how)


def verdicts(make: Any, runs: int) -> dict[str, int]:
    """Return how often each verdict came; ``make(rng)`` gives (criteria, order)."""
    counts = {"accept": 0, "reject": 0, "inconclusive": 0}
    for seed in range(runs):
        criteria, order = make(np.random.default_rng(seed))
        counts[verdict_of(criteria, order, LEVELS)[0]] += 1
    return counts


@Runs
def test_false_accept_just_below_the_boundary_of_a_hidden_set(runs: int) -> None:
    right = np.array([1] * 899 + [0] * 101)
    found = verdicts(lambda rng: ([share(right, "0.90")], rng.permutation(1000)), runs)
    assert at_most(found["accept"], runs)
    assert found["inconclusive"] == 0


@Runs
def test_false_reject_exactly_at_the_boundary_of_a_hidden_set(runs: int) -> None:
    """A tie: 900 of 1000 meets 0.90; a float comparison rejected 85 to 90 % of these."""
    right = np.array([1] * 900 + [0] * 100)
    found = verdicts(lambda rng: ([share(right, "0.90")], rng.permutation(1000)), runs)
    assert at_most(found["reject"], runs)
    assert found["inconclusive"] == 0


@Runs
def test_both_errors_at_the_boundary_of_a_population(runs: int) -> None:
    found = verdicts(lambda rng: ([share(rng.random(1500) < 0.9, "0.90", "population")], np.arange(1500)), runs)
    assert at_most(found["accept"], runs)
    assert at_most(found["reject"], runs)


def test_an_order_known_beforehand_breaks_everything_a_committed_one_does_not() -> None:
    """Row 1: 99 % right on the first 400 cases, then a coin."""

    def known(rng: np.random.Generator) -> Any:
        right = np.concatenate((rng.random(400) < 0.99, rng.random(3600) < 0.5))
        return [share(right, "0.90")], np.arange(4000)

    def committed(rng: np.random.Generator) -> Any:
        criteria, _ = known(rng)
        return criteria, draw_order(4000, rng.bytes(16))

    assert verdicts(known, 40)["accept"] == 40
    assert verdicts(committed, 40)["accept"] == 0


@pytest.mark.prove
def test_attempts_on_fresh_cases_with_falling_levels() -> None:
    """Row 2: twenty suppliers at the boundary; with α each some false accept is likely, with α_j it is not."""
    some = {"each": 0, "falling": 0}
    for seed in range(60):
        rng = np.random.default_rng(seed)
        accepted = {"each": False, "falling": False}
        for attempt in range(1, 21):
            right = rng.random(400) < 0.895
            for how, divisor in (("each", 1), ("falling", attempt * (attempt + 1))):
                levels = Levels(ALPHA / divisor, ALPHA)
                plan = share(right, "0.90", "population")
                accepted[how] |= verdict_of([plan], np.arange(400), levels)[0] == "accept"
        for how, any_accepted in accepted.items():
            some[how] += any_accepted
    assert at_most(some["falling"], 60)
    assert some["each"] > some["falling"]


def test_strata_one_after_the_other_break_it_shuffling_all_does_not() -> None:
    """Row 3: an easy stratum scored first."""
    right = np.concatenate((np.ones(500), np.random.default_rng(0).random(500) < 0.6)).astype(int)
    blocks = verdicts(
        lambda rng: ([share(right, "0.90")], np.concatenate((rng.permutation(500), 500 + rng.permutation(500)))), 40
    )
    shuffled = verdicts(lambda rng: ([share(right, "0.90")], rng.permutation(1000)), 40)
    assert (blocks["accept"], shuffled["accept"]) == (40, 0)


def test_pairs_for_auc_stay_within_alpha_for_a_population() -> None:
    """Row 6: independent pairs at the boundary."""

    def pairs(rng: np.random.Generator) -> Any:
        gain = 2 * (rng.random(600) < 0.8).astype(np.int64)
        part = MeasurePart(gain, np.full(600, 2), ((0, 2), (1, 2), (2, 2)))
        return [CriterionPlan("auc", Observation("single", (part,)), ">=", Fraction("0.80"), "population")], np.arange(
            600
        )

    found = verdicts(pairs, 300)
    assert at_most(found["accept"], 300)


def test_clusters_as_units_hold_cases_as_units_do_not() -> None:
    """Row 7: ten cases of a patient right or wrong together; true case accuracy 0.86 against 0.90."""

    def run(rng: np.random.Generator, by_cluster: bool) -> bool:
        right = np.repeat(rng.random(60) < 0.86, 10)
        units = np.repeat(np.arange(60), 10)
        plan = share(right, "0.90", "population", units=units if by_cluster else None)
        return verdict_of([plan], draw_order(600, rng.bytes(8), units), LEVELS)[0] == "accept"

    cases = sum(run(np.random.default_rng(seed), False) for seed in range(200))
    clusters = sum(run(np.random.default_rng(seed), True) for seed in range(200))
    assert not at_most(cases, 200)
    assert at_most(clusters, 200)


def test_of_a_population_every_cluster_counts_the_same() -> None:
    """Large clusters are worse: the mean over clusters is 0.91, whatever the sizes; just missed, it is not accepted."""

    def run(rng: np.random.Generator) -> Any:
        sizes = rng.choice([1, 9], 400)
        right = np.concatenate([np.full(size, rng.random() < (0.98 if size == 1 else 0.84)) for size in sizes])
        units = np.repeat(np.arange(400), sizes)
        order = draw_order(len(units), rng.bytes(8), units)
        return [share(right, "0.911", "population", units=units)], order

    assert at_most(verdicts(run, 60)["accept"], 60)


@Runs
def test_intersection_union_needs_no_correction_to_accept(runs: int) -> None:
    """Row 9: one of five criteria fails, exactly at the boundary; the overall accept still carries α."""

    def five(rng: np.random.Generator) -> Any:
        good = [share(rng.random(800) < 0.99, "0.90", "population") for _ in range(4)]
        return [*good, share(rng.random(800) < 0.9, "0.90", "population")], np.arange(800)

    assert at_most(verdicts(five, runs)["accept"], runs)


@Runs
def test_rejecting_shares_alpha_among_the_criteria(runs: int) -> None:
    def ten(rng: np.random.Generator) -> Any:
        return [share(rng.random(400) < 0.9, "0.90", "population") for _ in range(10)], np.arange(400)

    assert at_most(verdicts(ten, runs)["reject"], runs)


def f1_plan(kinds: np.ndarray, bound: str, estimand: Any) -> CriterionPlan:
    """Return an F1 criterion on cases that are 0 = hit, 1 = miss or false alarm, 2 = true negative."""
    gain, weight = np.array([2, 0, 0])[kinds], np.array([2, 1, 0])[kinds]
    return CriterionPlan("f1", Observation("single", (MeasurePart(gain, weight, F1),)), ">=", Fraction(bound), estimand)


@Runs
def test_f1_linearised_on_a_hidden_set(runs: int) -> None:
    """400 hits and 200 errors: F1 = 800 / 1000 is met; one error more is not."""
    met = np.array([0] * 400 + [1] * 200 + [2] * 900)
    missed = np.array([0] * 400 + [1] * 201 + [2] * 899)
    true = verdicts(lambda rng: ([f1_plan(met, "0.80", "hidden_set")], rng.permutation(1500)), runs)
    false = verdicts(lambda rng: ([f1_plan(missed, "0.80", "hidden_set")], rng.permutation(1500)), runs)
    assert at_most(true["reject"], runs)
    assert at_most(false["accept"], runs)
    assert true["inconclusive"] == false["inconclusive"] == 0


@Runs
def test_f1_linearised_for_a_population(runs: int) -> None:
    shares = np.array([0.2, 0.1, 0.7])  # F1 = 0.4 / 0.5 exactly

    def draw(rng: np.random.Generator) -> Any:
        return [f1_plan(rng.choice(3, 1500, p=shares), "0.80", "population")], np.arange(1500)

    found = verdicts(draw, runs)
    assert at_most(found["accept"], runs)
    assert at_most(found["reject"], runs)


def test_real_values_at_the_boundary() -> None:
    """Capped errors with mean exactly 1/4 of the cap."""

    def draw(rng: np.random.Generator) -> Any:
        gain = np.rint(rng.beta(1, 3, 800) * 10**9).astype(np.int64)
        part = MeasurePart(gain, np.full(800, 10**9), ((0, 10**9), (1, 10**9), (10**9, 10**9)))
        return [CriterionPlan("mae", Observation("single", (part,)), "<=", Fraction("0.25"), "population")], np.arange(
            800
        )

    found = verdicts(draw, 300)
    assert at_most(found["accept"], 300)
    assert at_most(found["reject"], 300)


def test_power_is_what_was_measured() -> None:
    """Median stop for 0.95 against 0.90 on 10,000 hidden cases: 316 in the reference, 0.025 a side."""
    right = np.array([1] * 9500 + [0] * 500)
    levels = Levels(Fraction(1, 40), Fraction(1, 40))
    stops = []
    for seed in range(120):
        verdict, scored = verdict_of([share(right, "0.90")], np.random.default_rng(seed).permutation(10_000), levels)
        assert verdict == "accept"
        stops.append(scored)
    assert 250 < np.median(stops) < 390


@pytest.mark.prove
def test_a_gap_beyond_the_bound_is_never_accepted_at_length() -> None:
    from_gap = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        group = rng.integers(0, 2, 1500)
        right = rng.random(1500) < np.where(group == 0, 0.9, 0.8)
        parts = tuple(
            MeasurePart((right & (group == g)).astype(np.int64), (group == g).astype(np.int64), BINARY) for g in (0, 1)
        )
        plan = CriterionPlan("gap", Observation("gap", parts), "<=", Fraction("0.10"), "population")
        from_gap += verdict_of([plan], np.arange(1500), LEVELS)[0] == "accept"
    assert at_most(from_gap, 400)
