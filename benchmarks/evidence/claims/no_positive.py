"""Corrections, row 10: nothing counted is not measured, never a pass."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from benchmarks.evidence.contract import AtMost, Beyond, Claim, Reading, Study, Words, each
from benchmarks.evidence.ingredients import LEVELS
from pilotbase.documents.criteria import parse_rule
from pilotbase.evidence import CriterionPlan, decide
from pilotbase.measures import Cases, observe

CASES = 500
RULE = parse_rule("precision(1) >= 0.90")


def never_positive(rng: np.random.Generator) -> Cases:
    truth = (rng.random(CASES) < rng.random()).astype(int)
    return Cases(truth, np.zeros(CASES, dtype=int), classes=("0", "1"), positive="1")


def sum_reaches_zero(rng: np.random.Generator) -> bool:
    part = observe(RULE, never_positive(rng), np.arange(CASES)).parts[0]
    return bool((10 * part.gain.astype(int) - 9 * part.weight.astype(int)).sum() >= 0)


def product(rng: np.random.Generator) -> bool:
    order = rng.permutation(CASES)
    plan = CriterionPlan(str(RULE), observe(RULE, never_positive(rng), order), ">=", Fraction(9, 10))
    decision = decide([plan], order, LEVELS)
    return decision.verdict == "accept" or decision.criteria[0].verdict != "not_measured"


CLAIM = Claim(
    id="no-positive",
    source="corrections, row 10",
    title=Words("0/0 is not measured", "0/0 记为未测"),
    sentence=Words(
        "An application that never answers “positive” meets every precision when a sum is compared with zero; here "
        "it is not measured, and the verdict is not accept.",
        "从不回答“阳性”的应用，若只看求和是否不小于零，则任何精确率都“达标”；在此记为未测，结论不会是通过。",
    ),
    assumes=Words("None.", "无。"),
    studies=(
        Study(
            each(sum_reaches_zero), (Reading("Σ (gain − c·weight) ≥ 0: passed", "wrong", Beyond(0.05), 1.0),), 500, 20
        ),
        Study(each(product), (Reading("passed, or measured at all", "ours", AtMost(0.0), 0.0),), 500, 20),
    ),
    note="Precision ≥ 0.90 on 500 cases of any prevalence.",
)
