"""A8, A9 and the golden vectors: bounds on one fixed sequence, widths in order, nothing left open at the end."""

from __future__ import annotations

import math

import numpy as np

from benchmarks.evidence.contract import Between, Claim, Draw, Floats, Reading, Study, Words, column, each
from benchmarks.evidence.predictable import predictable_bets, predictable_sequence
from pilotbase.evidence import ConfidenceSequence

GOLDEN = {
    1000: (0.888762, 0.948518), 10_000: (0.918297, 0.940572), 100_000: (0.925881, 0.934448),
    1_000_000: (0.928348, 0.931596),
}  # fmt: skip
CONFSEQ = {1000: (0.8880, 0.9490), 10_000: (0.9180, 0.9410), 100_000: (0.9250, 0.9350)}
"""The same by the reference library, on a grid of 1,000, rounded outwards."""


def bounds(n: int) -> Draw:
    def draw(_: np.random.Generator, size: int) -> list[list[float]]:
        values = (np.random.default_rng(0).random(n) < 0.93).astype(np.float64)
        hedged = predictable_sequence(values, 0.05)
        ours = ConfidenceSequence(0.05, (0, 1)).update(values.astype(np.int64))
        return [[hedged.lower, hedged.upper, ours.lower, ours.upper]] * size

    return draw


def widths(rng: np.random.Generator) -> list[float]:
    """Return widths at n = 10,000 of ours, hedged, empirical-Bernstein and Hoeffding sequences, on Beta(10, 30)."""
    values = rng.beta(10, 30, 10_000)
    ours = ConfidenceSequence(0.05, (0, 10**6)).update(np.rint(values * 10**6).astype(np.int64))
    hedged = predictable_sequence(values, 0.05)
    return [(ours.upper - ours.lower) / 10**6, hedged.upper - hedged.lower, _bernstein(values), _hoeffding(values)]


def _bernstein(values: Floats) -> float:
    """Return the width of the predictable plug-in empirical-Bernstein sequence (theorem 2) at the end."""
    bets = np.minimum(predictable_bets(values, 0.05), 0.5)
    means = (0.5 + np.cumsum(values)) / (np.arange(len(values)) + 2)
    before = np.concatenate(([0.5], means[:-1]))
    growth = ((values - before) ** 2 * (-np.log1p(-bets) - bets)).sum()
    return float(2 * (math.log(2 / 0.05) + growth) / bets.sum())


def _hoeffding(values: Floats) -> float:
    times = np.arange(1, len(values) + 1)
    bets = np.minimum(1.0, np.sqrt(8 * math.log(2 / 0.05) / (times * np.log1p(times))))
    return float(2 * (math.log(2 / 0.05) + (bets**2).sum() / 8) / bets.sum())


def whole_set(rng: np.random.Generator) -> list[float]:
    """Return the width after all of a finite set, and the width at half of it over that of independent draws."""
    values = rng.permutation(np.repeat([1, 0], [930, 70]))
    end = ConfidenceSequence(0.05, (0, 1), 1000).update(values)
    half = ConfidenceSequence(0.05, (0, 1), 1000).update(values[:500])
    independent = ConfidenceSequence(0.05, (0, 1)).update(values[:500])
    return [end.upper - end.lower, (half.upper - half.lower) / (independent.upper - independent.lower)]


def _studies() -> list[Study]:
    studies = []
    for n, (lower, upper) in GOLDEN.items():
        readings = [
            Reading(
                f"hedged, n = {n:,}: {side}", "fact", Between(value - 5e-6, value + 5e-6), value, column(place), False
            )
            for place, (side, value) in enumerate((("lower", lower), ("upper", upper)))
        ]
        if n in CONFSEQ:
            low, high = CONFSEQ[n]
            readings += [
                Reading(
                    f"confseq's grid holds it, n = {n:,}: lower",
                    "fact",
                    Between(low, low + 0.001),
                    low,
                    column(0),
                    False,
                ),
                Reading(
                    f"confseq's grid holds it, n = {n:,}: upper",
                    "fact",
                    Between(high - 0.001, high),
                    high,
                    column(1),
                    False,
                ),
            ]
        studies.append(Study(bounds(n), tuple(readings), 1, 1 if n <= 10_000 else 0))
    return studies


CLAIM = Claim(
    id="golden-vectors",
    source="A8, A9; statistics, §3",
    title=Words(
        "Golden vectors; A8: widths in order; A9: nothing open at the end", "基准向量；A8：宽度次序；A9：用尽即确定"
    ),
    sentence=Words(
        "On one fixed sequence the published hedged bounds come out to five digits; widths have the order of the "
        "paper; a finite set's bounds close when it is used up and are narrower than independent draws' before.",
        "在同一固定序列上，公布的对冲界重现至五位小数；宽度次序与论文一致；有限集合用尽时上下界重合，"
        "此前也比独立抽取更窄。",
    ),
    assumes=Words(
        "x = default_rng(0).random(n) < 0.93, α = 0.05. The papers' own figures (A8, A9) are pictures without "
        "numbers: order and properties are compared.",
        "x = default_rng(0).random(n) < 0.93，α = 0.05。论文中的 A8、A9 只有图而无数字，故比较次序与性质。",
    ),
    studies=(
        *_studies(),
        Study(
            each(widths),
            (
                Reading("A8 Beta(10, 30), median widths: Hoeffding over Bernstein", "fact", Between(1, math.inf), None,
                        lambda v: float(np.median(v[:, 3] / v[:, 2])), False),
                Reading("A8: empirical Bernstein over hedged", "fact", Between(1, math.inf), None,
                        lambda v: float(np.median(v[:, 2] / v[:, 1])), False),
                Reading("A8: the product's over hedged, median", "ours", Between(0, 1.25), None,
                        lambda v: float(np.median(v[:, 0] / v[:, 1])), False),
            ),
            25, 0, 1,
        ),
        Study(
            each(whole_set),
            (
                Reading("A9: width after the whole set, median", "ours", Between(0, 0), 0,
                        column(0, lambda v: float(np.median(v))), False),
                Reading("A9: width at half, over independent draws'", "ours", Between(0, 0.95), None, column(1), False),
            ),
            100, 5, 20,
        ),
    ),
    level=None,
)  # fmt: skip
