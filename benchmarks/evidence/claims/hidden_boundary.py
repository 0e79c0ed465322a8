"""The boundary of a hidden set, ties included (statistics §2.4, pitfall 1)."""

from __future__ import annotations

import numpy as np

from benchmarks.evidence.contract import AtMost, Beyond, Claim, Reading, Study, Words, each
from benchmarks.evidence.ingredients import accepted, rejected, share_of, verdict

MET = np.repeat([1, 0], [900, 100])
MISSED = np.repeat([1, 0], [899, 101])


def float_comparison(rng: np.random.Generator) -> bool:
    """Return whether *the rest cannot reach it any more* is concluded from m_t ≥ 1 in floating point, ties included."""
    right = rng.permutation(MET)
    before = np.concatenate(([0], np.cumsum(right)[:-1]))
    null_means = (len(right) * 0.9 - before) / (len(right) - np.arange(len(right)))
    return bool((null_means >= 1).any())


CLAIM = Claim(
    id="hidden-boundary",
    source="statistics, §2.4",
    title=Words("At the boundary of a hidden set", "隐藏集恰在边界时"),
    sentence=Words(
        "A set that misses the threshold by one case is accepted, and one that meets it exactly is rejected, with "
        "probability at most α each; comparing floats at a tie rejects nine of ten sets that meet it.",
        "只差一个案例未达阈值的集合被判通过、恰好达到阈值的集合被判不通过，概率各至多为 α；若在相等时用浮点数比较，"
        "十个达标集合中有九个会被否定。",
    ),
    assumes=Words(
        "The order is a uniformly random permutation; the claim is about these 1,000 cases and no others.",
        "评分顺序为均匀随机排列；结论只针对这 1,000 个案例。",
    ),
    studies=(
        Study(
            each(float_comparison),
            (Reading("900 of 1,000, compared in floats: rejected", "wrong", Beyond(0.05), 0.87),),
            2000,
            40,
            200,
        ),
        Study(
            each(lambda rng: accepted(share_of(MISSED, "0.90"), rng.permutation(1000))),
            (Reading("899 of 1,000: accepted", "ours", AtMost(0.05), 0.006),),
            20000,
            300,
            500,
        ),
        Study(
            each(lambda rng: rejected(share_of(MET, "0.90"), rng.permutation(1000))),
            (Reading("900 of 1,000, a tie: rejected", "ours", AtMost(0.05), 0.0165),),
            20000,
            300,
            500,
        ),
        Study(
            each(lambda rng: verdict(share_of(MET, "0.90"), rng.permutation(1000)) == "inconclusive"),
            (Reading("… no verdict after all 1,000", "ours", AtMost(0.0), 0.0),),
            2000,
            100,
            500,
        ),
    ),
    note="Threshold 0.90, decided early; 0.006 is the reference's bound at N = 10,000.",
)
