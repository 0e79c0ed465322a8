"""Which of several applications is better, by scores on the same cases: a partial order with family-wise error ≤ α.

For every ordered pair the null is *the mean of a - b is at most δ*. Its martingale's highest capital so far is an
anytime p-value; Holm's steps over all k(k - 1) hypotheses run at every time at once and a rejection stays. At the first
false one, a true null's capital is at least (true nulls)/α, so it happens with probability ≤ α (Holm 1979; Ville 1939).

An application is *within ε of the best* once *a is at most b - ε* is rejected at α/(k - 1) for each other b. The union
is over b only: naming a wrongly needs a rejection against the best one, and there are k - 1 who could be named.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations

import numpy as np

from pilotbase.documents.errors import InputError
from pilotbase.evidence.martingale import MeanMartingale
from pilotbase.evidence.primitive import Ints


@dataclass(frozen=True)
class PairedTerms:
    """What *better* means: by more than ``margin``; ``tolerance``: how far from the best one may be.

    Both are in the unit of the scores. ``alpha`` is the error of the order, and again that of the best.
    """

    margin: Fraction
    tolerance: Fraction
    alpha: float


@dataclass(frozen=True)
class PartialOrder:
    """Who is better than whom, and who is within the tolerance of the best, each with the entries that it took."""

    better: dict[tuple[int, int], int]
    """(better, worse) → entries; a pair in neither direction is not separable with these cases."""
    best: dict[int, int]


def compare_paired(scores: Ints, highest: int, terms: PairedTerms) -> PartialOrder:
    """Return the order of the columns of ``scores``, shape (entries, k), whole numbers in [0, ``highest``].

    Entries are in an order that nobody knew before the answers were fixed.

    Raises:
        InputError: fewer than two columns, or a margin that nobody can exceed.
    """
    count = scores.shape[1]
    if count < 2:
        raise InputError("evidence.one_to_compare")
    if not 0 <= terms.margin < highest:
        raise InputError("evidence.margin_outside", margin=float(terms.margin), highest=highest)
    pairs = list(permutations(range(count), 2))
    shares = [math.log((left + 1) / terms.alpha) for left in range(len(pairs))]
    gains = {(a, b): scores[:, a] - scores[:, b] for a, b in pairs}
    better = _holm({pair: _crossings(gains[pair], highest, terms.margin, shares) for pair in pairs})
    level = [math.log((count - 1) / terms.alpha)]
    near = {pair: _crossings(gains[pair], highest, -terms.tolerance, level)[0] for pair in pairs}
    best = {}
    for a in range(count):
        times = [when for b in range(count) if b != a and (when := near[a, b]) is not None]
        if len(times) == count - 1:
            best[a] = max(times)
    return PartialOrder(better, best)


def _crossings(gains: Ints, highest: int, null: Fraction, levels: Sequence[float]) -> list[int | None]:
    """Return after how many entries the log capital against *mean ≤ null* first reached each of the rising levels."""
    if MeanMartingale.with_replacement(null, -highest).crossing(gains, levels[0]) is None:
        return [None] * len(levels)  # the usual case, and much quicker than the path
    capital = np.maximum.accumulate(MeanMartingale.with_replacement(null, -highest).update(gains))
    found = np.searchsorted(capital, levels)
    return [int(place) + 1 if place < len(capital) else None for place in found]


def _holm(times: dict[tuple[int, int], list[int | None]]) -> dict[tuple[int, int], int]:
    """Return when each pair was rejected; ``times`` has its crossing for every number of hypotheses left, less one."""
    rejected: dict[tuple[int, int], int] = {}
    latest = 0
    while len(rejected) < len(times):
        left = len(times) - len(rejected) - 1
        found = [(when[left], pair) for pair, when in times.items() if pair not in rejected]
        crossed = [(when, pair) for when, pair in found if when is not None]
        if not crossed:
            break
        when, pair = min(crossed)
        rejected[pair] = latest = max(latest, when)
    return rejected
