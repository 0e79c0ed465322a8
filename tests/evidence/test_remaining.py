"""A prediction of what is still to come covers what comes, as often as it says: simulated with fixed seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from pilotbase.evidence.remaining import CONFIDENCE, Predicted, predict_next, predict_sum

Floats = NDArray[np.float64]
Process = Callable[[np.random.Generator, int], Floats]


def _correlated(phi: float, spread: float) -> Process:
    """Return durations whose logarithms are an autoregression of first order: a slow machine stays slow for a while."""

    def draw(random: np.random.Generator, count: int) -> Floats:
        noise = random.standard_normal(count) * math.sqrt(1 - phi * phi)
        logs = np.empty(count)
        logs[0] = random.standard_normal()
        for at in range(1, count):
            logs[at] = phi * logs[at - 1] + noise[at]
        return np.exp(spread * logs)

    return draw


PROCESSES: Mapping[str, Process] = {
    "steady": lambda random, count: 1 + 0.05 * random.standard_normal(count),
    "exponential": lambda random, count: random.exponential(1.0, count),
    "lognormal, σ 1": lambda random, count: np.exp(random.standard_normal(count)),
    "correlated 0.5": _correlated(0.5, 0.5),
    "correlated 0.8": _correlated(0.8, 0.5),
    "one in ten takes ten times": lambda random, count: np.where(random.random(count) < 0.1, 10.0, 1.0),
}
BEYOND: Mapping[str, Process] = {
    "one in a hundred takes fifty times": lambda random, count: np.where(random.random(count) < 0.01, 50.0, 1.0),
}
"""What the first thirty do not show, no interval can know: the docs say so."""


def _covered(process: Process, seen: int, more: int, rounds: int, seed: int = 11) -> tuple[float, float]:
    """Return how often the sum lay within the interval, and how often at most at its upper end."""
    random, within, below = np.random.default_rng(seed), 0, 0
    for _ in range(rounds):
        values = process(random, seen + more)
        found, came = predict_sum(values[:seen].tolist(), more), float(values[seen:].sum())
        within += found.low <= came <= found.high
        below += came <= found.high
    return within / rounds, below / rounds


@pytest.mark.parametrize("name", ["steady", "lognormal, σ 1", "correlated 0.5"])
def test_the_interval_covers_what_comes_as_often_as_it_says(name: str) -> None:
    within, _ = _covered(PROCESSES[name], 30, 600, 400)
    assert within > CONFIDENCE - 2 * math.sqrt(0.9 * 0.1 / 400)


@pytest.mark.prove
@pytest.mark.parametrize("seen", [30, 60, 120])
@pytest.mark.parametrize("name", PROCESSES)
def test_coverage_holds_for_skewed_and_correlated_durations(name: str, seen: int) -> None:
    within, below = _covered(PROCESSES[name], seen, 20 * seen, 3000)
    noise = 2 * math.sqrt(0.9 * 0.1 / 3000)
    assert within > CONFIDENCE - 0.02 - noise, f"{name}: {within:.3f}"
    assert below > CONFIDENCE - noise, f"{name}: {below:.3f} below the upper end"


def test_what_was_never_seen_is_not_covered_and_the_test_can_tell() -> None:
    """The simulation can fail: a burst that the first thirty do not show is missed."""
    within, _ = _covered(BEYOND["one in a hundred takes fifty times"], 30, 600, 200)
    assert within < 0.5


def test_steady_durations_are_told_closely_and_lone_ones_not_at_all() -> None:
    steady = predict_sum([1.0 + 0.01 * (at % 3) for at in range(30)], 1000)
    assert steady.high / steady.low < 1.02
    assert steady.low <= 1010 <= steady.high
    assert predict_sum([2.0], 10) == Predicted(0.0, 20.0, math.inf)
    assert predict_sum([2.0, 2.0], 0) == Predicted(0.0, 0.0, 0.0)
    assert predict_sum([2.0, 2.0, 2.0], 2.5) == Predicted(5.0, 5.0, 5.0)


def test_durations_that_hang_together_are_told_less_closely_than_independent_ones() -> None:
    values = np.random.default_rng(3).exponential(1.0, 60)
    apart, together = predict_sum(values.tolist(), 600), predict_sum(sorted(values.tolist()), 600)
    assert together.high > 1.5 * apart.high
    assert together.expected == pytest.approx(apart.expected)


def test_the_next_of_independent_values_is_covered_exactly_where_their_logarithms_are_normal() -> None:
    random, rounds = np.random.default_rng(5), 2000
    values = np.exp(random.standard_normal((rounds, 6)))
    found = [predict_next(row[:5].tolist()) for row in values]
    within = sum(one.low <= row[5] <= one.high for one, row in zip(found, values, strict=True)) / rounds
    assert abs(within - CONFIDENCE) < 0.02
    assert predict_next([1.0, 2.0]).high == math.inf
    assert predict_next([]) == Predicted(0.0, 0.0, math.inf)
