"""Ours: ten measures with intervals, by the functions that a trial calls."""

from __future__ import annotations

import sys
from fractions import Fraction

import numpy as np
from rows import classified
from timing import say

from pilotbase.documents.criteria import parse_rule
from pilotbase.evidence import CriterionPlan, Design, Levels, decide, draw_order
from pilotbase.measures import Cases, observe

ESTIMAND = sys.argv[1]
RULES = [
    parse_rule(rule)
    for rule in (
        "accuracy >= 0.80", "balanced_accuracy >= 0.75", "precision >= 0.50", "recall >= 0.65",
        "specificity >= 0.80", "f1 >= 0.58", "jaccard >= 0.41", "mcc >= 0.45", "brier <= 0.15", "auc >= 0.80",
    )
]  # fmt: skip
LEVELS = Levels(Fraction(1, 20), Fraction(1, 20))


def judge(cases: Cases, order: np.ndarray) -> None:
    plans = [
        CriterionPlan(
            str(rule), observe(rule, cases, order, ESTIMAND), rule.comparison, Fraction(rule.threshold), ESTIMAND
        )
        for rule in RULES
    ]
    decision = decide(plans, order, LEVELS, Design(stop="full" if ESTIMAND == "population" else "early"))
    assert all(item.lower is not None and item.upper is not None for item in decision.criteria)
    assert decision.verdict == "accept", [(item.rule, item.verdict) for item in decision.criteria]


def cases_of(n: int) -> Cases:
    truth, scores = classified(n)
    return Cases(truth, scores, classes=("0", "1"), positive="1", kind="probability")


small = cases_of(100_000)
judge(small, draw_order(len(small), b"warm"))
million = cases_of(1_000_000)
ORDER = draw_order(len(million), b"seed")
say(lambda: judge(million, ORDER))
