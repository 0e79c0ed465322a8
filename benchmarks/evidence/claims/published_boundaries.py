"""A6 and A7: closed-form boundaries (Howard et al. 2021; Howard & Ramdas 2022), their values and crossings."""

from __future__ import annotations

import numpy as np

from benchmarks.evidence.boundaries import iterated_logarithm, normal_mixture, stitched
from benchmarks.evidence.contract import AtMost, Between, Beyond, Claim, Reading, Study, Words, column
from pilotbase.evidence.quantiles import empirical_process

STEPS = 20_000
TIMES = np.arange(1.0, STEPS + 1)


def values(_: np.random.Generator, size: int) -> list[list[float]]:
    at = np.array([1e2, 1e4, 1e6])
    radius, polynomial = iterated_logarithm(at, 0.05), stitched(at, 0.025) / at
    distribution = empirical_process(np.array([1e2, 1e4]), 0.05)
    mixture = normal_mixture(np.array([100.0]), 0.05, 100.0)
    return [[*radius, *polynomial, *distribution, *mixture]] * size


def crossings(rng: np.random.Generator, size: int) -> list[list[bool]]:
    found = []
    for _ in range(size):
        sums = np.abs(np.cumsum(rng.normal(size=STEPS)))
        found.append(
            [
                bool((sums > bound).any())
                for bound in (
                    1.96 * np.sqrt(TIMES),
                    TIMES * iterated_logarithm(np.maximum(TIMES, 2.0), 0.05),
                    stitched(TIMES, 0.025),
                    normal_mixture(TIMES, 0.05, 1000.0),
                )
            ]
        )
    return found


def _value(label: str, target: float, place: int, tolerance: float = 2e-6) -> Reading:
    return Reading(label, "ours", Between(target - tolerance, target + tolerance), target, column(place), False)


CLAIM = Claim(
    id="published-boundaries",
    source="A6, A7",
    title=Words("A6, A7: boundaries at their published values", "A6、A7：边界函数与公布值一致"),
    sentence=Words(
        "The boundaries have the values that paper and reference library give, and are ever crossed with probability "
        "at most α, while a pointwise band is crossed in six runs of ten.",
        "各边界函数取值与论文及参考库一致，曾被越过的概率至多为 α；逐点置信带则十次中有六次被越过。",
    ),
    assumes=Words(
        "Sums of independent standard normal (sub-Gaussian) values, looked at after each of 20,000.",
        "独立标准正态（次高斯）变量之和，共 20,000 步，逐步查看。",
    ),
    studies=(
        Study(
            values,
            (
                _value("iterated logarithm at 10²", 0.39906, 0, 6e-6),
                _value("iterated logarithm at 10⁴", 0.042110, 1),
                _value("iterated logarithm at 10⁶", 0.004340, 2),
                _value("polynomial stitching at 10²", 0.39755, 3, 6e-6),
                _value("polynomial stitching at 10⁴", 0.041963, 4),
                _value("polynomial stitching at 10⁶", 0.004326, 5),
                _value("empirical process at 10²", 0.269176, 6),
                _value("empirical process at 10⁴", 0.027711, 7),
                _value("normal mixture at v = 100, best at 100", 30.35209, 8, 6e-5),
            ),
            1, 1,
        ),
        Study(
            crossings,
            (
                Reading("pointwise ± 1.96 √t: ever crossed", "wrong", Beyond(0.05), 0.633, column(0)),
                Reading("iterated logarithm: ever crossed", "ours", AtMost(0.05), 0.0045, column(1)),
                Reading("polynomial stitching: ever crossed", "ours", AtMost(0.05), None, column(2)),
                Reading("normal mixture, best at 1,000: ever crossed", "ours", AtMost(0.05), 0.038, column(3)),
            ),
            4000, 100,
        ),
    ),
)  # fmt: skip
