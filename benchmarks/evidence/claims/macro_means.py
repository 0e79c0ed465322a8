"""Macro-averages: every class at α/C, and the bounds combined (corrections, last part)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from benchmarks.evidence.contract import AtMost, Beyond, Claim, Reading, Study, Words, each
from benchmarks.evidence.ingredients import LEVELS
from pilotbase.documents.criteria import parse_rule
from pilotbase.evidence import CriterionPlan, Design, decide, verdict_of
from pilotbase.measures import Cases, observe

CASES = 1200
CONFUSION = np.array([[0.40, 0.05, 0.05], [0.04, 0.22, 0.04], [0.03, 0.03, 0.14]])
"""Joint probabilities of truth (rows) and answer."""
F1 = 2 * np.diag(CONFUSION) / (CONFUSION.sum(axis=0) + CONFUSION.sum(axis=1))
MACRO = Fraction(float(F1.mean())).limit_denominator(10**6) + Fraction(1, 10**6)
"""The true macro-F1 and a little more, so that it misses the bound."""
RULE = parse_rule("macro_f1 >= 0.5")


def cases_of(rng: np.random.Generator) -> Cases:
    cells = rng.choice(9, CASES, p=CONFUSION.ravel())
    return Cases(cells // 3, cells % 3, classes=("a", "b", "c"))


def product(rng: np.random.Generator) -> bool:
    cases, order = cases_of(rng), np.arange(CASES)
    plan = CriterionPlan("macro_f1", observe(RULE, cases, order, "population"), ">=", MACRO, "population")
    return verdict_of([plan], order, LEVELS)[0] == "accept"


def bounds_miss(rng: np.random.Generator) -> bool:
    cases, order = cases_of(rng), np.arange(CASES)
    plan = CriterionPlan("macro_f1", observe(RULE, cases, order, "population"), ">=", Fraction(1, 2), "population")
    item = decide([plan], order, LEVELS, Design(stop="full")).criteria[0]
    assert item.lower is not None
    return item.lower > float(F1.mean())


def estimate(rng: np.random.Generator) -> bool:
    """Return whether the plain value passes the bound that the truth misses."""
    found: Any = observe(RULE, cases_of(rng), np.arange(CASES), "population").value(">=")
    return bool(found >= MACRO)


CLAIM = Claim(
    id="macro-means",
    title=Words("Macro-averages take α/C for each class", "宏平均：每一类用 α/C"),
    sentence=Words(
        "A plain macro-F1 passes a bound that the truth misses every other time; the bounds of the classes at α/C, "
        "combined, do so with probability at most α.",
        "直接用宏平均 F1 的数值判断，真值未达阈值时每两次就有一次通过；各类按 α/C 取界再合并，概率至多为 α。",
    ),
    assumes=Words(
        "Independent draws; the classes are named beforehand. The union bound is conservative: such a criterion "
        "needs more cases than a single ratio.",
        "独立抽取；类别事先写明。并集界偏保守：这类准则比单个比值需要更多案例。",
    ),
    studies=(
        Study(each(estimate), (Reading("value ≥ bound: passed", "wrong", Beyond(0.05)),), 4000, 60),
        Study(each(product), (Reading("the product: accepted", "ours", AtMost(0.05)),), 400, 6, 10),
        Study(each(bounds_miss), (Reading("its lower bound above the truth", "ours", AtMost(0.05)),), 300, 6, 10),
    ),
    note="Three classes, 1,200 cases; the bound lies 10⁻⁶ above the true macro-F1.",
    source="statistics, §2.2; corrections, last part",
)
