"""How many labels a judge saves (statistics §2.9), at any quality of the judge."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from benchmarks.evidence.contract import AtMost, Claim, Draw, Reading, Row, Shown, Study, Words, each, near
from benchmarks.evidence.figures import Axis, Bar, ranges_figure
from pilotbase.evidence import JudgedPool, PredictionPowered

SIZE, LEVEL, BATCH = 10_000, math.log(40), 500
JUDGES = {
    "no judge": (0.5, Fraction(0)),
    "wrong in 2 %": (0.02, Fraction(9, 10)),
    "wrong in 5 %": (0.05, Fraction(4, 5)),
    "wrong in 10 %": (0.10, Fraction(11, 20)),
}
"""How often the judge is wrong, and λ."""
TARGETS = {0.92: (1680, 436, 785, 1107), 0.88: (1785, 688, 976, 1284)}


def run(rng: np.random.Generator, right: int, judge: tuple[float, Fraction]) -> tuple[str, int]:
    """Return what is proven of *at least 0.90*, and after how many labels."""
    labels = rng.permutation(np.repeat([1, 0], [right, SIZE - right]))
    scores = np.where(rng.random(SIZE) < judge[0], 1 - labels, labels)
    test = PredictionPowered(JudgedPool.of(scores, (0, 1)), Fraction(9, 10), judge[1])
    for start in range(0, SIZE, BATCH):
        chosen = slice(start, start + BATCH)
        crossed = test.update(np.column_stack((labels[chosen], scores[chosen]))) >= LEVEL
        if crossed.any():
            first = int(np.argmax(crossed.any(axis=0)))
            return ("accept" if crossed[0, first] else "reject"), start + first + 1
    return "none", SIZE


def _stops(truth: float, judge: tuple[float, Fraction]) -> Draw:
    return each(lambda rng: float(run(rng, round(truth * SIZE), judge)[1]))


def _studies() -> list[Study]:
    studies = []
    for truth, targets in TARGETS.items():
        for (name, judge), target in zip(JUDGES.items(), targets, strict=True):
            readings = [
                Reading(f"truth {truth}, {name}: median labels", "ours", near(target, 0.2), target,
                        lambda values: float(np.median(values)), False, f"{truth}|{name}|median"),
            ] + [
                Reading(f"truth {truth}, {name}: {100 * q:.0f} % quantile", "fact", Shown(), None,
                        lambda values, q=q: float(np.quantile(values, q)), False, f"{truth}|{name}|{q}")
                for q in (0.1, 0.9)
            ]  # fmt: skip
            quick = 40 if (truth, name) == (0.92, "wrong in 2 %") else 0
            studies.append(Study(_stops(truth, judge), tuple(readings), 400, quick, 20))
    for name, judge in JUDGES.items():
        draw = each(lambda rng, judge=judge: run(rng, 8999, judge)[0] == "accept")
        studies.append(
            Study(draw, (Reading(f"8,999 of 10,000, {name}: accepted", "ours", AtMost(0.025), 0.007),), 500, 0, 10)
        )
    return studies


def _figure(rows: Sequence[Row]) -> str:
    value = {row.key: row.value for row in rows if row.key}
    groups = [
        (
            f"truth {truth:.2f}",
            [
                Bar(name, value[f"{truth}|{name}|median"], value[f"{truth}|{name}|0.1"], value[f"{truth}|{name}|0.9"],
                    target, f"{value[f'{truth}|{name}|median']:,.0f} labels")
                for name, target in zip(JUDGES, targets, strict=True)
            ],
        )
        for truth, targets in TARGETS.items()
    ]  # fmt: skip
    ticks = (100.0, 300.0, 1000.0, 3000.0)
    across = Axis("labels until the verdict (logarithmic): median, 10 to 90 %", 80, 5000, ticks, True)
    return ranges_figure("Labels with a judge's help; diamonds: the reference's medians", groups, across)


CLAIM = Claim(
    id="few-labels",
    source="statistics, §2.9",
    title=Words("A judge saves labels, and a bad one does no harm", "评判模型可节省标注，差的也无害"),
    sentence=Words(
        "A judge that is wrong in 2 % of cases saves three of four labels at 0.92, one that is wrong in 10 % a "
        "third; whatever the judge, the verdict errs with at most α.",
        "错误率 2 % 的评判模型在 0.92 时可省去四分之三的标注，错误率 10 % 的可省三分之一；无论评判模型好坏，"
        "结论出错的概率至多为 α。",
    ),
    assumes=Words(
        "Pool of 10,000 scored cases, labels in random order, λ fixed beforehand from a pilot of other cases; α = "
        "0.025 a side. The saving depends on the judge, the guarantee does not.",
        "10,000 个已打分案例的样本池，随机次序标注，λ 事先由其他案例的试点确定；每侧 α = 0.025。"
        "节省多少取决于评判模型，保证则不取决于它。",
    ),
    studies=tuple(_studies()),
    figure=_figure,
    level=0.025,
)
