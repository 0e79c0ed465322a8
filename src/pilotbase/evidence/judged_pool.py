"""What is known of a pool whose cases a judge has all scored and people have labelled in part."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.errors import InputError
from pilotbase.evidence.primitive import Ints, integers, table


@dataclass(frozen=True)
class JudgedPool:
    """What is known before any label: how many cases, their scores' total and limits, and the limits of a label.

    Scores and labels are integers in one unit (for scores with three decimals: thousandths).
    """

    size: int
    score_total: int
    score_limits: tuple[int, int]
    label_limits: tuple[int, int]

    @classmethod
    def of(cls, scores: Ints, label_limits: tuple[int, int]) -> JudgedPool:
        """Return the pool of the cases with these judge scores."""
        whole = integers(scores)
        if len(whole) == 0:
            raise InputError("evidence.no_cases")
        return cls(len(whole), int(whole.sum()), (int(whole.min()), int(whole.max())), label_limits)

    def mirrored(self) -> JudgedPool:
        """Return the pool with all signs turned: evidence below becomes evidence above."""
        (low, high), (least, most) = self.score_limits, self.label_limits
        return JudgedPool(self.size, -self.score_total, (-high, -low), (-most, -least))

    def checked(self, values: NDArray[Any], before: LabelledSums) -> tuple[Ints, Ints]:
        """Return labels and scores of a batch; refuse what cannot be of this pool."""
        columns = table(values, (2,))
        labels, scores = integers(columns[:, 0], *self.label_limits), integers(columns[:, 1], *self.score_limits)
        found = before.count + len(labels)
        if found > self.size:
            raise InputError("evidence.more_than_the_set", size=self.size, found=found)
        rest, left = self.size - found, self.score_total - before.scores - int(scores.sum())
        if not rest * self.score_limits[0] <= left <= rest * self.score_limits[1]:
            raise InputError("evidence.scores_do_not_fit", found=found)
        return labels, scores


@dataclass(frozen=True)
class LabelledSums:
    """Sums over the labelled cases: of labels, scores, their product and squared scores."""

    count: int = 0
    labels: int = 0
    scores: int = 0
    products: int = 0
    squares: int = 0


@dataclass(frozen=True)
class SumsBefore:
    """The sums as they stood before each label of a batch."""

    count: Ints
    labels: Ints
    scores: Ints
    products: Ints
    squares: Ints

    def negated(self) -> SumsBefore:
        """Return the sums of turned labels and scores."""
        return replace(self, labels=-self.labels, scores=-self.scores)


def judge_weight(labels: Ints, scores: Ints, pool_size: int) -> Fraction:
    """Return λ for a pool from a pilot: labels and scores of cases that are *not* of the pool, in twentieths.

    cov(label, score) / ((1 + n/N) var(score)), clipped to [0, 1]; 0 when the scores do not vary. Source: Angelopoulos,
    Duchi & Zrnic, "PPI++", 2023.
    """
    pilot = len(labels)
    if pilot < 2 or float(np.var(scores)) == 0.0:
        return Fraction(0)
    together = float(np.cov(labels, scores)[0, 1])
    slope = together / ((1 + pilot / pool_size) * float(np.var(scores, ddof=1)))
    return Fraction(round(20 * min(max(slope, 0.0), 1.0)), 20)


def running(sums: LabelledSums, labels: Ints, scores: Ints) -> tuple[SumsBefore, LabelledSums]:
    """Return the sums before each label of a batch, and after the last."""
    terms = (np.ones(len(labels), dtype=np.int64), labels, scores, labels * scores, scores * scores)
    starts = (sums.count, sums.labels, sums.scores, sums.products, sums.squares)
    totals = [start + np.concatenate(([0], np.cumsum(term))) for start, term in zip(starts, terms, strict=True)]
    return SumsBefore(*(total[:-1] for total in totals)), LabelledSums(*(int(total[-1]) for total in totals))
