"""Why bets are on a logarithmic grid (statistics, decision 3)."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from benchmarks.evidence.contract import AtMost, Between, Claim, Reading, Study, Words, each
from benchmarks.evidence.ingredients import rejected, share_of
from pilotbase.evidence import Levels

CASES, TRUTH = 10_000, 0.88
LEVELS = Levels(Fraction(1, 40), Fraction(1, 40))
LINEAR = np.arange(1, 21) / 21


def linear_grid(rng: np.random.Generator) -> bool:
    """Return whether a Kelly mixture over twenty equally spaced fractions of the largest bet refutes 0.90."""
    counts = np.cumsum(rng.random(CASES) < TRUTH)
    times = np.arange(1, CASES + 1)
    # A right answer loses the fraction of the stake, a wrong one wins nine times as much.
    logs = np.log1p(-LINEAR)[:, None] * counts + np.log1p(9 * LINEAR)[:, None] * (times - counts)
    return bool((np.logaddexp.reduce(logs, axis=0) - math.log(len(LINEAR))).max() >= math.log(40))


CLAIM = Claim(
    id="log-grid",
    source="statistics, decision 3",
    title=Words("Bets on a logarithmic grid", "对数网格上的下注"),
    sentence=Words(
        "Near 0 or 1 equally spaced bets are all too large: they reject 0.88 against 0.90 in three runs of five "
        "where the product's logarithmic grid does so practically always.",
        "在 0 或 1 附近，等距下注全都过大：对 0.88 与阈值 0.90，等距网格五次中只有三次能否定，"
        "本系统的对数网格几乎每次都能。",
    ),
    assumes=Words(
        "Independent draws, up to 10,000 cases, α = 0.025 a side. Both are valid; this is about power alone.",
        "独立抽取，至多 10,000 个案例，每侧 α = 0.025。两者均有效，此处只比较功效。",
    ),
    studies=(
        Study(each(linear_grid), (Reading("linear grid: 0.88 rejected", "wrong", AtMost(0.8), 0.597),), 2000, 60),
        Study(
            each(lambda rng: rejected(share_of(rng.random(CASES) < TRUTH, "0.90", "population"), None, LEVELS)),
            (Reading("the product's grid: 0.88 rejected", "ours", Between(0.99, 1.0), 0.9985),), 2000, 60,
        ),
    ),
    level=None,
)  # fmt: skip
