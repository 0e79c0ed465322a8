"""A board's Ladder: fixed steps, few improvements, and a band that holds for every entry a team could come to.

Algorithm 1 of Blum & Hardt, "The Ladder: a reliable leaderboard for machine learning competitions", ICML 2015, with the
shown loss rounded up, so that a shown loss is never better than the measured one. It never certifies.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

_FINEST, _SPREAD, _ROUNDING = 50, 1.3, 1e-9
"""A step is at least 1/50 and 1.3 standard deviations of a mean, if those of a case are at most 1."""
_FEWEST_CASES = 20
LONGEST_BAND, MISS = 0.2, 0.05
"""A board whose band is wider is refused; the probability that a band fails."""


@dataclass(frozen=True)
class Ladder:
    """A board on ``cases`` independent cases that takes so many ``entries`` and shows so many ``improvements``."""

    cases: int
    entries: int
    improvements: int

    @property
    def steps(self) -> int:
        """Return how many steps there are between the losses 0 and 1."""
        return max(1, min(_FINEST, int(math.sqrt(self.cases) / _SPREAD)))

    def after(self, loss: float, shown: tuple[float, ...]) -> tuple[float, ...]:
        """Return the losses ``shown`` so far, oldest first, after an entry of mean ``loss`` in [0, 1].

        There is one more if it is better than the last by a step, and not all improvements are used.
        """
        rounded = math.ceil(loss * self.steps - _ROUNDING) / self.steps
        better = not shown or rounded <= shown[-1] - 1 / self.steps + _ROUNDING
        return (*shown, rounded) if better and len(shown) < self.improvements else shown

    @property
    def band(self) -> float:
        """Return by how much any shown loss may be below the true one, except with probability `MISS`.

        After r - 1 improvements a team has seen at which entries and on which of ``steps + 1`` levels they came, and
        nothing else. So it can come to at most Σ C(entries, r)·C(steps + 1, r - 1) different entries whose loss is
        shown; Hoeffding's inequality for each, and a union over all of them.
        """
        several = range(1, min(self.improvements, self.entries) + 1)
        possible = sum(math.comb(self.entries, r) * math.comb(self.steps + 1, r - 1) for r in several)
        return math.sqrt((math.log(possible) - math.log(MISS)) / (2 * self.cases))

    @property
    def needed(self) -> int:
        """Return the fewest independent cases with which this budget keeps the band within `LONGEST_BAND`."""
        return 1 + bisect_left(range(1, 10**9), -LONGEST_BAND, key=lambda n: -replace(self, cases=n).band)


def slice_size(share: float, rows: int) -> int:
    """Return how many of ``rows`` hidden cases a board gets at least; whole clusters may be a few more."""
    return max(round(share * rows), _FEWEST_CASES)


def independent_cases(clusters: npt.NDArray[np.int64], weights: npt.NDArray[np.float64]) -> float:
    """Return as how many independent cases they count: (Σ W)² / Σ W² over the weights W of whole clusters.

    Hoeffding's inequality for a weighted mean of independent clusters is that for a plain mean of so many cases.
    """
    sums = np.bincount(np.unique(clusters, return_inverse=True)[1], weights=weights)
    return float(sums.sum() ** 2 / (sums**2).sum()) if sums.any() else 0.0
