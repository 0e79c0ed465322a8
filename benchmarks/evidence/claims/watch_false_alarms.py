"""False alarms of the watches on a long healthy run (statistics §2.5; A11)."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from benchmarks.evidence.contract import AtMost, Between, Beyond, Claim, Draw, Reading, Study, Words, column, each
from pilotbase.evidence import MeanMartingale, ShiryaevRoberts, WeightedRestart

R0, STEPS, A = 0.15, 100_000, 10_000


def _draw(risk: float, steps: int) -> Draw:
    def one(rng: np.random.Generator) -> list[float]:
        losses = (rng.random(steps) < risk).astype(np.int64)
        plain = MeanMartingale.with_replacement(Fraction(15, 100), 0).crossing(losses, math.log(20)) is not None
        restart = bool((WeightedRestart(R0).update(losses) >= math.log(20)).any())
        repeated = np.flatnonzero(ShiryaevRoberts(R0).update(losses) >= math.log(A))
        return [plain, restart, float(len(repeated) > 0), float(repeated[0] + 1) if len(repeated) else math.nan]

    return each(one)


CLAIM = Claim(
    id="watch-false-alarms",
    source="statistics, §2.5; A11",
    title=Words("Red is rarely false, for ever", "红色警示极少误报，且长期有效"),
    sentence=Words(
        "While the risk stays at r0, the weighted restart is ever red with probability at most α over any length of "
        "time; e-SR is sure to be at some time, after 1/α′ = 10,000 cases or more on average.",
        "只要风险保持在 r0，加权重启在任意长时间内曾经变红的概率至多为 α；e-SR 迟早会报警，但平均要在 10,000 "
        "例之后。",
    ),
    assumes=Words(
        "Given the past, the risk of each case is at most r0 (here exactly r0, the worst case, or 0.10 below it); "
        "cases need not be identical or independent beyond that.",
        "给定过去，每个案例的风险不超过 r0（此处取恰等于 r0 的最不利情形，或低于它的 0.10）；"
        "除此之外不要求独立同分布。",
    ),
    studies=(
        Study(
            _draw(0.15, STEPS),
            (
                Reading("risk 0.15 = r0: plain e-process ever red", "fact", AtMost(0.05), 0.025, column(0)),
                Reading("risk 0.15 = r0: weighted restart ever red", "ours", AtMost(0.05), 0.025, column(1)),
                Reading("risk 0.15 = r0: e-SR ever at 10⁴", "wrong", Beyond(0.05), 1.0, column(2)),
                Reading("… its mean run length", "ours", Between(A, math.inf), 12_308, column(3), share=False),
            ),
            400, 0, 5,
        ),
        Study(
            _draw(0.10, STEPS),
            (
                Reading("risk 0.10: plain e-process ever red", "fact", AtMost(0.05), 0.0025, column(0)),
                Reading("risk 0.10: weighted restart ever red", "ours", AtMost(0.05), 0.0, column(1)),
                Reading("risk 0.10: e-SR ever at 10⁴", "fact", AtMost(0.2), 0.0375, column(2)),
            ),
            400, 0, 5,
        ),
        Study(
            _draw(0.15, 10_000),
            (Reading("10,000 cases at r0: restart ever red", "ours", AtMost(0.05), None, column(1)),), 1000, 30, 25,
        ),
    ),
    note="100,000 cases, r0 = 0.15; the last row is the short run of the test command.",
)  # fmt: skip
