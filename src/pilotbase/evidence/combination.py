"""Measures of several ratios: their mean, the sum of their absolute values, or their largest difference.

By the union bound each of C ratios is bounded at α/C, and all bounds hold at once (macro-averaged F1). For an upper
bound on an absolute value, only the bound on the side of its true sign can fail, so α/C is enough there too; for a
lower bound either can, at α/(2C).

For an ordered pair (a, b) the null *m_a - m_b > d* is a union over the unknown level μ = m_b. The evidence against it
is the **minimum** over μ of K⁻_a(μ + d)·K⁺_b(μ); the average over μ would accept anything.
The product requires independent groups. If a unit has cases in both groups (two devices of a patient), the product
isn't a valid capital; the **mean** of the two capitals replaces it, which is valid under any dependence.
K⁻ rises and K⁺ falls in its argument, so between grid points the minimum is bounded by the cell's ends: the grid costs
power, never validity. A gap ≤ d is confirmed when every pair is (each at α); it is refuted by one pair at α/(G(G-1)).
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pilotbase.evidence.criterion import SingleTest
from pilotbase.evidence.intervals import staircase
from pilotbase.evidence.lattice import claim_at_least
from pilotbase.evidence.martingale import Floats, Ints
from pilotbase.evidence.observations import Comparison

Flags = NDArray[np.bool_]

_ROUNDING = 1e-12
_LEVELS = 24
_FIRST_LOOK, _FURTHER = 512, 4
_Stairs = tuple[Ints, Floats]
MAXIMUM_GROUPS = 200
"""A gap between more groups isn't measured: every ordered pair is a separate test."""
_NODES = 96
_LOOKS = 80


@dataclass(frozen=True, eq=False)
class CombinedTest:
    """The criterion *mean of the parts*, or *sum of their absolute values*, on one side of a bound."""

    parts: Sequence[SingleTest]
    """Each asked for ``>=``: confirmed gives its lower bound, refuted its upper one."""
    form: Literal["mean", "absolute_sum"]
    comparison: Comparison
    _paths: dict[tuple[bool, float, int], tuple[Ints, Floats]] = field(default_factory=dict, repr=False)

    @property
    def range(self) -> tuple[Fraction, Fraction]:
        ranges = [part.range for part in self.parts]
        if self.form == "absolute_sum":  # a case counts in one part only
            return Fraction(0), max(max(abs(low), abs(high)) for low, high in ranges)
        lows, highs = zip(*ranges, strict=True)
        return sum(lows, Fraction(0)) / len(lows), sum(highs, Fraction(0)) / len(highs)

    def measured(self) -> bool:
        return len(self.parts) > 0 and all(part.measured() for part in self.parts)

    def counts(self, horizon: int) -> tuple[int, int]:
        known = int(np.searchsorted(self._positions, horizon, side="right"))
        return known, len(self._positions)

    def estimate(self, horizon: int) -> float | None:
        value = self._value([part.census.ratio(part.census.until(horizon)) for part in self.parts])
        return None if value is None else float(value)

    def exact_fixed(self) -> bool:
        return all(part.exact_fixed() for part in self.parts)

    def holds(self, bound: Fraction) -> bool:
        value = self._value([part.census.ratio() for part in self.parts])
        if value is None:
            return False
        return value >= bound if self.comparison == ">=" else value <= bound

    def confirmed_at(self, bound: Fraction, alpha: float, horizon: int) -> int | None:
        def within(values: Floats) -> Flags:
            return values - _ROUNDING >= float(bound) if self.comparison == ">=" else values + _ROUNDING <= float(bound)

        return self._first(within, self.comparison == ">=", alpha, horizon)

    def refuted_at(self, bound: Fraction, alpha: float, horizon: int) -> int | None:
        def beyond(values: Floats) -> Flags:
            return values + _ROUNDING < float(bound) if self.comparison == ">=" else values - _ROUNDING > float(bound)

        return self._first(beyond, self.comparison == "<=", alpha, horizon)

    @cached_property
    def _positions(self) -> Ints:
        last = max((int(part.stream.positions[-1]) for part in self.parts if len(part.stream)), default=0)
        known = np.zeros(last + 1, dtype=np.bool_)
        for part in self.parts:
            known[part.stream.positions] = True
        return np.flatnonzero(known)

    def _value(self, ratios: Sequence[Fraction | None]) -> Fraction | None:
        found = [ratio for ratio in ratios if ratio is not None]
        if len(found) < len(ratios) or not found:
            return None
        if self.form == "absolute_sum":
            return sum((abs(ratio) for ratio in found), Fraction(0))
        return sum(found, Fraction(0)) / len(found)

    def _first(self, reached: Callable[[Floats], Flags], from_below: bool, alpha: float, horizon: int) -> int | None:
        """Return the first time at which the combined bound has ``reached`` its target, searching ever further."""
        seen = horizon if self.parts[0].method == "fixed" else min(_FIRST_LOOK, horizon)
        while True:
            times, values = self._path(from_below, alpha, seen)
            hits = np.flatnonzero(reached(values))
            if len(hits):
                return int(times[hits[0]])
            if seen == horizon:
                return None
            seen = min(_FURTHER * seen, horizon)

    def _path(self, from_below: bool, alpha: float, horizon: int) -> tuple[Ints, Floats]:
        """Return the combined bound each time it moved, shapes (times,).

        Another horizon follows the bounds at other values; what was known at earlier times is kept, so that interval
        and verdict agree.
        """
        key = from_below, alpha, horizon
        if key not in self._paths:
            make = self._sum_path if self.form == "absolute_sum" else self._mean_path
            found = make(from_below, alpha, horizon)
            for (side, level, _), other in list(self._paths.items()):
                if side == from_below and level == alpha:
                    found = _tighter(found, other, horizon, from_below)
            self._paths[key] = found
        return self._paths[key]

    def _mean_path(self, from_below: bool, alpha: float, horizon: int) -> tuple[Ints, Floats]:
        share = alpha / len(self.parts)
        stairs = [_stairs(part, from_below, share, horizon) for part in self.parts]
        times = _times(stairs)
        return times, np.mean([_at(each, times) for each in stairs], axis=0)

    def _sum_path(self, from_below: bool, alpha: float, horizon: int) -> tuple[Ints, Floats]:
        share = alpha / len(self.parts) / (2 if from_below else 1)
        lower = [_stairs(part, True, share, horizon) for part in self.parts]
        upper = [_stairs(part, False, share, horizon) for part in self.parts]
        times = _times([*lower, *upper])
        total = np.zeros(len(times))
        for low, high in zip(lower, upper, strict=True):
            below, above = _at(low, times), _at(high, times)
            inner, outer = np.maximum(np.maximum(below, -above), 0.0), np.maximum(above, -below)
            total += inner if from_below else outer
        return times, total


def _stairs(part: SingleTest, from_below: bool, alpha: float, horizon: int) -> _Stairs:
    """Return when the part's bound moved and to what, first from the end of its range at 0 cases."""

    def crossed(bound: Fraction) -> int | None:
        return (part.confirmed_at if from_below else part.refuted_at)(bound, alpha, horizon)

    low, high = part.range
    middle = part.estimate(horizon)
    centre = min(max(Fraction(middle), low), high) if middle is not None else (low + high) / 2
    points = staircase(crossed, low if from_below else high, centre, centre, _LEVELS)
    return np.array([time for time, _ in points]), np.array([float(bound) for _, bound in points])


def _times(stairs: Sequence[_Stairs]) -> Ints:
    return np.unique(np.concatenate([times for times, _ in stairs]))


def _at(stairs: _Stairs, times: Ints) -> Floats:
    """Return the bound as it stood at each of ``times``."""
    when, bounds = stairs
    found: Floats = bounds[np.searchsorted(when, times, side="right") - 1]
    return found


def _tighter(one: _Stairs, two: _Stairs, horizon: int, from_below: bool) -> _Stairs:
    """Return the tighter of two bounds at each time up to ``horizon``."""
    times = _times([one, two])
    times = times[times <= horizon]
    return times, (np.maximum if from_below else np.minimum)(_at(one, times), _at(two, times))


@dataclass(frozen=True, eq=False)
class GapTest:
    """The criterion *largest difference between groups ≤ bound*; ``threshold`` only aligns the grid."""

    groups: Sequence[SingleTest]
    threshold: Fraction
    _tables: dict[int, _Table] = field(default_factory=dict, repr=False)
    _shared: dict[tuple[int, int], bool] = field(default_factory=dict, repr=False)

    @property
    def range(self) -> tuple[Fraction, Fraction]:
        low, high = self._limits
        return Fraction(0), high - low

    def exact_fixed(self) -> bool:
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
        if self._from_below:
            return None
        table, level = self._table(horizon), math.log(1 / alpha)
        times = [table.first(table.pair_within(a, b, bound, self._shares(a, b)) >= level) for a, b in self._pairs]
        return None if None in times else max(time for time in times if time is not None)

    def refuted_at(self, bound: Fraction, alpha: float, horizon: int) -> int | None:
        if self._from_below:
            return None
        table, level = self._table(horizon), math.log(len(self._pairs) / alpha)
        times = [table.first(table.pair_beyond(a, b, bound, self._shares(a, b)) >= level) for a, b in self._pairs]
        return min((time for time in times if time is not None), default=None)

    @property
    def _from_below(self) -> bool:
        """True where ratios bound the measures from below only: their differences bound nothing."""
        return any(group.from_below for group in self.groups)

    @cached_property
    def _pairs(self) -> list[tuple[int, int]]:
        return list(itertools.permutations(range(len(self.groups)), 2))

    def _shares(self, a: int, b: int) -> bool:
        """Return whether a unit has cases in both groups: it is then known at the same time in both."""
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
        """Return levels at which capitals are computed: fine where the groups are, one cell on either side."""
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
            # Beyond the top no value of m_a can contradict the null: don't bet on it.
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
    # No bets at the outer end: a constant capital is valid there, and a bet could only lose.
    table = np.zeros((len(nodes), len(looks)))
    rows = range(len(nodes) - 1) if above else range(1, len(nodes))
    for row in rows:
        claim = claim_at_least(group.stream, group.ratio_at(nodes[row]), int(known[-1]))
        values = claim.values
        martingale = claim.confirming(group.finite) if above else claim.refuting(group.finite)
        table[row] = martingale.capitals_at(values if above else -values, known)
    return table
