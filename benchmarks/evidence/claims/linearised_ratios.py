"""F1 and other ratios, linearised at their threshold (statistics §2.2): exact on hidden sets and for populations."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.evidence.contract import AtMost, Between, Beyond, Claim, Reading, Shown, Study, Words, column, each
from benchmarks.evidence.ingredients import accepted, ratio_of, rejected
from pilotbase.evidence import Levels, verdict_of

F1 = ((2, 2), (0, 1), (0, 1))
MET = np.repeat([0, 1, 2], [400, 200, 900])
MISSED = np.repeat([0, 1, 2], [400, 201, 899])
"""Hits, errors, true negatives: F1 = 800 / 1,000, and one error more."""
SHARES = np.array([0.2, 0.1, 0.7])


def f1(kinds: Any, estimand: Any, bound: str = "0.80") -> Any:
    return ratio_of(np.array([2, 0, 0])[kinds], np.array([2, 1, 0])[kinds], (F1, bound), estimand)


def draw(rng: np.random.Generator) -> Any:
    return f1(rng.choice(3, 1500, p=SHARES), "population")


def plain_interval(rng: np.random.Generator) -> bool:
    """Return whether a 90 % interval of F1, as a share of its 2 TP + FP + FN terms, clears 0.80 at some look."""
    kinds = rng.choice(3, 1500, p=SHARES)
    gain = np.cumsum(np.array([2, 0, 0])[kinds])[49::10]
    weight = np.cumsum(np.array([2, 1, 0])[kinds])[49::10]
    share = gain / weight
    return bool((share - stats.norm.isf(0.05) * np.sqrt(share * (1 - share) / weight) > 0.8).any())


def stopping(rng: np.random.Generator) -> list[float]:
    """Return whether F1 = 0.85 against 0.80 was accepted, and after how many cases; prevalence 0.2."""
    hit = 0.2 * 0.85
    error = 2 * hit * (1 - 0.85) / 0.85
    kinds = rng.choice(3, 10_000, p=[hit, error, 1 - hit - error])
    levels = Levels(Fraction(1, 40), Fraction(1, 40))
    verdict, scored = verdict_of([f1(kinds, "population")], np.arange(len(kinds)), levels)
    return [float(verdict == "accept"), float(scored)]


CLAIM = Claim(
    id="linearised-ratios",
    source="statistics, §2.2; corrections, last part",
    title=Words("F1 is tested exactly, by linearising it at its threshold", "F1 在阈值处线性化后精确检验"),
    sentence=Words(
        "F1 ≥ c holds exactly when Σ (2(1−c)·TP − c·FP − c·FN) ≥ 0, so the same martingale decides it with errors of "
        "at most α on hidden sets and populations; an approximate interval of the ratio, looked at again and again, "
        "does not.",
        "F1 ≥ c 当且仅当 Σ (2(1−c)·TP − c·FP − c·FN) ≥ 0，因此同一检验鞅即可判定，隐藏集与总体上的错误概率均至多为 "
        "α；反复查看该比值的近似区间则做不到。",
    ),
    assumes=Words(
        "Hidden set: a uniformly random order. Population: independent draws. The claim is about F1 against the "
        "frozen threshold; an interval comes from inverting the same test.",
        "隐藏集：均匀随机排列；总体：独立抽取。结论针对 F1 与事先冻结的阈值；区间由同一检验反演得到。",
    ),
    studies=(
        Study(
            each(plain_interval),
            (Reading("interval of the ratio, a look every 10 cases", "wrong", Beyond(0.05)),),
            4000,
            100,
        ),
        Study(
            each(lambda rng: accepted(f1(MISSED, "hidden_set"), rng.permutation(1500))),
            (Reading("hidden set, one error too many: accepted", "ours", AtMost(0.05), 0.017),),
            10000,
            150,
            200,
        ),
        Study(
            each(lambda rng: rejected(f1(MET, "hidden_set"), rng.permutation(1500))),
            (Reading("hidden set, a tie: rejected", "ours", AtMost(0.05), 0.019),),
            10000,
            150,
            200,
        ),
        Study(
            each(lambda rng: accepted(draw(rng))),
            (Reading("population, F1 = 0.80: accepted", "ours", AtMost(0.05), 0.005),),
            10000,
            150,
            200,
        ),
        Study(
            each(lambda rng: rejected(draw(rng))),
            (Reading("population, F1 = 0.80: rejected", "ours", AtMost(0.05), 0.020),),
            10000,
            150,
            200,
        ),
        Study(
            each(stopping),
            (
                Reading("F1 0.85 against 0.80, α 0.025: accepted", "fact", Between(0.9, 1.0), None, column(0)),
                Reading("… median cases", "fact", Shown(), 1774, column(1, lambda v: float(np.median(v))), share=False),
            ),
            1000,
            40,
        ),
    ),
    note="1,500 cases; F1 = 800/1,000. The reference's population figures are at α = 0.025.",
)
