"""Corrections, row 6: a finite set's AUC is exact by census only; a population's is tested by independent pairs."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.evidence.contract import AtMost, Beyond, Claim, Reading, Study, Words, each
from benchmarks.evidence.ingredients import ALPHA, LEVELS, accepted
from pilotbase.documents.criteria import parse_rule
from pilotbase.evidence import CriterionPlan
from pilotbase.measures import Cases, Observation, observe

POSITIVES = 300
SHIFT = float(np.sqrt(2) * stats.norm.ppf(0.8))
"""Between the scores of the two classes: true AUC 0.80."""
RULE = parse_rule("auc(1) >= 0.80")


def cases_of(rng: np.random.Generator) -> Cases:
    truth = rng.permutation(np.repeat([0, 1], POSITIVES))
    scores = stats.norm.cdf(rng.normal(size=len(truth)) + SHIFT * truth)
    return Cases(truth, scores, classes=("0", "1"), positive="1", kind="probability")


def just_missed(rng: np.random.Generator) -> tuple[Observation, Observation, Fraction, Any]:
    """Return pairs, census, and a threshold that the set's own AUC misses by less than one pair of all."""
    cases, order = cases_of(rng), rng.permutation(2 * POSITIVES)
    census = observe(RULE, cases, order, "hidden_set")
    part = census.parts[0]
    bound = Fraction(int(part.gain.sum()) + 1, int(part.weight.sum()))
    return observe(RULE, cases, order, "population"), census, bound, order


def pairs_as_a_set(rng: np.random.Generator) -> bool:
    pairs, _, bound, order = just_missed(rng)
    return accepted(CriterionPlan("auc", pairs, ">=", bound, "hidden_set"), order)


def census(rng: np.random.Generator) -> bool:
    _, whole, bound, order = just_missed(rng)
    return accepted(CriterionPlan("auc", whole, ">=", bound, "hidden_set"), order)


def independent_pairs(rng: np.random.Generator) -> bool:
    cases, order = cases_of(rng), np.arange(2 * POSITIVES)
    plan = CriterionPlan("auc", observe(RULE, cases, order, "population"), ">=", Fraction("0.80"), "population")
    return accepted(plan, order, LEVELS)


CLAIM = Claim(
    id="auc-pairs",
    source="corrections, row 6",
    title=Words("AUC: a census of the set, or independent pairs of the population", "AUC：集合用普查，总体用独立配对"),
    sentence=Words(
        "Random pairs treated as a finite set accept, once exhausted, a set whose AUC misses the threshold about "
        "every second time; the census never does, and independent pairs hold α for the population.",
        "若把随机配对当作有限集合，配对用尽时约有一半会把 AUC 未达阈值的集合判为通过；普查从不误判，"
        "独立配对对总体保持水平 α。",
    ),
    assumes=Words(
        "Census: all positives and negatives of the set are scored. Pairs: positives and negatives are independent "
        "draws, and each case enters one pair.",
        "普查：集合中全部正例与负例均已评分。配对：正例与负例为独立抽取，每个案例只进入一对。",
    ),
    studies=(
        Study(
            each(pairs_as_a_set),
            (Reading("pairs taken for the finite set: accepted", "wrong", Beyond(0.05), 0.475),),
            2000,
            60,
        ),
        Study(each(census), (Reading("census of the set: accepted", "ours", AtMost(0.0), 0.0),), 2000, 40),
        Study(
            each(independent_pairs),
            (Reading("independent pairs, AUC 0.80 exactly: accepted", "ours", AtMost(float(ALPHA)), 0.023),),
            4000,
            200,
        ),
    ),
    note="300 positives and 300 negatives; the set's AUC misses the threshold by less than one of 90,000 pairs.",
)
