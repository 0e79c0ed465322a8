"""Ours: the interval of AUC or F1 on 100,000 rows, from truth and answers to bounds."""

from __future__ import annotations

import sys
from fractions import Fraction

import numpy as np
from rows import classified
from timing import say

from pilotbase.documents.criteria import parse_rule
from pilotbase.evidence import CriterionPlan, Design, Levels, decide
from pilotbase.measures import Cases, observe

MEASURE = sys.argv[1]
LEVELS = Levels(Fraction(1, 40), Fraction(1, 40))
"""α/2 a side, as the 95 % of the peer's bootstrap."""


def interval(cases: Cases) -> None:
    order = np.arange(len(cases))
    rule = parse_rule("auc >= 0.80" if MEASURE == "auc" else "f1 >= 0.50")
    plan = CriterionPlan(str(rule), observe(rule, cases, order, "population"), ">=", Fraction(1, 2), "population")
    item = decide([plan], order, LEVELS, Design(stop="full")).criteria[0]
    assert item.lower is not None
    assert item.upper is not None
    print(item.lower, item.estimate, item.upper, item.guarantee)


def cases_of(n: int) -> Cases:
    truth, scores = classified(n)
    return Cases(truth, scores, classes=("0", "1"), positive="1", kind="probability")


interval(cases_of(2000))
DATA = cases_of(100_000)
say(lambda: interval(DATA))
