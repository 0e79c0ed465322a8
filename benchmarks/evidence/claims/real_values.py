"""Errors of values: a cap makes a mean provable; without one nothing can be shown (Bahadur & Savage 1956)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.evidence.contract import AtMost, Beyond, Claim, Draw, Reading, Study, Words, each
from benchmarks.evidence.ingredients import LEVELS
from pilotbase.documents.criteria import parse_rule
from pilotbase.evidence import CriterionPlan, verdict_of
from pilotbase.measures import Cases, observe

CASES = 800
RULE = parse_rule("capped_mae(cap=1) <= 0.25")


def verdict(errors: Any, estimand: Any, order: Any) -> str:
    cases = Cases(np.zeros(len(errors)), errors, kind="value")
    plan = CriterionPlan(str(RULE), observe(RULE, cases, order, estimand), "<=", Fraction(1, 4), estimand)
    return verdict_of([plan], order, LEVELS)[0]


def population(wanted: str) -> Draw:
    """Errors Beta(1, 3): mean exactly a quarter."""
    return each(lambda rng: verdict(rng.beta(1, 3, CASES), "population", np.arange(CASES)) == wanted)


def hidden_set(rng: np.random.Generator) -> bool:
    """Return whether a set whose mean misses 0.25 by the last digit kept is accepted."""
    errors = np.rint(rng.beta(1, 3, CASES) * 1e9)
    errors += np.floor((0.25e9 * CASES + 1 - errors.sum()) / CASES) + 1
    errors = np.clip(errors, 0, 1e9)
    return (
        bool(errors.sum() > 0.25e9 * CASES) and verdict(errors / 1e9, "hidden_set", rng.permutation(CASES)) == "accept"
    )


def normal_interval(rng: np.random.Generator) -> bool:
    """Return whether a one-sided 95 % normal interval of rarely huge errors, mean 0.5, is below 0.25."""
    errors = np.where(rng.random(CASES) < 0.001, 400.0, 0.1) * rng.random(CASES) * 2
    upper = errors.mean() + stats.norm.isf(0.05) * errors.std(ddof=1) / np.sqrt(CASES)
    return bool(upper <= 0.25)


CLAIM = Claim(
    id="real-values",
    title=Words("A mean error is proven small only under a cap", "只有设定上限，才能证明平均误差很小"),
    sentence=Words(
        "A normal interval shows a mean error of 0.5 to lie below 0.25 in almost every second run when one error in "
        "a thousand is huge; the capped error, which is another and a named measure, holds α both ways.",
        "若千分之一的误差极大，正态近似区间几乎每两次就有一次会“证明”平均值 0.5 低于 0.25；"
        "截断误差是另一个有名称的指标，两个方向均保持水平 α。",
    ),
    assumes=Words(
        "The cap stands in the rule and the claim is about the capped error. Independent draws, or a random order of "
        "the finite set. Scores are kept to nine digits of the cap.",
        "上限写在准则中，结论针对截断误差。独立抽取，或有限集合的随机排列。得分保留到上限的九位数字。",
    ),
    studies=(
        Study(
            each(normal_interval),
            (Reading("no cap, normal interval: mean 0.5 “below 0.25”", "wrong", Beyond(0.05)),),
            4000,
            100,
        ),
        Study(population("accept"), (Reading("capped, population at 0.25: accepted", "ours", AtMost(0.05)),), 4000, 60),
        Study(population("reject"), (Reading("capped, population at 0.25: rejected", "ours", AtMost(0.05)),), 4000, 60),
        Study(each(hidden_set), (Reading("capped, set just above 0.25: accepted", "ours", AtMost(0.05)),), 4000, 60),
    ),
    note="800 cases; errors Beta(1, 3) under the cap of 1.",
    source="statistics, §2.2",
)
