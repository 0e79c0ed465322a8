"""Cases needed at best in a first attempt: a fixed n against any time (corrections, last part)."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from benchmarks.evidence.contract import Between, Claim, Reading, Study, Words, column
from benchmarks.evidence.ingredients import accepted, share_of
from pilotbase.evidence import attempt_levels, cases_to_confirm_at_best, exact

LEVELS = attempt_levels(exact(0.05), 1)
FIXED, ANYTIME = (
    cases_to_confirm_at_best(Fraction(9, 10), float(LEVELS.accept), method) or 0 for method in ("fixed", "anytime")
)
"""The case counts that a freeze reports: the texts below, and the pages that a test checks, name no others."""


def needed(_: np.random.Generator, size: int) -> list[list[float]]:
    found = [
        next(n for n in range(1, 200) if accepted(share_of(np.ones(n), "0.90", "population"), None, LEVELS, once))
        for once in (True, False)
    ]
    return [[FIXED, ANYTIME, *found]] * size


CLAIM = Claim(
    id="planning",
    source="corrections, last part",
    title=Words("What it costs to be allowed to stop at any time", "允许随时停止的代价"),
    sentence=Words(
        "With every answer right, threshold 0.90 and α = 0.05 over all attempts, a first attempt that fixes the number "
        f"of cases needs {FIXED} and one that may stop at any time {ANYTIME}; planning says what the verdict does.",
        f"若答案全部正确，阈值 0.90、全部次数的 α = 0.05 时，首次尝试若事先固定样本量需 {FIXED} 个案例，"
        f"允许随时停止需 {ANYTIME} 个；规划给出的数与实际判定一致。",
    ),
    assumes=Words(
        "Independent draws; “cases needed” is a planning estimate, nothing is promised by it.",
        "独立抽取；“所需案例数”只是规划用的估计，不作任何承诺。",
    ),
    studies=(
        Study(
            needed,
            (
                Reading("fixed n: planned", "ours", Between(36, 36), 36, column(0), share=False),
                Reading("any time: planned", "ours", Between(62, 62), 62, column(1), share=False),
                Reading("fixed n: fewest cases that are accepted", "ours", Between(36, 36), 36, column(2), share=False),
                Reading(
                    "any time: fewest cases that are accepted", "ours", Between(62, 62), 62, column(3), share=False
                ),
            ),
            1,
            1,
        ),
    ),
    level=None,
)
