"""Corrections, row 4: the evidence on a gap between groups is the minimum over the nuisance level."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from benchmarks.evidence.contract import AtMost, Beyond, Claim, Draw, Reading, Study, Words, each
from benchmarks.evidence.ingredients import ALPHA, accepted
from pilotbase.documents.criteria import parse_rule
from pilotbase.evidence import CriterionPlan, MeanMartingale
from pilotbase.measures import Cases, observe

CASES = 2000
GRID = [Fraction(number, 40) for number in range(1, 36)]


def answers(rng: np.random.Generator, lower: float) -> tuple[Any, Any]:
    group = rng.integers(0, 2, CASES)
    return group, rng.random(CASES) < np.where(group == 0, 0.90, lower)


def averaged(rng: np.random.Generator) -> bool:
    """Return whether the average over levels μ of K⁻(group 0 at μ + 0.10) · K⁺(group 1 at μ) ever reaches 1/α."""
    group, right = answers(rng, 0.75)
    first, second = right[group == 0].astype(int), right[group == 1].astype(int)
    steps = min(len(first), len(second))
    logs = []
    for level in GRID:
        below = MeanMartingale.with_replacement(-(level + Fraction(1, 10)), -1).update(-first[:steps])
        above = MeanMartingale.with_replacement(level, 0).update(second[:steps])
        logs.append(below + above)
    average = np.logaddexp.reduce(np.array(logs), axis=0) - math.log(len(GRID))
    return bool(average.max() >= math.log(1 / ALPHA))


def product(lower: float) -> Draw:
    rule = parse_rule("gap(accuracy by site) <= 0.10")

    def one(rng: np.random.Generator) -> bool:
        group, right = answers(rng, lower)
        cases = Cases(np.zeros(CASES, dtype=int), 1 - right.astype(int), {"site": group}, classes=("a", "b"))
        order = np.arange(CASES)
        observation = observe(rule, cases, order, "population")
        plan = CriterionPlan(str(rule), observation, "<=", Fraction(1, 10), "population")
        return accepted(plan, order)

    return each(one)


CLAIM = Claim(
    id="group-gap",
    source="corrections, row 4",
    title=Words("A gap between groups: the minimum over the unknown level", "组间差距：对未知水平取最小值"),
    sentence=Words(
        "Averaging the evidence over the groups' unknown level accepts a gap of 0.15 as 0.10, always; the minimum "
        "over the level accepts a gap beyond the bound with probability at most α.",
        "若把证据对各组的未知水平取平均，则差距 0.15 总会被当作不超过 0.10；对该水平取最小值，"
        "超限差距被接受的概率至多为 α。",
    ),
    assumes=Words(
        "Within each group cases are independent draws with one mean; the groups are named in the plan.",
        "各组内案例为均值相同的独立抽取；分组在方案中事先写明。",
    ),
    studies=(
        Study(
            each(averaged), (Reading("average over the level, gap 0.15: accepted", "wrong", Beyond(0.05), 1.0),), 200, 6
        ),
        Study(product(0.75), (Reading("minimum, gap 0.15: accepted", "ours", AtMost(0.05), 0.0),), 400, 4, 20),
        Study(product(0.80), (Reading("minimum, gap 0.10, the boundary: accepted", "ours", AtMost(0.05)),), 400, 4, 20),
        Study(product(0.90), (Reading("minimum, no gap: accepted", "fact", Beyond(0.05)),), 400, 4, 20),
    ),
    note="Two sites of about 1,000 cases each, one at accuracy 0.90; bound 0.10.",
)
