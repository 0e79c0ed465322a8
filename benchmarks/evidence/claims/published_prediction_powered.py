"""A12: what a judge is worth in asymptotic prediction-powered inference (statistics §2.8)."""

from __future__ import annotations

import numpy as np

from benchmarks.evidence.contract import Claim, Draw, Reading, Study, Words, near
from pilotbase.evidence import judge_weight

TARGETS = {0.05: 2.5, 0.1: 1.6, 0.2: 1.2, 0.5: 1.0}
PILOT, CASES = 4000, 200_000


def _draw(flipped: float) -> Draw:
    def draw(rng: np.random.Generator, size: int) -> list[float]:
        found = []
        for _ in range(size):
            labels = (rng.random(PILOT + CASES) < 0.9).astype(np.int64)
            scores = np.where(rng.random(len(labels)) < flipped, 1 - labels, labels)
            weight = float(judge_weight(labels[:PILOT], scores[:PILOT], 10**9))
            found.append(labels[PILOT:].var() / (labels[PILOT:] - weight * scores[PILOT:]).var())
        return found

    return draw


CLAIM = Claim(
    id="published-prediction-powered",
    source="A12; statistics, §2.8",
    title=Words("A12: a label with a judge counts for more", "A12：有评判模型时，每个标注更“值”"),
    sentence=Words(
        "With the weight that the product takes from a pilot, a label counts for as many as PPI++ promises.",
        "采用本系统由试点得出的权重，每个标注的等效数量与 PPI++ 一致。",
    ),
    assumes=Words(
        "Labels right with probability 0.9; the judge flips each with the probability shown; a pool far larger than "
        "the number of labels. The paper's real data were not read; the formula's gains are compared.",
        "标注以 0.9 的概率为正确；评判模型以所示概率翻转；样本池远大于标注数。未读取论文的真实数据，"
        "比较的是公式给出的增益。",
    ),
    studies=tuple(
        Study(
            _draw(flipped),
            (Reading(f"judge flips {flipped:.0%}: variance ratio", "ours", near(target, 0.06), target, share=False),),
            40, 3, 20,
        )
        for flipped, target in TARGETS.items()
    ),
    level=None,
)  # fmt: skip
