"""Measures of a run: exact figures, time-outs count, what was not measured never passes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from pilotbase.documents.criteria import parse_rule
from pilotbase.evidence import CriterionPlan, Levels, decide
from pilotbase.measures import RunMeasurements, observe_run
from pilotbase.measures.resources import Exchanged

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
