"""Corrections, row 8: latency is judged on a full run, in blocks of time."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from benchmarks.evidence.contract import (
    AtMost,
    Between,
    Beyond,
    Claim,
    Condition,
    Reading,
    Shown,
    Study,
    Words,
    column,
    each,
)
from benchmarks.evidence.ingredients import ALPHA, LEVELS
from pilotbase.documents.criteria import parse_rule
from pilotbase.evidence import CriterionPlan, MeanMartingale, decide
from pilotbase.measures import RunMeasurements, observe_run
from pilotbase.trial.scoring import plan_run

REQUESTS, BURST = 20_000, 200
"""Requests of a full run at 100 a second, and how long a slow spell lasts on average."""
SLOW = 0.10
HELD = AtMost(0.05)
RULE = parse_rule("latency.p95 <= 100 ms")


def run_of(rng: np.random.Generator) -> np.ndarray:
    """Return latencies in seconds: slow 10 % of the time, in spells; the 95th percentile is beyond 100 ms."""
    spells = int(4 * REQUESTS / BURST) + 8
    lengths = np.where(
        np.arange(spells) % 2 == 1, rng.geometric(1 / BURST, spells), rng.geometric(SLOW / (1 - SLOW) / BURST, spells)
    )
    slow = np.repeat(np.arange(spells) % 2 == 1, lengths)
    start = rng.integers(0, len(slow) // 4)
    chosen = slow[start : start + REQUESTS]
    return np.where(chosen, 0.5, 0.05)


def by_request(rng: np.random.Generator) -> list[float]:
    """Return whether the requests, taken as independent and watched, pass, and after how many."""
    within = (run_of(rng) <= 0.1).astype(int)
    at = MeanMartingale.with_replacement(Fraction(95, 100), 0).crossing(within, math.log(1 / ALPHA))
    refuted = MeanMartingale.with_replacement(Fraction(-95, 100), -1).crossing(-within, math.log(1 / ALPHA))
    passed = at is not None and (refuted is None or at < refuted)
    return [float(passed), at + 1 if passed and at is not None else np.nan]


def whole_run(rng: np.random.Generator) -> bool:
    latencies = run_of(rng)
    observation = observe_run(RULE, RunMeasurements(latencies, len(latencies), len(latencies) / 100))
    plan = CriterionPlan(str(RULE), observation, "<=", Fraction(1, 10), "run", "run", run=True)
    missed = bool(np.quantile(latencies, 0.95, method="inverted_cdf") > 0.1)
    return missed and decide([plan], np.zeros(0, dtype=np.int64), LEVELS).verdict == "accept"


def passes(rule: str, latencies: np.ndarray) -> bool:
    run = RunMeasurements(latencies, len(latencies), float(latencies.sum()))
    return decide([plan_run(rule, parse_rule(rule), run)], np.zeros(0, dtype=np.int64), LEVELS).verdict == "accept"


def in_blocks(rng: np.random.Generator, share: float) -> np.ndarray:
    """Return 400 blocks of 20 requests, a ``share`` of which is slow as a whole."""
    return np.repeat(np.where(rng.random(400) < share, 0.5, 0.05), 20)


def blocks(label: str, rule: str, share: float, condition: Condition = HELD) -> Study:
    def draw(rng: np.random.Generator) -> bool:
        return passes(rule, in_blocks(rng, share))

    return Study(each(draw), (Reading(label, "ours", condition),), 1000, 30)


LATENCY, THROUGHPUT = "latency.p95(requests=20) <= 100 ms", "throughput(requests=20) >= 10 cases/s"


CLAIM = Claim(
    id="latency-blocks",
    source="corrections, row 8",
    title=Words("Latency and throughput: the full load, in blocks", "时延与吞吐：跑满全部负载，按块计"),
    sentence=Words(
        "Requests taken as independent, with a stop as soon as the evidence suffices, pass a p95 that is exceeded a "
        "tenth of the time: the run ends before the first slow spell. A full run does not, and blocks of it hold α.",
        "若把请求视为相互独立、证据一够就停，则有十分之一时间超限的 p95 也会通过：运行在第一次变慢之前就结束了。"
        "跑满全部负载则不会，按块计时误判概率不超过 α。",
    ),
    assumes=Words(
        "Run: the claim is about the run that was measured. Blocks (of 20 requests): given the earlier ones, a "
        "block is expected to be as slow as the service is, so blocks must be long against slow spells; nothing is "
        "claimed outside the load.",
        "“本次运行”：结论只针对实测的运行。块（20 个请求）：给定此前各块，每块的期望不优于限值，"
        "因此块长须远大于变慢的持续时间；对负载之外不作声明。",
    ),
    studies=(
        Study(
            each(by_request),
            (
                Reading("requests as units, early stop: accepted", "wrong", Beyond(0.05), 0.91, column(0)),
                Reading(
                    "… median request at which it stopped", "fact", Shown(), 112,
                    column(1, lambda values: float(np.median(values))), share=False,
                ),
            ),
            2000,
            100,
        ),
        Study(each(whole_run), (Reading("whole run: accepted though it missed", "ours", AtMost(0.0), 0.0),), 1000, 30),
        blocks("blocks of requests, 5 % of them slow exactly: accepted", LATENCY, 0.05),
        blocks("… 1 % of them slow: accepted", LATENCY, 0.01, Between(0.8, 1.0)),
        blocks("blocks, at the throughput exactly: accepted", THROUGHPUT, 1 / 9),
        blocks("… at 1.36 times the throughput: accepted", THROUGHPUT, 0.05, Between(0.8, 1.0)),
    ),
    note="20,000 requests; slow in spells of 200 requests on average, a tenth of the time.",
)  # fmt: skip
