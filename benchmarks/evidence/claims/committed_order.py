"""Corrections, row 1: the order of cases is drawn after all answers are committed."""

from __future__ import annotations

import hashlib

import numpy as np

from benchmarks.evidence.contract import AtMost, Beyond, Claim, Reading, Study, Words, each
from benchmarks.evidence.ingredients import accepted, share_of
from pilotbase.evidence import draw_order

CASES, GOOD = 4000, 400


def answers(rng: np.random.Generator) -> np.ndarray:
    """Return answers that are 99 % right on the first 400 places known to come first, then a coin's."""
    return np.concatenate((rng.random(GOOD) < 0.99, rng.random(CASES - GOOD) < 0.5))


def known(rng: np.random.Generator) -> bool:
    return accepted(share_of(answers(rng), "0.90"), np.arange(CASES))


def committed(rng: np.random.Generator) -> bool:
    seed = hashlib.sha256(rng.bytes(32) + rng.bytes(16)).digest()  # the operator's secret and the supplier's nonce
    return accepted(share_of(answers(rng), "0.90"), draw_order(CASES, seed))


CLAIM = Claim(
    id="committed-order",
    source="corrections, row 1",
    title=Words("The order is drawn after the answers", "先提交答案，后抽取顺序"),
    sentence=Words(
        "An application that knows which cases come first passes with 55 % of its answers right; with an order drawn "
        "after all answers are committed it never did.",
        "若应用事先知道哪些案例排在前面，答对 55 % 即可通过；在全部答案提交之后再抽取顺序，则从未通过。",
    ),
    assumes=Words(
        "The seed is the hash of the operator's secret, committed in the plan, and the supplier's nonce: neither "
        "side alone chooses it, and the operator does not reveal the secret before the answers are in.",
        "种子由运营方事先承诺的秘密与供给方随机数的散列得出：任何一方都无法单独决定，"
        "且运营方在答案收齐之前不泄露秘密。",
    ),
    studies=(
        Study(each(known), (Reading("order known beforehand: accepted", "wrong", Beyond(0.05), 1.0),), 1000, 20),
        Study(each(committed), (Reading("order drawn afterwards: accepted", "ours", AtMost(0.05), 0.0),), 2000, 40),
    ),
    note="Threshold 0.90, 4,000 hidden cases, 99 % right on the first 400, then a coin.",
)
