"""A quantile criterion, ``p95 ≤ L``, as a Bernoulli criterion: a share of at least 0.95 does not exceed L.

No assumption on the tail is needed. With ``units`` the entries are time blocks, each a cluster of requests.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from pilotbase.evidence.criterion import SingleTest
from pilotbase.evidence.lattice import Stream


@dataclass(frozen=True)
class QuantileTest:
    """The criterion *quantile ≤ bound* over ``single``'s values gain / weight (all of one weight)."""

    single: SingleTest
    quantile: Fraction

    @property
    def range(self) -> tuple[Fraction, Fraction]:
        values = self._values
        return Fraction(0), Fraction(int(values.gain.max(initial=0)), self._weight)

    def exact_fixed(self, bound: Fraction) -> bool:
        return self.shares_within(bound).exact_fixed(self.quantile)

    def measured(self) -> bool:
        return self.single.measured()

    def counts(self, horizon: int) -> tuple[int, int]:
        return self.single.counts(horizon)

    def estimate(self, horizon: int) -> float | None:
        known = self._values.until(horizon)
        if known == 0:
            return None
        rank = -(-self.quantile.numerator * known // self.quantile.denominator)
        return float(np.partition(self._values.gain[:known], rank - 1)[rank - 1]) / self._weight

    def holds(self, bound: Fraction) -> bool:
        within = int((self._values.gain <= int(bound * self._weight)).sum())
        return within >= self.quantile * len(self._values)

    def confirmed_at(self, bound: Fraction, alpha: float, horizon: int) -> int | None:
        return self.shares_within(bound).confirmed_at(self.quantile, alpha, horizon)

    def refuted_at(self, bound: Fraction, alpha: float, horizon: int) -> int | None:
        return self.shares_within(bound).refuted_at(self.quantile, alpha, horizon)

    @property
    def _values(self) -> Stream:
        return self.single.census

    @property
    def _weight(self) -> int:
        return self._values.outcomes[0][1]

    def shares_within(self, bound: Fraction) -> SingleTest:
        """Return the test of the share of values that do not exceed ``bound``."""
        within = (self._values.gain <= int(bound * self._weight)).astype(np.int64)
        each = replace(
            self._values, gain=within, weight=np.ones(len(within), dtype=np.int64), outcomes=((0, 1), (1, 1))
        )
        stream = each
        if self.single.stream.largest_unit:
            ends = np.searchsorted(self._values.positions, self.single.stream.positions, side="right")
            starts = np.concatenate(([0], ends[:-1]))
            stream = replace(
                self.single.stream,
                gain=np.add.reduceat(within, starts),
                weight=ends - starts,
                outcomes=each.outcomes,
            )
        return replace(self.single, stream=stream, census=each, comparison=">=", root=1, unit=1)
