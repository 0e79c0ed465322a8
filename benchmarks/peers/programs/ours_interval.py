"""Ours: the interval of AUC or F1 on 100,000 rows, from truth and answers to bounds; 10,000 resamples where any."""

from __future__ import annotations

import sys
from fractions import Fraction

import numpy as np
from rows import classified
from timing import say

from pilotbase.documents.criteria import parse_rule
from pilotbase.evidence import CriterionPlan, Design, Levels, MultinomialBootstrap, decide
from pilotbase.measures import Cases, observe

MEASURE, WAY = sys.argv[1:]
LEVELS = Levels(Fraction(1, 40), Fraction(1, 40))
"""α/2 a side, as the bootstrap's 95 %."""


def f1_of(counts: np.ndarray) -> np.ndarray:
    """Return F1 of counts (…, 4) in the order tn, fp, fn, tp."""
    return 2 * counts[..., 3] / (2 * counts[..., 3] + counts[..., 1] + counts[..., 2])


def interval(cases: Cases) -> None:
    if WAY.startswith("multinomial"):
        bootstrap = MultinomialBootstrap(4, f1_of, 0.05)
        print(bootstrap.update(2 * cases.truth + (cases.answers >= 0.5)))
        return
    order = np.arange(len(cases))
    rule = parse_rule("auc_delong >= 0.80" if MEASURE == "auc" else "f1 >= 0.50")
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
