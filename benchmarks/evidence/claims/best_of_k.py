"""Taking the best of several candidates costs α/k each (corrections, last part)."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.evidence.contract import AtMost, Beyond, Claim, Draw, Reading, Study, Words, each
from benchmarks.evidence.ingredients import LEVELS, accepted, share_of
from pilotbase.evidence import levels_among

CANDIDATES, CASES = 10, 1000


def best_accepted(levels: Any) -> Draw:
    def one(rng: np.random.Generator) -> bool:
        """Return whether any candidate is accepted: any later choice is among them."""
        return any(
            [accepted(share_of(rng.random(CASES) < 0.9, "0.90", "population"), None, levels) for _ in range(CANDIDATES)]
        )

    return each(one)


CLAIM = Claim(
    id="best-of-k",
    title=Words("The best of k candidates is judged at α/k", "从 k 个候选中取最优者，各按 α/k 判定"),
    sentence=Words(
        "Of ten candidates at the threshold some one is accepted far more often than α when each has α, and with "
        "probability at most α when each has α/10, however the best is chosen.",
        "十个候选都恰好处在阈值上时，若各用 α，有人通过的频率远超 α；各用 α/10 时至多为 α，无论以何种方式选出最优者。",
    ),
    assumes=Words(
        "The number of candidates is fixed beforehand; each candidate's own evidence is valid; they may depend on "
        "each other in any way (here independent, the worst case).",
        "候选数目事先固定；每个候选自身的证据有效；候选之间可任意相关（此处取独立，为最不利情形）。",
    ),
    studies=(
        Study(
            best_accepted(LEVELS),
            (Reading("ten candidates, α each: some accepted", "wrong", Beyond(0.05)),),
            3000,
            0,
        ),
        Study(
            best_accepted(levels_among(LEVELS, CANDIDATES)),
            (Reading("ten candidates, α/10 each: some accepted", "ours", AtMost(0.05)),),
            4000,
            60,
        ),
    ),
    note="True accuracy 0.90 against 0.90, 1,000 cases a candidate. The reference gives no rate here.",
    source="corrections, last part",
)
