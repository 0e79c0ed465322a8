"""The largest difference of a measure between groups, with the level of the measure as a nuisance.

For an ordered pair (a, b) the null *m_a - m_b > d* is a union over the unknown level μ = m_b. The evidence against it
is the **minimum** over μ of K⁻_a(μ + d)·K⁺_b(μ); the average over μ would accept anything (corrections, row 4).
The product needs groups that are independent. Where a unit has cases in both groups (two devices of a patient) it is
none, and the **mean** of the two capitals takes its place, which is one whatever the dependence.
K⁻ rises and K⁺ falls in its argument, so between grid points the minimum is bounded by the cell's ends: the grid costs
power, never validity. A gap ≤ d is confirmed when every pair is (each at α); it is refuted by one pair at α/(G(G-1)).
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import numpy as np

from pilotbase.evidence.criterion import SingleTest
from pilotbase.evidence.lattice import claim_at_least
from pilotbase.evidence.martingale import Floats, Ints

MAXIMUM_GROUPS = 200
"""Among more groups a gap is not measured: every ordered pair is a test of its own."""
_NODES = 96
_LOOKS = 80


@dataclass(frozen=True, eq=False)
class GapTest:
    """The criterion *largest difference between groups ≤ bound*; ``threshold`` aligns the grid, nothing else."""

    groups: Sequence[SingleTest]
    threshold: Fraction
    _tables: dict[int, _Table] = field(default_factory=dict, repr=False)
    _shared: dict[tuple[int, int], bool] = field(default_factory=dict, repr=False)

    @property
    def range(self) -> tuple[Fraction, Fraction]:
        low, high = self._limits
        return Fraction(0), high - low

    def exact_fixed(self, bound: Fraction) -> bool:
        return False

    def measured(self) -> bool:
        return 1 < len(self.groups) <= MAXIMUM_GROUPS and all(group.measured() for group in self.groups)

    def counts(self, horizon: int) -> tuple[int, int]:
        counts = [group.counts(horizon) for group in self.groups]
        return sum(known for known, _ in counts), sum(total for _, total in counts)

    def estimate(self, horizon: int) -> float | None:
        values = [group.estimate(horizon) for group in self.groups]
        found = [value for value in values if value is not None]
        return max(found) - min(found) if len(found) == len(values) > 1 else None

    def holds(self, bound: Fraction) -> bool:
        ratios = [group.census.ratio() for group in self.groups]
        found = [ratio for ratio in ratios if ratio is not None]
        if len(found) < len(ratios):
            return False
        return max(found) - min(found) <= bound

    def confirmed_at(self, bound: Fraction, alpha: float, horizon: int) -> int | None:
        table, level = self._table(horizon), math.log(1 / alpha)
        times = [table.first(table.pair_within(a, b, bound, self._shares(a, b)) >= level) for a, b in self._pairs]
        return None if None in times else max(time for time in times if time is not None)

    def refuted_at(self, bound: Fraction, alpha: float, horizon: int) -> int | None:
        table, level = self._table(horizon), math.log(len(self._pairs) / alpha)
        times = [table.first(table.pair_beyond(a, b, bound, self._shares(a, b)) >= level) for a, b in self._pairs]
        return min((time for time in times if time is not None), default=None)

    @cached_property
    def _pairs(self) -> list[tuple[int, int]]:
        return list(itertools.permutations(range(len(self.groups)), 2))

    def _shares(self, a: int, b: int) -> bool:
        """Tell whether a unit has cases in both groups: it is then known at the same time in both."""
        pair = min(a, b), max(a, b)
        if pair not in self._shared:
            first, second = (self.groups[number].stream.positions for number in pair)
            self._shared[pair] = len(np.intersect1d(first, second, assume_unique=True)) > 0
        return self._shared[pair]

    @cached_property
    def _limits(self) -> tuple[Fraction, Fraction]:
        ranges = [group.range for group in self.groups]
        return min(low for low, _ in ranges), max(high for _, high in ranges)

    def _table(self, horizon: int) -> _Table:
        longest = max(self._tables, default=0)
        if horizon > longest:
            self._tables.clear()
            self._tables[horizon] = self._build(horizon)
            return self._tables[horizon]
        return self._tables[longest].until(horizon)

    def _build(self, horizon: int) -> _Table:
        nodes = self._nodes(horizon)
        looks = np.unique(np.geomspace(1, max(horizon, 1), _LOOKS).astype(np.int64))
        below = [_capitals(group, nodes, looks, above=False) for group in self.groups]
        above = [_capitals(group, nodes, looks, above=True) for group in self.groups]
        return _Table(nodes, looks, below, above)

    def _nodes(self, horizon: int) -> list[Fraction]:
        """Return levels at which capitals are computed: fine where the groups lie, one cell on either side."""
        low, high = self._limits
        span = float(high - low)
        found = [(g.estimate(horizon), g.counts(horizon)[0]) for g in self.groups]
        means = [float(low) + span / 2 if value is None else value for value, _ in found]
        spread = max(2.5 * span / math.sqrt(count + 1) for _, count in found)
        start, end = min(means) - spread, max(means) + spread
        wanted = max((end - start) / _NODES, 1e-9 * span)
        # Exact multiples of a whole fraction of the threshold: a node plus the threshold is a node again.
        exact = self.threshold if self.threshold > wanted else Fraction(wanted).limit_denominator(10**9)
        step = exact / math.ceil(float(exact) / wanted)
        first = math.floor(start / step)
        inner = (step * i for i in range(first, first + math.ceil((end - start) / step) + 2))
        return sorted({low, high, *(node for node in inner if low < node < high)})


@dataclass(frozen=True)
class _Table:
    """Log capitals per group, shape (nodes, looks): of *m < node* (``below``) and of *m > node* (``above``)."""

    nodes: list[Fraction]
    looks: Ints
    below: list[Floats]
    above: list[Floats]

    def until(self, horizon: int) -> _Table:
        """Return the same table without the looks after ``horizon``."""
        kept = self.looks <= horizon
        below, above = [c[:, kept] for c in self.below], [c[:, kept] for c in self.above]
        return _Table(self.nodes, self.looks[kept], below, above)

    def first(self, crossed: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> int | None:
        hits = np.flatnonzero(crossed)
        return int(self.looks[hits[0]]) if len(hits) else None

    def pair_within(self, a: int, b: int, bound: Fraction, shared: bool = False) -> Floats:
        """Return log evidence at each look that m_a - m_b ≤ bound; ``shared``: the groups share units."""
        least = np.full(len(self.looks), math.inf)
        for i, node in enumerate(self.nodes[:-1]):
            if node + bound >= self.nodes[-1]:
                break
            at = self._last_at_most(node + bound)
            least = np.minimum(least, _joint(self.below[a][at], self.above[b][i + 1], shared))
        return least

    def pair_beyond(self, a: int, b: int, bound: Fraction, shared: bool = False) -> Floats:
        """Return log evidence at each look that m_a - m_b > bound; ``shared``: the groups share units."""
        least = np.full(len(self.looks), math.inf)
        for i in range(len(self.nodes) - 1):
            at = bisect.bisect_left(self.nodes, self.nodes[i + 1] + bound)
            # Beyond the top no value of m_a can contradict the null: bet nothing on it.
            of_a = self.above[a][at] if at < len(self.nodes) else np.zeros(len(self.looks))
            least = np.minimum(least, _joint(of_a, self.below[b][i], shared))
        return least

    def _last_at_most(self, value: Fraction) -> int:
        return bisect.bisect_right(self.nodes, value) - 1


def _joint(one: Floats, two: Floats, shared: bool) -> Floats:
    """Return the log of the product of two capitals; of their mean where they are not independent."""
    return np.logaddexp(one, two) - math.log(2) if shared else one + two


def _capitals(group: SingleTest, nodes: list[Fraction], looks: Ints, above: bool) -> Floats:
    """Return log capitals at each look, shape (nodes, looks)."""
    known = np.searchsorted(group.stream.positions, looks, side="right")
    # At the outer end nothing is bet: a constant capital is valid there, and a bet could only lose.
    table = np.zeros((len(nodes), len(looks)))
    rows = range(len(nodes) - 1) if above else range(1, len(nodes))
    for row in rows:
        claim = claim_at_least(group.stream, group.ratio_at(nodes[row]), int(known[-1]))
        values = claim.values
        martingale = claim.confirming(group.finite) if above else claim.refuting(group.finite)
        table[row] = martingale.capitals_at(values if above else -values, known)
    return table
