"""A tender: which supplier is better, on the same cases for all (statistics-2, §3)."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from benchmarks.evidence.contract import AtMost, Between, Beyond, Claim, Draw, Reading, Study, Words, each
from pilotbase.evidence.paired import PairedTerms, PartialOrder, compare_paired

ALPHA, SHARED = 0.05, 0.7


def answered(
    rng: np.random.Generator, right: tuple[float, ...], cases: int, shared: float = SHARED
) -> NDArray[np.int64]:
    """Return scores (cases, k); of the errors ``shared`` fall on the same hard cases."""
    together = rng.random((cases, len(right))) < shared
    hardness = np.where(together, rng.random((cases, 1)), rng.random((cases, len(right))))
    return (hardness < np.array(right)).astype(np.int64)


def _found(scores: NDArray[np.int64], margin: Fraction = Fraction(0)) -> PartialOrder:
    return compare_paired(scores, 1, PairedTerms(margin, Fraction(1, 50), ALPHA))


def any_better(right: tuple[float, ...], margin: Fraction) -> Draw:
    return each(lambda rng: bool(_found(answered(rng, right, 400), margin).better))


def wrong_best(rng: np.random.Generator) -> bool:
    """Return whether one that is worse by the tolerance is named among the best."""
    return 1 in _found(answered(rng, (0.92, 0.9, 0.9, 0.9), 400)).best


def by_each_pair(rng: np.random.Generator) -> bool:
    """Return whether some ordered pair of four equal suppliers differs by a z-test at α."""
    scores = answered(rng, (0.9,) * 4, 400)
    gains = (scores[:, :, None] - scores[:, None, :]).reshape(400, -1).astype(np.float64)
    return bool((gains.mean(axis=0) > 1.645 * np.maximum(gains.std(axis=0), 1e-9) / 20).any())


def cases_saved(rng: np.random.Generator) -> float:
    """Return how many times fewer cases the tender takes: separate trials share none, and each has its own."""
    right = (0.93, 0.9, 0.9, 0.86)
    together, alone = (_found(answered(rng, right, 2500, shared)).better.get((0, 3), 2500) for shared in (SHARED, 0.0))
    return len(right) * alone / together


CLAIM = Claim(
    id="tender",
    title=Words("A tender: no false “better” at any time", "比选：任何时候都不会误判“更优”"),
    sentence=Words(
        "Comparing every pair at α finds a difference between equal suppliers far too often. In a tender any false "
        "“better” has probability at most α at all times together, with a third of the cases of separate trials.",
        "逐对按 α 比较，会过于频繁地在同等供给方之间“发现”差异。比选中误判“更优”的概率在任何时刻合计不超过 α，"
        "所需案例不到各自中试的三分之一。",
    ),
    assumes=Words(
        "Entrants, margin and α are fixed before the answers, the answers before the order; cases are independent. "
        "α holds for the order, and again for the best.",
        "参选者、界限与 α 先于答案固定，答案先于顺序固定；案例为独立抽取。α 用于次序，对“最优”同样再用一次。",
    ),
    studies=(
        Study(each(by_each_pair), (Reading("each pair at α: some better", "wrong", Beyond(ALPHA)),), 3000, 100),
        Study(
            any_better((0.9,) * 4, Fraction(0)),
            (Reading("four equal: some better", "ours", AtMost(ALPHA), 0.010),),
            10_000,
            40,
        ),
        Study(
            any_better((0.92, 0.9, 0.92, 0.9), Fraction(1, 50)),
            (Reading("pairs exactly at the margin: some better", "ours", AtMost(ALPHA), 0.003),),
            2000,
            40,
        ),
        Study(
            each(wrong_best), (Reading("worse by the tolerance: named best", "ours", AtMost(ALPHA), 0.010),), 2000, 40
        ),
        Study(
            each(cases_saved),
            (
                Reading(
                    "times fewer cases than separate trials, median",
                    "ours",
                    Between(3.0, np.inf),
                    read=lambda values: float(np.median(values)),
                    share=False,
                ),
            ),
            100,
            8,
        ),
    ),
    note="Four suppliers, 400 cases; seven in ten errors fall on the same cases. Saved: 0.93 against 0.86.",
    source="statistics-2, §3",
)
