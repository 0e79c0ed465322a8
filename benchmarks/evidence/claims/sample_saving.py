"""How many cases an early stop saves (statistics §4), beside the fixed n that knew the truth."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from benchmarks.evidence.contract import Between, Claim, Draw, Reading, Row, Shown, Study, Words, column, each, near
from benchmarks.evidence.figures import SERIES, Axis, Bar, ranges_figure
from benchmarks.evidence.ingredients import share_of
from pilotbase.evidence import Levels, verdict_of

LEVELS = Levels(Fraction(1, 40), Fraction(1, 40))
CAP = 10_000
PLANNED = {0.95: (127, 292), 0.92: (820, 2200), 0.88: (940, 2580), 0.91: (3440, 9180)}
"""Clopper-Pearson fixed n at power 0.5 and 0.9, planned knowing the truth (claim `published-planning`)."""
TARGETS: dict[str, dict[float, tuple[float, float, float, float]]] = {
    "independent draws": {
        0.95: (319, 111, 567, 1.0), 0.92: (2044, 619, 4178, 0.997), 0.88: (2132, 596, 4698, 0.999),
        0.91: (8088, 0, 0, 0.635), 0.85: (376, 0, 0, 1.0),
    },
    "hidden set of 10,000": {
        0.95: (316, 111, 548, 1.0), 0.92: (1726, 611, 2980, 0.999), 0.88: (1846, 563, 3332, 1.0),
        0.91: (4821, 0, 0, 0.998), 0.85: (363, 0, 0, 1.0), 0.90: (10_000, 0, 0, 0.9835),
    },
    "hidden set of 2,000": {
        0.95: (280, 0, 0, 1.0), 0.92: (1094, 0, 0, 1.0), 0.88: (1094, 0, 0, 1.0), 0.91: (1731, 0, 0, 1.0),
        0.85: (327, 0, 0, 1.0), 0.90: (2000, 0, 0, 0.989),
    },
}  # fmt: skip
"""Median cases, the 10 % and 90 % quantiles (0 where not given), and the share of right verdicts."""


def _draw(kind: str, truth: float) -> Draw:
    size = 2000 if kind.endswith(" 2,000") else CAP

    def one(rng: np.random.Generator) -> list[float]:
        if kind == "independent draws":
            verdict, scored = verdict_of(
                [share_of(rng.random(CAP) < truth, "0.90", "population")], np.arange(CAP), LEVELS
            )
        else:
            right = np.repeat([1, 0], [round(truth * size), size - round(truth * size)])
            verdict, scored = verdict_of([share_of(right, "0.90")], rng.permutation(size), LEVELS)
        return [float(verdict == ("accept" if truth >= 0.9 else "reject")), float(scored)]

    return each(one)


def _study(kind: str, truth: float) -> Study:
    median, low, high, right = TARGETS[kind][truth]
    name = f"{kind}, truth {truth:.2f}"
    quantiles = ((0.1, low), (0.9, high))
    # Exactly at the boundary the median is the whole set but for the last few cases.
    share = 0.05 if truth == 0.90 else 0.15
    readings = (
        Reading(f"{name}: right verdict", "ours", Between(right - 0.05, 1.0), right, column(0)),
        Reading(
            f"{name}: median cases", "ours", near(median, share), median,
            column(1, lambda values: float(np.median(values))), False, f"{kind}|{truth}|median",
        ),
        *(
            Reading(
                f"{name}: {100 * q:.0f} % quantile", "fact", Shown(), target or None,
                column(1, lambda values, q=q: float(np.quantile(values, q))), False, f"{kind}|{truth}|{q}",
            )
            for q, target in quantiles
        ),
    )  # fmt: skip
    quick = 150 if (kind, truth) == ("hidden set of 10,000", 0.95) else 0
    return Study(_draw(kind, truth), readings, 1000, quick, 25)


def _figure(rows: Sequence[Row]) -> str:
    value = {row.key: row.value for row in rows if row.key}
    groups = []
    for truth in (0.95, 0.92, 0.91, 0.88, 0.85):
        bars = []
        if truth in PLANNED:
            half, most = PLANNED[truth]
            bars.append(Bar("fixed n, power 0.5 to 0.9", most, half, most, None, f"{half:,} to {most:,}", SERIES[4]))
        for kind, targets in TARGETS.items():
            key = f"{kind}|{truth}|"
            median, low, high = value[key + "median"], value[key + "0.1"], value[key + "0.9"]
            size = 2000 if kind.endswith(" 2,000") else CAP
            words = f"{median:,.0f}, saves {100 - 100 * median / size:.0f} %"
            bars.append(Bar(kind, median, low, high, targets[truth][0], words))
        groups.append((f"truth {truth:.2f}", bars))
    ticks = (100.0, 300.0, 1000.0, 3000.0, 10_000.0)
    across = Axis("cases scored, threshold 0.90 (logarithmic): median, 10 to 90 %", 80, CAP, ticks, True)
    return ranges_figure("Cases until the verdict; diamonds: the reference's medians", groups, across)


CLAIM = Claim(
    id="sample-saving",
    source="statistics, §4",
    title=Words("An early stop saves most of the cases, without planning", "提前停止可省去大部分案例，且无须事先规划"),
    sentence=Words(
        "Away from the threshold the median run scores a few hundred of 10,000 cases; near it, it takes what it "
        "takes, at most the whole set. A fixed n planned with knowledge of the truth needs about as many; the claim "
        "is “no planning, and at most the whole set”, not “better than an oracle”.",
        "远离阈值时，10,000 个案例中评分的中位数只有几百个；靠近阈值时则需要更多，但至多是整个集合。"
        "若事先已知真值来规划固定样本量，所需数量相当；所声明的是“无须规划，且至多用完整个集合”，"
        "而不是“优于已知真值的设计”。",
    ),
    assumes=Words(
        "Binary cases; α = 0.025 a side; independent draws, or a random order of the finite set. What is saved are "
        "labels and exposure: all answers are there already.",
        "二值案例；每侧 α = 0.025；独立抽取或有限集合的随机排列。节省的是标注与暴露，答案本来就全部存在。",
    ),
    studies=tuple(_study(kind, truth) for kind, targets in TARGETS.items() for truth in targets),
    figure=_figure,
    level=None,
)
