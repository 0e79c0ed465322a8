"""Latency quantiles: order statistics, blocks, and the burst trap."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from pilotbase.evidence import CriterionPlan, Design, attempt_levels, decide
from pilotbase.measures.observation import MeasurePart, Observation

LEVELS = attempt_levels(Fraction(1, 10), 1)
NANO = 10**9


def latency(milliseconds: np.ndarray, q: str = "0.95") -> Observation:
    gain = (milliseconds * 1_000_000).astype(np.int64)
    part = MeasurePart(gain, np.full(len(gain), NANO), ((0, NANO), (1, NANO), (1 << 60, NANO)))
    return Observation("quantile", (part,), quantile=Fraction(q))


def plan(milliseconds: np.ndarray, **how: object) -> CriterionPlan:
    return CriterionPlan("latency.p95 <= 50 ms", latency(milliseconds), "<=", Fraction("0.05"), run=True, **how)  # type: ignore[arg-type]


def test_on_the_run_itself_the_quantile_is_exact() -> None:
    times = np.array([10.0] * 95 + [80.0] * 5)
    found = decide([plan(times, estimand="run", unit="request")], np.arange(0), LEVELS).criteria[0]
    assert (found.verdict, found.estimate, found.guarantee) == ("pass", 0.01, "measured_run")
    slower = np.array([10.0] * 94 + [80.0] * 6)
    assert decide([plan(slower, estimand="run")], np.arange(0), LEVELS).criteria[0].verdict == "fail"


def test_the_quantile_of_few_requests_rounds_up() -> None:
    """Nine of ten are fewer than 95 %: the p95 is the tenth."""
    found = decide([plan(np.array([10.0] * 9 + [80.0]), estimand="run")], np.arange(0), LEVELS).criteria[0]
    assert (found.verdict, found.estimate) == ("fail", 0.08)


def test_blocks_decide_for_other_times_and_bound_the_quantile() -> None:
    rng = np.random.default_rng(1)
    times = rng.gamma(4, 5, 6000)
    blocks = np.repeat(np.arange(300), 20)
    found = decide(
        [plan(times, estimand="population", unit="request_block", units=blocks)], np.arange(0), LEVELS
    ).criteria[0]
    assert found.verdict == "pass"
    assert (found.used, found.unit, found.guarantee) == (300, "request_block", "exact_fixed")
    assert found.lower is not None and found.upper is not None and found.estimate is not None
    assert found.lower <= found.estimate <= found.upper <= 0.05


@pytest.mark.prove
def test_bursts_are_not_taken_for_independent_requests() -> None:
    """p95 is exceeded 10 % of the time, in bursts: requests as units accept nearly always, time blocks do not."""
    rng, wrong, right = np.random.default_rng(2), 0, 0
    order = np.arange(0)
    for _ in range(60):
        slow = np.zeros(2000, dtype=bool)
        slow[rng.integers(300, 1800) :][:200] = True
        times = np.where(slow, 90.0, 10.0)
        first = latency(times[:300])
        each = CriterionPlan("p95", first, "<=", Fraction("0.05"), estimand="population", run=True)
        wrong += decide([each], order, LEVELS).verdict == "accept"
        blocks = np.repeat(np.arange(40), 50)
        right += decide([plan(times, estimand="population", units=blocks)], order, LEVELS).verdict == "accept"
    assert wrong / 60 > 0.5
    assert right / 60 <= 0.05


def test_a_quantile_cannot_be_asked_from_below() -> None:
    wrong = CriterionPlan("latency.p95 >= 1 s", latency(np.ones(3)), ">=", Fraction(1), run=True)
    with pytest.raises(Exception, match="upper bound"):
        decide([wrong], np.arange(0), LEVELS, Design())
