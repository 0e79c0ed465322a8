"""Where only an approximation is available, the product says so: how close it is, and where it is not."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from benchmarks.evidence.contract import Between, Beyond, Claim, Floats, Reading, Study, Words, each
from pilotbase.evidence import MultinomialBootstrap, delong

SHIFT = float(np.sqrt(2) * stats.norm.ppf(0.8))
SHARES = np.array([0.2, 0.05, 0.05, 0.7])
"""Hits, misses, false alarms, true negatives: F1 = 0.8."""


def area_missed(rng: np.random.Generator) -> bool:
    positive = np.repeat([True, False], [200, 800])
    found = delong(rng.normal(size=1000) + SHIFT * positive, positive, 0.05).bounds
    return not found.lower <= 0.8 <= found.upper


def near_one(rng: np.random.Generator, plain: bool) -> bool:
    """Return whether the lower 95 % bound of an area of 0.98 is above it, with 50 cases of each class."""
    positive = np.repeat([True, False], 50)
    found = delong(rng.normal(size=100) + float(np.sqrt(2) * stats.norm.ppf(0.98)) * positive, positive, 0.1)
    lower = found.area - float(stats.norm.isf(0.05)) * float(np.sqrt(found.variance)) if plain else found.bounds.lower
    return lower > 0.98


def clustered(rng: np.random.Generator, use_units: bool) -> bool:
    """Return the same for 100 patients with ten records each, whose scores move together."""
    units = np.repeat(np.arange(100), 10)
    positive = np.repeat(rng.random(100) < 0.3, 10)
    shared = np.repeat(rng.normal(size=100), 10)
    scores = np.sqrt(0.7) * shared + np.sqrt(0.3) * rng.normal(size=1000) + SHIFT * positive
    found = delong(scores, positive, 0.05, units if use_units else None).bounds
    return not found.lower <= 0.8 <= found.upper


def f1_of(counts: Floats) -> Floats:
    return 2 * counts[..., 0] / (2 * counts[..., 0] + counts[..., 1] + counts[..., 2])


def f1_missed(rng: np.random.Generator) -> bool:
    kinds = rng.choice(4, 1000, p=SHARES)
    found: Any = MultinomialBootstrap(4, f1_of, 0.05, 2000, int(rng.integers(1 << 31))).update(kinds)
    return not found.lower <= 0.8 <= found.upper


def few_cases(rng: np.random.Generator) -> bool:
    """Return whether the bootstrap of 40 cases misses an accuracy of 0.98: often there is no error at all."""
    kinds = (rng.random(40) < 0.98).astype(np.int64)
    found: Any = MultinomialBootstrap(2, lambda c: c[..., 1] / c.sum(axis=-1), 0.05, 2000, 1).update(kinds)
    return not found.lower <= 0.98 <= found.upper


CLAIM = Claim(
    id="approximate-intervals",
    source="statistics, §1.1 and §2.2",
    title=Words("What is only approximate is marked so", "凡属近似者均如实标注"),
    sentence=Words(
        "For AUC at a fixed n and for functions of a whole confusion matrix the bounds are approximate and printed "
        "as “asymptotic”: near 5 % misses with a thousand independent cases or a hundred clusters as units, not with "
        "few cases near 1, nor with clusters ignored.",
        "固定样本量下的 AUC 以及整个混淆矩阵的函数，其上下界是近似的，并标注为“渐近”："
        "在一千个独立案例或以百个整群为单位时漏掉真值的比例接近 5 %；但案例少且接近 1 时、或忽略分群时则不然。",
    ),
    assumes=Words(
        "n fixed beforehand and looked at once; independent cases, or independent clusters given as units; many of "
        "either. No exactness is claimed. A trial takes them at half the level, and refuses them where a class has too "
        "few cases (decision 0049).",
        "样本量事先固定且只看一次；案例独立，或以独立的整群为单位；两者都须数量充足。不声明精确性。"
        "试验按一半的水平使用这些界，类别案例过少时予以拒绝（决定 0049）。",
    ),
    studies=(
        Study(
            each(area_missed), (Reading("DeLong, 1,000 cases: missed", "ours", Between(0.035, 0.065), 0.05),), 4000, 0
        ),
        Study(
            each(f1_missed),
            (Reading("multinomial bootstrap of F1: missed", "ours", Between(0.035, 0.07), 0.05),),
            4000,
            0,
        ),
        Study(
            each(lambda rng: clustered(rng, True)),
            (Reading("DeLong by patient, 100 patients: missed", "ours", Between(0.035, 0.085), 0.05),),
            4000,
            0,
        ),
        Study(
            each(lambda rng: clustered(rng, False)),
            (Reading("DeLong, patients ignored: missed", "wrong", Beyond(0.1)),),
            2000,
            60,
        ),
        Study(
            each(lambda rng: near_one(rng, True)),
            (Reading("AUC 0.98, 100 cases, area ± standard errors: bound too high", "wrong", Beyond(0.1)),),
            2000,
            0,
        ),
        Study(
            each(lambda rng: near_one(rng, False)),
            (
                Reading(
                    "AUC 0.98, 100 cases, DeLong on the log-odds scale: bound too high", "ours", Between(0.02, 0.09)
                ),
            ),
            4000,
            0,
        ),
        Study(each(few_cases), (Reading("bootstrap of 40 cases near 1: missed", "wrong", Beyond(0.1)),), 2000, 60),
        Study(each(area_missed), (Reading("DeLong, a short run: missed", "ours", Between(0.0, 0.12)),), 200, 200),
    ),
)
