"""A quantile's bounds hold at every time at once, whatever the distribution."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import stats

from benchmarks.evidence.contract import AtMost, Beyond, Claim, Draw, Reading, Study, Words, each
from pilotbase.evidence import QuantileSequence

Q, HORIZON = 0.95, 3000


@cache
def ranks(kind: str) -> np.ndarray:
    """Return the ranks of lower and upper bound after each number of values, shape (times, 2)."""
    times = np.arange(1, HORIZON + 1)
    if kind == "one look":
        # P(X_(i) > quantile) = P(Bin(n, q) < i): exact for one n fixed beforehand.
        return np.column_stack((stats.binom.ppf(0.025, times, Q), stats.binom.isf(0.025, times, Q) + 1))
    sequence = QuantileSequence(Q, 0.05, 1000, kind == "every quantile")
    return np.array([sequence.ranks(int(n)) for n in times])


def missed(kind: str) -> Draw:
    def one(rng: np.random.Generator) -> bool:
        """Return whether the order statistics of some time exclude the quantile; only how many lie below it matters."""
        below = np.cumsum(rng.random(HORIZON) < Q)
        lower, upper = ranks(kind).T
        return bool(((below < lower) | (below >= upper)).any())

    return each(one)


CLAIM = Claim(
    id="quantiles",
    source="statistics, §2.2",
    title=Words("Bounds of a quantile, at any time", "任意时刻的分位数界"),
    sentence=Words(
        "Order statistics chosen for one look exclude the 95th percentile at some time in most runs; the product's, "
        "chosen for all times, do so with probability at most α, for heavy tails too.",
        "为单次查看选取的次序统计量，多数运行中会在某一时刻把第 95 百分位排除在外；本系统为全部时刻选取，概率至多为 "
        "α，重尾分布亦然。",
    ),
    assumes=Words(
        "Independent values of any distribution. Latencies of one spell are not: their unit is the time block.",
        "任意分布的独立数值。同一段变慢期间的时延并不独立，其单位是时间块。",
    ),
    studies=(
        Study(missed("one look"), (Reading("bounds for one look: ever wrong", "wrong", Beyond(0.05)),), 4000, 100),
        Study(missed("one quantile"), (Reading("one quantile: ever wrong", "ours", AtMost(0.05)),), 4000, 100),
        Study(
            missed("every quantile"), (Reading("all quantiles at once: ever wrong", "ours", AtMost(0.05)),), 4000, 100
        ),
    ),
    note="95th percentile, looked at after each of 3,000 values.",
)
