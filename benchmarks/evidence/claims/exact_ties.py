"""Ties are decided by integers: thresholds are exact decimals, counts are counts."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from benchmarks.evidence.contract import Between, Claim, Reading, Study, Words, column
from benchmarks.evidence.ingredients import BINARY, LEVELS
from pilotbase.evidence import CriterionPlan, Design, verdict_of
from pilotbase.measures import MeasurePart, Observation

SIZES = range(1, 201)
BOUNDS = [Fraction(number, 100) for number in range(1, 100)]
TIES = [(size, bound) for size in SIZES for bound in BOUNDS if (size * bound).denominator == 1]


def wrong_verdicts(_: np.random.Generator, size: int) -> list[list[float]]:
    """Return how many ties floats decide wrongly, how many the product does, and how many ties there are."""
    in_floats = sum(not int(n * bound) >= n * float(bound) for n, bound in TIES)
    ours = sum(_census(n, int(n * bound), bound) != "accept" for n, bound in TIES)
    ours += sum(_census(n, int(n * bound) - 1, bound) != "reject" for n, bound in TIES)
    return [[in_floats, ours, 2 * len(TIES)]] * size


def _census(size: int, right: int, bound: Fraction) -> str:
    gain = np.repeat([1, 0], [right, size - right])
    plan = CriterionPlan(
        "accuracy", Observation("single", (MeasurePart(gain, np.ones(size, dtype=np.int64), BINARY),)), ">=", bound
    )
    return verdict_of([plan], np.arange(size), LEVELS, Design(stop="full"))[0]


CLAIM = Claim(
    id="exact-ties",
    source="statistics, §2.4",
    title=Words("Ties are exact", "相等时的判定是精确的"),
    sentence=Words(
        "Of all sets of up to 200 cases that meet a threshold of two decimals exactly, and of those one case short "
        "of it, every one gets the right verdict; n · 0.07 and the like in floats lose some.",
        "对规模不超过 200、恰好达到两位小数阈值的全部集合，以及比阈值少一个案例的全部集合，判定无一出错；"
        "用浮点数计算 n · 0.07 之类则会出错。",
    ),
    assumes=Words("None: arithmetic, checked one by one.", "无：逐一核对的算术。"),
    studies=(
        Study(
            wrong_verdicts,
            (
                Reading(
                    "S ≥ n · threshold in floats: wrong verdicts",
                    "wrong",
                    Between(1, 10_000),
                    None,
                    column(0),
                    share=False,
                ),
                Reading("the product: wrong verdicts", "ours", Between(0, 0), 0, column(1), share=False),
                Reading("sets looked at", "fact", Between(1, 100_000), None, column(2), share=False),
            ),
            1,
            1,
        ),
    ),
)
