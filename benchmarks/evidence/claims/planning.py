"""Cases needed at best: a fixed n against any time (corrections, last part)."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from benchmarks.evidence.contract import Between, Claim, Reading, Study, Words, column
from benchmarks.evidence.ingredients import LEVELS, accepted, share_of
from pilotbase.evidence import cases_to_confirm_at_best


def needed(_: np.random.Generator, size: int) -> list[list[float]]:
    bound = Fraction(9, 10)
    fixed, anytime = (cases_to_confirm_at_best(bound, 0.05, method) or 0 for method in ("fixed", "anytime"))
    found = [
        next(n for n in range(1, 200) if accepted(share_of(np.ones(n), "0.90", "population"), None, LEVELS, once))
        for once in (True, False)
    ]
    return [[fixed, anytime, *found]] * size


CLAIM = Claim(
    id="planning",
    source="corrections, last part",
    title=Words("What it costs to be allowed to stop at any time", "允许随时停止的代价"),
    sentence=Words(
        "With every answer right, threshold 0.90 and α = 0.05, a plan that fixes the number of cases needs 29 and "
        "one that may stop at any time 55; planning says what the verdict does.",
        "若答案全部正确，阈值 0.90、α = 0.05 时，事先固定样本量需 29 个案例，允许随时停止需 55 个；"
        "规划给出的数与实际判定一致。",
    ),
    assumes=Words(
        "Independent draws; “cases needed” is a planning estimate, nothing is promised by it.",
        "独立抽取；“所需案例数”只是规划用的估计，不作任何承诺。",
    ),
    studies=(
        Study(
            needed,
            (
                Reading("fixed n: planned", "ours", Between(29, 29), 29, column(0), share=False),
                Reading("any time: planned", "ours", Between(55, 55), 55, column(1), share=False),
                Reading("fixed n: fewest cases that are accepted", "ours", Between(29, 29), 29, column(2), share=False),
                Reading(
                    "any time: fewest cases that are accepted", "ours", Between(55, 55), 55, column(3), share=False
                ),
            ),
            1,
            1,
        ),
    ),
    level=None,
)
