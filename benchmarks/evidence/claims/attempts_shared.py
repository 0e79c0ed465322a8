"""Corrections, row 2, second half: twenty suppliers at the boundary share one α."""

from __future__ import annotations

import numpy as np

from benchmarks.evidence.contract import AtMost, Beyond, Claim, Draw, Reading, Study, Words, each
from benchmarks.evidence.ingredients import ALPHA, accepted, share_of
from pilotbase.evidence import Levels, attempt_levels

SUPPLIERS, CASES = 20, 1000


def some_accepted(levels_of: object) -> Draw:
    def one(rng: np.random.Generator) -> bool:
        # Every supplier is tried, as in reality: stopping early could hide a false accept.
        found = [
            accepted(share_of(rng.random(CASES) < 0.9, "0.90", "population"), None, levels_of(attempt))  # type: ignore[operator]
            for attempt in range(1, SUPPLIERS + 1)
        ]
        return any(found)

    return each(one)


CLAIM = Claim(
    id="attempts-shared",
    source="corrections, row 2",
    title=Words("α is shared among all attempts, by whomever", "α 由全部测试共享，不论由谁发起"),
    sentence=Words(
        "Of twenty suppliers that all sit exactly at the threshold some one passes in one round of five when each "
        "has α; with the product's α/(j(j+1)) the chance that any passes stays below α.",
        "二十家供给方都恰好处在阈值上时，若各用 α，五轮中约有一轮会有人通过；采用 α/(j(j+1)) 后，"
        "任一家通过的概率低于 α。",
    ),
    assumes=Words(
        "Each attempt scores fresh, independent cases; a measure exactly at the threshold is the worst case of those "
        "that have to fail.",
        "每次测试使用全新且独立的案例；恰好等于阈值是“应判不通过”中最不利的情形。",
    ),
    studies=(
        Study(
            some_accepted(lambda _: Levels(ALPHA, ALPHA)),
            (Reading("twenty suppliers, α each: some accepted", "wrong", Beyond(0.05), 0.30),), 2000, 150,
        ),
        Study(
            some_accepted(lambda _: Levels(ALPHA / SUPPLIERS, ALPHA)),
            (Reading("twenty suppliers, α/20 each: some accepted", "fact", AtMost(0.05), 0.017),), 2000, 0,
        ),
        Study(
            some_accepted(lambda attempt: attempt_levels(ALPHA, attempt)),
            (Reading("twenty suppliers, α/(j(j+1)): some accepted", "ours", AtMost(0.05)),), 4000, 25,
        ),
        Study(
            some_accepted(lambda attempt: attempt_levels(ALPHA, attempt, SUPPLIERS)),
            (Reading("split among twenty suppliers, first attempts: some accepted", "ours", AtMost(0.05)),), 2000, 0,
        ),
    ),
    note="True accuracy 0.90 against the threshold 0.90, population estimand, 1,000 cases an attempt.",
)  # fmt: skip
