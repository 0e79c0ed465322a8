"""Corrections, row 2, first half: what an application learns from scores on cases that are used again."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from benchmarks.evidence.contract import AtMost, Beyond, Claim, Reading, Study, Words, column, each
from benchmarks.evidence.ingredients import ALPHA, accepted, share_of
from pilotbase.evidence import Levels, attempt_levels

CASES, GROUPS, ATTEMPTS = 500, 20, 6
BOUND = "0.52"


def reused(rng: np.random.Generator) -> list[bool]:
    """Return whether some attempt up to each was accepted, when all attempts score the same cases at α / J.

    The answers are coins; after each attempt the supplier keeps the best answers of every group.
    """
    truth = rng.random(CASES) < 0.5
    group = np.repeat(np.arange(GROUPS), CASES // GROUPS)
    best, best_score = np.zeros(CASES, dtype=bool), np.full(GROUPS, -1)
    levels = Levels(ALPHA / ATTEMPTS, ALPHA)
    some = [False]
    for attempt in range(ATTEMPTS):
        fresh = rng.random(CASES) < 0.5
        answers = fresh if attempt == 0 else best
        plan = share_of(answers == truth, BOUND, "population")
        some.append(some[-1] or accepted(plan, None, levels, fixed=True))
        score = np.bincount(group, fresh == truth).astype(int)  # the group scores that were reported
        better = score > best_score
        best = np.where(better[group], fresh, best)
        best_score = np.maximum(score, best_score)
    return some[1:]


def fresh_cases(rng: np.random.Generator) -> list[bool]:
    """Return the same with cases never scored before and the product's levels: what was learned is worthless."""
    some = [False]
    for attempt in range(1, ATTEMPTS + 1):
        right = rng.random(CASES) < 0.5
        levels = attempt_levels(Fraction(ALPHA), attempt)
        some.append(some[-1] or accepted(share_of(right, BOUND, "population"), None, levels, fixed=True))
    return some[1:]


CLAIM = Claim(
    id="attempts-reused",
    source="corrections, row 2",
    title=Words("An attempt scores only cases never scored before", "每次测试只对从未评过分的案例评分"),
    sentence=Words(
        "Where attempts score the same cases and report scores by group, a coin passes sooner or later although "
        "every attempt is tested at α/J; on fresh cases with level α/(j(j+1)) it does so with probability at most α.",
        "若多次测试使用同一批案例并按组公布得分，即使每次按 α/J 检验，随机乱答者迟早也会通过；改用全新案例并采用水平 "
        "α/(j(j+1))，则通过的概率至多为 α。",
    ),
    assumes=Words(
        "Cases of the hidden set version are independent draws; what was scored once is never scored again, for any "
        "supplier; every attempt counts from the first hidden batch on.",
        "隐藏集的案例为独立抽取；评过分的案例对任何供给方都不再评分；自首批隐藏数据送达起即计为一次测试。",
    ),
    studies=(
        Study(
            each(reused),
            (
                Reading("same cases, α/6 each: accepted by attempt 3", "wrong", Beyond(0.05), 0.16, column(2)),
                Reading("same cases, α/6 each: accepted by attempt 6", "wrong", Beyond(0.05), 0.96, column(5)),
            ),
            4000,
            100,
        ),
        Study(
            each(fresh_cases),
            (Reading("fresh cases, α/(j(j+1)): accepted by attempt 6", "ours", AtMost(0.05), 0.0, column(5)),),
            4000,
            100,
        ),
    ),
    note="Threshold 0.52 against a coin; 500 cases, one look; accuracy in 20 groups reported after each attempt.",
)
