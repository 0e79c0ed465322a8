"""Corrections, row 11: what a watch promises is about the accepted threshold, not about an estimate."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.evidence.contract import AtMost, Beyond, Claim, Draw, Reading, Study, Words, each
from benchmarks.evidence.ingredients import LEVELS, share_of
from pilotbase.evidence import ConfidenceSequence, WeightedRestart, verdict_of

TRUE_RISK, HORIZON, CASES = 0.08, 20_000, 3000
"""The application errs in 8 % of cases for ever; the plan accepted accuracy ≥ 0.90."""


def ever_red(rng: np.random.Generator, r0: float, alpha: float) -> bool:
    watch = WeightedRestart(r0)
    watch.update((rng.random(HORIZON) < TRUE_RISK).astype(float))
    return watch.ever_reached(1 / alpha)


def watched(reference: Callable[[np.random.Generator], float], alpha: float) -> Draw:
    return each(lambda rng: ever_red(rng, reference(rng), alpha))


def at_the_stop(rng: np.random.Generator) -> float:
    """Return the error rate seen when the trial stopped early."""
    right = rng.random(CASES) >= TRUE_RISK
    _, scored = verdict_of([share_of(right, "0.90", "population")], np.arange(CASES), LEVELS)
    return max(1 - float(right[:scored].mean()), 1 / (scored + 1))


def of_500(rng: np.random.Generator) -> float:
    return max(float((rng.random(500) < TRUE_RISK).mean()), 1 / 501)


def upper_bound(rng: np.random.Generator) -> float:
    """Return the upper bound of the error rate after 500 cases from a sequence with δ = 0.025 on that side."""
    errors = (rng.random(500) < TRUE_RISK).astype(np.int64)
    return ConfidenceSequence(0.05, (0, 1)).update(errors).upper


CLAIM = Claim(
    id="watch-threshold",
    source="corrections, row 11",
    title=Words("A watch is armed with the accepted threshold", "监测以通过时的阈值为准"),
    sentence=Words(
        "A watch that takes the estimated risk for the true one turns red for nothing in about two of five services; "
        "with the accepted threshold plus tolerance, or an upper bound whose δ is added, it holds its promise.",
        "若监测把风险的估计值当作真值，五个服务中约有两个会无故变红；改用通过时的阈值加容差，或使用上界并计入其 δ，"
        "则兑现承诺。",
    ),
    assumes=Words(
        "Given the past, the risk of each case stays at most r0. The promise: P(ever red) ≤ α; with a bound, ≤ α + "
        "δ, here 0.025 + 0.025. The verdict itself was right.",
        "在给定过去的条件下，每个案例的风险始终不超过 r0。承诺：曾经变红的概率 ≤ α；使用上界时 ≤ α + δ，此处为 0.025 "
        "+ 0.025。且通过的结论本身正确。",
    ),
    studies=(
        Study(
            watched(at_the_stop, 0.05),
            (Reading("r0 = error rate at the early stop: red", "wrong", Beyond(0.05), 0.48),),
            1000,
            16,
            25,
        ),
        Study(
            watched(of_500, 0.05),
            (Reading("r0 = error rate of 500 cases: red", "wrong", Beyond(0.05), 0.39),),
            1000,
            16,
            25,
        ),
        Study(
            watched(lambda _: 0.10 + 0.02, 0.05),
            (Reading("r0 = threshold 0.10 + tolerance 0.02: red", "ours", AtMost(0.05), 0.0),),
            1000,
            4,
            25,
        ),
        Study(
            watched(upper_bound, 0.025),
            (Reading("r0 = anytime upper bound, δ 0.025: red", "ours", AtMost(0.05), 0.014),),
            1000,
            4,
            25,
        ),
    ),
    note="True risk 0.08 throughout, watched for 20,000 cases by the weighted-restart e-process.",
)
