"""The boundary of a population, and what a fixed-n test does when one looks at it after every case."""

from __future__ import annotations

import numpy as np
from scipy import stats

from benchmarks.evidence.contract import AtMost, Beyond, Claim, Reading, Study, Words, each
from benchmarks.evidence.ingredients import accepted, rejected, share_of

CASES = 1500


def peeking(rng: np.random.Generator) -> bool:
    """Return whether the exact test at α = 0.05 rejects *rate ≤ 0.90* at some time when looked at every time."""
    successes = np.cumsum(rng.random(CASES) < 0.9)
    return bool((stats.binom.sf(successes - 1, np.arange(1, CASES + 1), 0.9) <= 0.05).any())


CLAIM = Claim(
    id="population-boundary",
    source="statistics, §4",
    title=Words("At the boundary of a population", "总体恰在边界时"),
    sentence=Words(
        "An exact fixed-n test that is looked at after every case errs several times as often as it says; the "
        "product may be looked at after every case and errs with at most α either way.",
        "按固定样本量设计的精确检验若逐例查看，出错频率是其标称值的数倍；本系统可逐例查看，"
        "两个方向的出错概率各至多为 α。",
    ),
    assumes=Words(
        "Cases are independent draws with one success probability, here exactly the threshold.",
        "案例为独立抽取，成功概率相同，此处恰等于阈值。",
    ),
    studies=(
        Study(
            each(peeking), (Reading("fixed-n test, looked at every time: accepted", "wrong", Beyond(0.05)),), 4000, 150
        ),
        Study(
            each(lambda rng: accepted(share_of(rng.random(CASES) < 0.9, "0.90", "population"))),
            (Reading("the product: accepted", "ours", AtMost(0.05), 0.0125),),
            20000,
            300,
            500,
        ),
        Study(
            each(lambda rng: rejected(share_of(rng.random(CASES) < 0.9, "0.90", "population"))),
            (Reading("the product: rejected", "ours", AtMost(0.05), 0.016),),
            20000,
            300,
            500,
        ),
    ),
    note="True rate 0.90, threshold 0.90, up to 1,500 cases; the reference: 10,000 cases, α = 0.025.",
)
