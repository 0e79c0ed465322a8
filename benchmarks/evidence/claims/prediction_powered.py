"""Corrections, row 5: few labels, and a weight that follows them, need the right null mean."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from benchmarks.evidence.contract import AtMost, Beyond, Claim, Draw, Reading, Study, Words, each
from pilotbase.evidence import JudgedPool, PredictionPowered
from pilotbase.evidence.martingale import FRACTIONS, log_mean

SIZE, NEEDED = 2000, 1800
LEVEL = math.log(20)


def pool(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and judge scores in random order: 1,799 of 2,000 right, one short; the judge errs in one of ten."""
    labels = rng.permutation(np.repeat([1, 0], [NEEDED - 1, SIZE - NEEDED + 1]))
    return labels, np.where(rng.random(SIZE) < 0.1, 1 - labels, labels)


def simple_null(rng: np.random.Generator) -> bool:
    """Return whether (N·m - Σ z)/(N - t + 1) is beaten with λ 1 while the judge has looked lenient so far, else 0."""
    labels, scores = pool(rng)
    centred = scores - scores.mean()
    lenient = np.concatenate(([0.0], np.cumsum(centred)[:-1]))
    values = labels - (lenient > 0) * centred  # λ is a function of the past, as required
    low = -(1 - scores.mean())
    before = np.concatenate(([0.0], np.cumsum(values)[:-1]))
    room = (NEEDED - before) / (SIZE - np.arange(SIZE)) - low
    usable = np.logical_and.accumulate(room > 0)
    gains = np.where(usable, (values - low) / np.where(usable, room, 1.0) - 1.0, 0.0)
    return bool(log_mean(np.cumsum(np.log1p(FRACTIONS[:, None] * gains), axis=1)).max() >= LEVEL)


def product(learn: bool) -> Draw:
    def one(rng: np.random.Generator) -> bool:
        labels, scores = pool(rng)
        test = PredictionPowered(JudgedPool.of(scores, (0, 1)), Fraction(9, 10), Fraction(3, 5), learn)
        return bool((test.update(np.column_stack((labels, scores)))[0] >= LEVEL).any())

    return each(one)


CLAIM = Claim(
    id="prediction-powered",
    source="corrections, row 5",
    title=Words("Few labels: the null follows the weight", "少量标注：原假设均值须随权重修正"),
    sentence=Words(
        "When the trust in a judge moves with the labels, the null mean of a fixed trust accepts a pool that misses "
        "the threshold far too often; with a fixed trust, or the corrected null mean, it is at most α.",
        "若对评判模型的信任随标注变动，却仍用固定信任的原假设均值，就会过于频繁地把未达阈值的样本池判为通过；"
        "信任固定或原假设均值经修正时，误判概率至多为 α。",
    ),
    assumes=Words(
        "The judge has scored every case of the pool beforehand; cases are labelled in uniformly random order; "
        "nothing is assumed of the judge; only the pool is claimed.",
        "评判模型已事先为池中每个案例打分；标注次序为均匀随机；对评判模型不作任何假设；结论只针对该样本池。",
    ),
    studies=(
        Study(each(simple_null), (Reading("moving λ, simple null: accepted", "wrong", Beyond(0.05), 0.36),), 4000, 150),
        Study(product(False), (Reading("λ fixed at 0.6: accepted", "ours", AtMost(0.05), 0.015),), 4000, 80),
        Study(product(True), (Reading("λ learned, corrected null: accepted", "ours", AtMost(0.05), 0.01),), 4000, 80),
    ),
    note="1,799 of 2,000 labels right against 0.90; the judge is wrong in one case of ten.",
)
