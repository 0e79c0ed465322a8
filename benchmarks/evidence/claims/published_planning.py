"""A14: the smallest fixed n at which Clopper-Pearson decides with power 0.5 and 0.9."""

from __future__ import annotations

from scipy import stats

from benchmarks.evidence.contract import Between, Claim, Draw, Reading, Study, Words, column
from pilotbase.evidence.distributions import clopper_pearson

CASES = {
    (0.95, 0.9): 292,
    (0.92, 0.9): 2200,
    (0.88, 0.9): 2580,
    (0.91, 0.9): 9180,
    (0.95, 0.5): 127,
    (0.92, 0.5): 820,
    (0.88, 0.5): 940,
    (0.91, 0.5): 3440,
}
BOUND = 0.90


def smallest(truth: float, power: float, step: int) -> int:
    """Return the smallest n, of multiples of ``step``, at which the 95 % interval clears 0.90 with ``power``."""
    n = step
    while _power(n, truth) < power:
        n += step
    return n


def _power(n: int, truth: float) -> float:
    if truth > BOUND:
        clear = _first(n, lambda s: clopper_pearson(s, n, 0.025, 0.025).lower > BOUND)
        return float(stats.binom.sf(clear - 1, n, truth))
    below = _first(n, lambda s: clopper_pearson(s, n, 0.025, 0.025).upper >= BOUND)
    return float(stats.binom.cdf(below - 1, n, truth))


def _first(n: int, holds: object) -> int:
    low, high = 0, n + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)  # type: ignore[operator]
    return low


def _draw(truth: float, power: float, target: int) -> Draw:
    step = 1 if target <= 400 else 10
    return lambda _, size: [[smallest(truth, power, step)]] * size


CLAIM = Claim(
    id="published-planning",
    source="A14",
    title=Words("A14: smallest fixed n of Clopper–Pearson", "A14：Clopper–Pearson 的最小固定样本量"),
    sentence=Words(
        "The product's exact interval decides with power 0.5 and 0.9 from the published numbers of cases on.",
        "本系统的精确区间达到 0.5 与 0.9 功效所需的样本量与公布值一致。",
    ),
    assumes=Words(
        "Independent draws; n fixed beforehand; two-sided 95 %, threshold 0.90; above 400 in steps of 10.",
        "独立抽取；样本量事先固定；双侧 95 %，阈值 0.90；超过 400 时步长为 10。",
    ),
    studies=tuple(
        Study(
            _draw(truth, power, target),
            (
                Reading(
                    f"truth {truth}, power {power}: cases",
                    "ours",
                    Between(target, target),
                    target,
                    column(0),
                    share=False,
                ),
            ),
            1,
            1 if target < 400 else 0,
        )
        for (truth, power), target in CASES.items()
    ),
    level=None,
)
