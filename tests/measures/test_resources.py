"""Measures of a run: exact figures, time-outs count, what was not measured never passes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from pilotbase.documents.criteria import parse_rule
from pilotbase.evidence import CriterionDecision, CriterionPlan, Levels, decide
from pilotbase.measures import RuleContext, RunMeasurements, observe_run, problems_of
from pilotbase.measures.resources import Exchanged
from pilotbase.trial.scoring import plan_run

RUN = RunMeasurements(np.array([0.010] * 96 + [0.200] * 4), 5000, 2.0, cpu_seconds=1.5, peak_bytes=300 << 20)
LEVELS = Levels(Fraction(1, 20), Fraction(1, 20))


def judged(source: str, run: RunMeasurements = RUN) -> tuple[str, float | None]:
    rule = parse_rule(source)
    plan = CriterionPlan(
        source, observe_run(rule, run), rule.comparison, Fraction(rule.threshold), "run", unit="request", run=True
    )
    found = decide([plan], np.arange(0), LEVELS).criteria[0]
    return found.verdict, found.estimate


@pytest.mark.parametrize(
    ("rule", "verdict", "value"),
    [
        ("latency.p50 <= 10 ms", "pass", 0.010),
        ("latency.p95 <= 10 ms", "pass", 0.010),
        ("latency.p99 <= 10 ms", "fail", 0.200),
        ("latency.max <= 200 ms", "pass", 0.200),
        ("latency.max <= 199 ms", "fail", 0.200),
        ("memory.peak <= 300 MiB", "pass", 300 << 20),
        ("memory.peak <= 299 MiB", "fail", 300 << 20),
        ("throughput >= 2500 cases/s", "pass", 2500.0),
        ("throughput >= 2501 cases/s", "fail", 2500.0),
        ("cpu.per_case <= 300 us", "pass", 0.0003),
        ("cpu.per_case <= 299 us", "fail", 0.0003),
    ],
)
def test_figures_of_a_run(rule: str, verdict: str, value: float) -> None:
    found = judged(rule)
    assert found[0] == verdict
    assert found[1] == pytest.approx(value)


def test_a_timed_out_request_is_slower_than_any_limit() -> None:
    timed_out = RunMeasurements(np.array([0.01] * 9 + [np.inf]), 10, 1.0)
    assert judged("latency.max <= 3600 s", timed_out)[0] == "fail"
    assert judged("latency.p95 <= 3600 s", timed_out)[0] == "fail"
    assert judged("latency.p50 <= 10 ms", timed_out)[0] == "pass"
    assert judged("latency.max <= 3600 s", RunMeasurements(np.array([0.01, np.nan]), 2, 1.0))[0] == "fail"


@pytest.mark.parametrize(
    "rule",
    [
        "latency.p95 <= 1 s",
        "latency.max <= 1 s",
        "memory.peak <= 1 GiB",
        "cpu.per_case <= 1 s",
        "throughput >= 1 cases/s",
    ],
)
def test_what_was_not_measured_never_passes(rule: str) -> None:
    assert judged(rule, RunMeasurements(np.array([]), 0, 0.0)) == ("not_measured", None)


def exchanged(**changed: object) -> RunMeasurements:
    counts: dict[str, object] = {"whole": (19, 20), "faulty": (30, 30), "stop_seconds": 0.5, **changed}
    return replace(RUN, exchanged=Exchanged(**counts))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rule", "run", "verdict", "value"),
    [
        ("exchanges.kept >= 95 %", exchanged(), "pass", 0.95),
        ("exchanges.kept >= 100 %", exchanged(), "fail", 0.95),
        ("pipeline.kept >= 100 %", exchanged(), "pass", 1.0),
        ("stop.seconds <= 500 ms", exchanged(), "pass", 0.5),
        ("stop.seconds <= 499 ms", exchanged(), "fail", 0.5),
        ("stop.seconds <= 500 ms", exchanged(stop_seconds=None), "not_measured", None),
        ("pipeline.kept >= 0 %", exchanged(faulty=(0, 0)), "not_measured", None),
        ("exchanges.kept >= 0 %", RUN, "not_measured", None),
    ],
)
def test_exchanges_are_counted_and_nothing_is_said_where_nothing_was_sent(
    rule: str, run: RunMeasurements, verdict: str, value: float | None
) -> None:
    assert judged(rule, run) == (verdict, value)


def test_what_never_stopped_fails() -> None:
    assert judged("stop.seconds <= 99999 s", exchanged(stop_seconds=float("inf")))[0] == "fail"


def slow_spells(rng: np.random.Generator, share: float, requests: int = 8000, spell: int = 20) -> np.ndarray:
    """Return latencies whose blocks of 20 requests are slow as a whole, ``share`` of them."""
    return np.repeat(np.where(rng.random(requests // spell) < share, 0.5, 0.05), spell)


def by_blocks(source: str, latencies: np.ndarray) -> CriterionDecision:
    run = RunMeasurements(latencies, len(latencies), float(latencies.sum()))
    return decide([plan_run(source, parse_rule(source), run)], np.arange(0), LEVELS).criteria[0]


@pytest.mark.prove
def test_by_blocks_latency_and_throughput_are_accepted_falsely_as_rarely_as_stated() -> None:
    """At the border, in spells of a whole block: requests taken as independent pass, or fail, every second time."""
    rng, sets = np.random.default_rng(5), 2000
    wrong = {"latency.p95(requests=20) <= 100 ms": 0, "throughput(requests=20) >= 10 cases/s": 0}
    for _ in range(sets):
        for source in wrong:
            latencies = slow_spells(rng, 0.05 if source.startswith("latency") else 1 / 9)
            wrong[source] += by_blocks(source, latencies).verdict == "pass"
    assert max(wrong.values()) / sets <= 0.05 + 3 * (0.0475 / sets) ** 0.5


def test_by_blocks_a_run_says_what_it_promises() -> None:
    rng = np.random.default_rng(6)
    found = by_blocks("latency.p95(requests=20) <= 100 ms", slow_spells(rng, 0.01))
    assert (found.verdict, found.guarantee, found.unit, found.used) == ("pass", "exact_fixed", "request_block", 400)
    assert found.claim.code == "evidence.claim.blocks"
    served = by_blocks("throughput(requests=20) >= 8 cases/s", slow_spells(rng, 0.01))
    assert (served.verdict, served.guarantee) == ("pass", "exact_fixed")
    assert by_blocks("latency.p95(requests=20) <= 100 ms", slow_spells(rng, 0.2)).verdict == "fail"
    assert by_blocks("latency.p95(requests=20) <= 100 ms", slow_spells(rng, 0.0, 1000)).verdict == "inconclusive"


def test_a_stall_does_not_hide_behind_the_cap_of_a_block() -> None:
    rng, accepted = np.random.default_rng(7), 0
    for _ in range(20):
        latencies = np.repeat(np.where(rng.random(400) < 0.005, 30.0, 0.0071), 20)
        found = by_blocks("throughput(requests=20) >= 100 cases/s", latencies)
        accepted += found.verdict == "pass"
        assert found.estimate == pytest.approx(len(latencies) / latencies.sum())
        assert found.verdict != "pass" or found.estimate >= 100
        assert found.claim.code == "evidence.claim.blocks_capped" and "10 times" in found.claim.render("en")
    assert accepted <= 5, "only runs without a stall: one in seven"
    stalled = by_blocks("throughput(requests=20) >= 100 cases/s", np.array([0.0071] * 7999 + [np.nan]))
    assert (stalled.verdict, stalled.estimate) == ("inconclusive", 0.0)


def test_a_block_has_a_length_and_only_what_has_blocks_takes_one() -> None:
    context = RuleContext("label")
    for rule in (
        "latency.p95(requests=0.5) <= 1 s",
        "latency.p95(cases=3) <= 1 s",
        "memory.peak(requests=2) <= 1 GiB",
    ):
        assert len(problems_of(parse_rule(rule), context)) == 1, rule
