"""Corrections, row 3: strata are shuffled together."""

from __future__ import annotations

import numpy as np

from benchmarks.evidence.contract import AtMost, Beyond, Claim, Reading, Study, Words, each
from benchmarks.evidence.ingredients import accepted, share_of
from pilotbase.evidence import draw_order

EASY, HARD = 500, 500
RIGHT = np.concatenate((np.ones(EASY), np.repeat([1, 0], [399, 101])))
"""899 of 1,000 right: just short of 0.90; all errors are in the hard stratum."""


def one_after_the_other(rng: np.random.Generator) -> bool:
    order = np.concatenate((rng.permutation(EASY), EASY + rng.permutation(HARD)))
    return accepted(share_of(RIGHT, "0.90"), order)


def shuffled(rng: np.random.Generator) -> bool:
    return accepted(share_of(RIGHT, "0.90"), draw_order(len(RIGHT), rng.bytes(32)))


CLAIM = Claim(
    id="strata",
    source="corrections, row 3",
    title=Words("Strata never come one after the other", "各层案例不得逐层依次评分"),
    sentence=Words(
        "Scoring an easy stratum first accepts a set that misses the threshold, every time; a shuffle of all cases "
        "does so in at most a share α of the orders.",
        "先评容易的一层，每次都会把未达阈值的案例集判为通过；把全部案例一起随机排序，误判比例至多为 α。",
    ),
    assumes=Words(
        "The order is a uniformly random permutation of all cases; the claim is about these cases.",
        "评分顺序为全部案例的均匀随机排列；结论只针对这些案例。",
    ),
    studies=(
        Study(
            each(one_after_the_other), (Reading("easy stratum first: accepted", "wrong", Beyond(0.05), 1.0),), 1000, 40
        ),
        Study(each(shuffled), (Reading("all shuffled: accepted", "ours", AtMost(0.05), 0.004),), 20000, 300, 500),
    ),
    note="899 of 1,000 cases right against 0.90; the 101 errors lie in one of two strata.",
)
