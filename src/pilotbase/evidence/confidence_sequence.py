"""Confidence sequences: bounds of a mean that hold at every time at once, for bounded integers or for right-or-wrong.

Bisection over null values on a fixed lattice, with the running intersection over every value seen. Bisection is valid:
the bets depend on the null only through the largest safe bet, so evidence above a bound falls as the bound rises
(Waudby-Smith & Ramdas, JRSS-B 2024, section 4).

For right-or-wrong values they need only O(1) memory: two counts.

One loop is compiled by numba if it is installed. It only returns yes or no (does the capital ever reach the level?),
and bounds are on a lattice, so compiled and plain code give the same bounds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.errors import InputError
from pilotbase.evidence.martingale import FRACTIONS, MeanMartingale
from pilotbase.evidence.primitive import Bounds, Floats, Ints, integers, within

STEPS = 1 << 20
"""Bounds are multiples of the range of the values divided by this (a finite set's total: of 1 where that is finer)."""

_FEW_KINDS = 32
_MOST_TOTALS = 4 * STEPS
_BLOCK = 64
_GROUP = 512
_FACTORS = 32
_WORTH_COMPILING = 20_000
_Crosses = Callable[[Ints, float, int, float, Floats], bool]


@dataclass(frozen=True)
class SequenceState:
    """The state of a sequence: counts of each kind of value or, where order matters, the values themselves."""

    count: int
    total: int
    counts: tuple[int, ...]
    values: tuple[int, ...]
    from_low: int
    from_high: int


class ConfidenceSequence:
    """Two-sided bounds of a mean, α/2 a side, for independent values or for a finite set drawn in random order.

    ``limits``: the smallest and the largest possible value. ``size``: the finite set's; None for independent values.
    ``kinds``: the values that can occur, if they are few; then, or with limits less than 32 apart, independent values
    need only be counted. Otherwise all values are remembered. Do not use it for a mean that drifts: running
    intersections are for one fixed mean.
    """

    def __init__(
        self,
        alpha: float,
        limits: tuple[int, int],
        size: int | None = None,
        kinds: Sequence[int] | None = None,
        state: SequenceState | None = None,
    ) -> None:
        within("alpha", alpha, 0, 1)
        self._level = math.log(2 / alpha)
        self._low, self._high = limits
        within("limits", self._low, -math.inf, self._high)
        self._size = size
        self._kinds = None if size is not None else _kinds(limits, kinds)
        state = state or SequenceState(0, 0, (0,) * (0 if self._kinds is None else len(self._kinds)), (), 0, 0)
        self._count, self._total = state.count, state.total
        self._counts = np.array(state.counts, dtype=np.int64)
        self._values = np.array(state.values, dtype=np.int64)
        self._reached = [state.from_low, state.from_high]
        self._probes: list[MeanMartingale | None] = [None, None]

    @property
    def state(self) -> SequenceState:
        counts, values = tuple(self._counts.tolist()), tuple(self._values.tolist())
        return SequenceState(self._count, self._total, counts, values, self._reached[0], self._reached[1])

    @property
    def bounds(self) -> Bounds:
        """Return the bounds as they stand, in the values' own units."""
        if self._size is None:
            return Bounds(self._low + self._reached[0] * self._unit, self._high - self._reached[1] * self._unit)
        rest = self._size - self._count
        lowest = self._size * self._low + self._total_at(self._reached[0])
        highest = self._size * self._high - self._total_at(self._reached[1])
        lowest, highest = max(lowest, self._total + rest * self._low), min(highest, self._total + rest * self._high)
        return Bounds(lowest / self._size, highest / self._size)

    def update(self, values: NDArray[Any]) -> Bounds:
        """Take values; return the bounds after them."""
        whole = integers(values, self._low, self._high)
        if len(whole) == 0:
            return self.bounds
        if self._size is not None and self._count + len(whole) > self._size:
            raise InputError("evidence.more_than_the_set", size=self._size, found=self._count + len(whole))
        if self._kinds is not None:
            self._count_in(whole, self._kinds)
        else:
            self._remember(whole)
        self._count += len(whole)
        self._total += int(whole.sum())
        return self.bounds

    def _count_in(self, values: Ints, kinds: Ints) -> None:
        codes = np.searchsorted(kinds, values).clip(0, len(kinds) - 1)
        strange = kinds[codes] != values
        if strange.any():
            raise InputError("evidence.value_of_no_kind", found=int(values[strange][0]), kinds=str(kinds.tolist()))
        batch = _CountedBatch(self._counts, codes)
        self._counts = batch.after
        for side in (0, 1):
            excluded = partial(self._counts_exclude, batch, self._offsets(side, kinds))
            self._reached[side] = furthest(excluded, self._reached[side], STEPS - 1)

    def _remember(self, values: Ints) -> None:
        before, self._values = self._values, np.concatenate((self._values, values))
        last = STEPS - 1 if self._size is None else self._steps
        for side in (0, 1):
            if self._reached[side] < last and self._probe_crosses(side, before, values):
                excluded = partial(self._values_exclude, self._offsets(side, self._values))
                self._reached[side] = furthest(excluded, self._reached[side], last)
                self._probes[side] = None

    def _probe_crosses(self, side: int, before: Ints, values: Ints) -> bool:
        """Return whether the next step is excluded now, without going through all earlier values again."""
        probe = self._probes[side]
        if probe is None:
            probe = self._probes[side] = against(self._room(self._reached[side] + 1), self._size)
            probe.crossing(self._offsets(side, before), self._level)
        return probe.crossing(self._offsets(side, values), self._level) is not None

    def _offsets(self, side: int, values: Ints) -> Ints:
        return self._high - values if side else values - self._low

    def _counts_exclude(self, batch: _CountedBatch, offsets: Ints, step: int) -> bool:
        return batch.reaches(offsets / (step * self._unit) - 1.0, self._level)

    def _values_exclude(self, offsets: Ints, step: int) -> bool:
        return _ordered_reaches(offsets, self._room(step), self._size, self._level)

    def _room(self, step: int) -> Fraction:
        """Return the null that ``step`` excludes, counted from the end of the range."""
        if self._size is None:
            return Fraction(step * (self._high - self._low), STEPS)
        return Fraction(self._total_at(step) - 1)

    @property
    def _unit(self) -> float:
        return (self._high - self._low) / STEPS

    @property
    def _steps(self) -> int:
        """Return how many lattice steps a finite set's total has: one for each total where they are not too many."""
        return min((self._size or 0) * (self._high - self._low), _MOST_TOTALS)

    def _total_at(self, step: int) -> int:
        """Return the finite set's total at ``step``, counted from the end of its range."""
        return step * (self._size or 0) * (self._high - self._low) // self._steps


def _kinds(limits: tuple[int, int], kinds: Sequence[int] | None) -> Ints | None:
    if kinds is not None:
        return np.unique(np.array(kinds, dtype=np.int64))
    few = limits[1] - limits[0] < _FEW_KINDS
    return np.arange(limits[0], limits[1] + 1, dtype=np.int64) if few else None


class _CountedBatch:
    """One batch of independent values of few kinds: the capital after any of them depends on counts alone.

    Counts only grow, so a block of values has an upper bound on its capital; the few blocks that could reach the
    level are looked at value by value.
    """

    def __init__(self, before: Ints, codes: Ints) -> None:
        kinds, blocks = len(before), -(-len(codes) // _BLOCK)
        padded = np.full(blocks * _BLOCK, -1, dtype=np.int64)
        padded[: len(codes)] = codes
        self._codes = padded.reshape(blocks, _BLOCK)
        counts = np.stack([(self._codes == kind).sum(axis=1) for kind in range(kinds)], axis=1)
        self._ends = before + np.cumsum(counts, axis=0)
        self._starts = self._ends - counts

    @property
    def after(self) -> Ints:
        """The counts of each kind once the batch is in."""
        counts: Ints = self._ends[-1].copy()
        return counts

    def reaches(self, relative: Floats, level: float) -> bool:
        """Return whether the log capital reaches ``level``; ``relative``: the gain of a unit bet on each kind, ≥ -1."""
        logs = np.log1p(FRACTIONS[:, None] * relative)
        if len(_reaching(_weighted(logs, self._ends), level)):
            return True
        ceiling = np.zeros((len(FRACTIONS), len(self._ends)))
        for kind in range(logs.shape[1]):
            side = self._ends if kind in np.flatnonzero(relative > 0) else self._starts
            ceiling += logs[:, kind, None] * side[:, kind]
        possible = _reaching(ceiling, level)
        groups = (possible[start : start + _GROUP] for start in range(0, len(possible), _GROUP))
        return any(self._reaches_within(group, logs, level) for group in groups)

    def _reaches_within(self, blocks: Ints, logs: Floats, level: float) -> bool:
        codes = self._codes[blocks]
        counts = [
            (self._starts[blocks, kind, None] + np.cumsum(codes == kind, axis=1)).ravel()
            for kind in range(logs.shape[1])
        ]
        return len(_reaching(_weighted(logs, np.stack(counts, axis=1)), level)) > 0


def _ordered_reaches(offsets: Ints, room: Fraction, size: int | None, level: float) -> bool:
    """Return whether the log capital on ``offsets`` ≥ 0 ever reaches ``level`` against mean (or total) ≤ ``room``."""
    compiled = compiled_crosses() if len(offsets) >= _WORTH_COMPILING else None
    if compiled is not None and (size is None or room < 1 << 52):
        return compiled(offsets, float(room), size or 0, level, FRACTIONS)
    return against(room, size).crossing(offsets, level) is not None


def against(room: Fraction, size: int | None) -> MeanMartingale:
    """Return a martingale on offsets ≥ 0 against mean ≤ ``room`` or, of a finite set, total ≤ ``room``."""
    if size is None:
        return MeanMartingale.with_replacement(room, 0)
    return MeanMartingale.without_replacement(int(room), size, 0)


def furthest(excluded: Callable[[int], bool], reached: int, last: int) -> int:
    """Return the largest step in [``reached``, ``last``] that is excluded; exclusion falls with the step."""
    if reached >= last or not excluded(reached + 1):
        return reached
    inside, jump = reached + 1, 4
    while inside + jump <= last and excluded(inside + jump):
        inside, jump = inside + jump, jump * 4
    outside = min(inside + jump, last + 1)
    while outside - inside > 1:
        middle = (inside + outside) // 2
        inside, outside = (middle, outside) if excluded(middle) else (inside, middle)
    return inside


def _weighted(logs: Floats, counts: Ints) -> Floats:
    """Return Σ logs · counts over the kinds, shape (bets, n); kind by kind, so that no grouping changes a digit."""
    total: Floats = np.zeros((len(logs), len(counts)))
    for kind in range(logs.shape[1]):
        total += logs[:, kind, None] * counts[:, kind]
    return total


def _reaching(logs: Floats, level: float) -> Ints:
    """Return the places whose mixture of capitals reaches ``level``; the mixture never exceeds its best bet."""
    peak = logs.max(axis=0)
    possible = np.flatnonzero(peak >= level)
    total = np.zeros(len(possible))
    for row in np.exp(logs[:, possible] - peak[possible]):
        total += row
    reached: Ints = possible[peak[possible] + np.log(total) - math.log(len(logs)) >= level]
    return reached


@cache
def compiled_crosses() -> _Crosses | None:
    """Return `crosses` compiled, or None if numba isn't installed."""
    try:
        numba: Any = import_module("numba")
    except ImportError:
        return None
    compiled: Any = numba.njit(fastmath={"reassoc", "contract", "nsz"})(crosses)
    return compiled  # type: ignore[no-any-return]


def crosses(offsets: Ints, room: float, size: int, level: float, fractions: Floats) -> bool:
    """Return whether the Kelly mixture's log capital reaches ``level`` on ``offsets`` (values above the lowest one).

    ``room``: the null mean above the lowest value when ``size`` is 0 (independent values), else the null total above
    the lowest possible total of the ``size`` values. Products of a block of factors are taken before their logarithm.
    """
    bets = len(fractions)
    logs, capitals, products = np.zeros(bets), np.full(bets, 1.0 / bets), np.ones(bets)
    enough = math.exp(level)
    left, remaining = room, float(size)
    for index in range(len(offsets)):
        offset = float(offsets[index])
        if size == 0:
            gain = offset / room - 1.0
        elif left > 0:
            gain = offset * (remaining / left) - 1.0
        else:
            gain = 0.0
        if size > 0:
            left -= offset
            remaining -= 1.0
            if left < 0:
                return True
        mixed = 0.0
        for bet in range(bets):
            products[bet] *= 1.0 + fractions[bet] * gain
            mixed += capitals[bet] * products[bet]
        if mixed >= enough:
            return True
        if index % _FACTORS == _FACTORS - 1:
            for bet in range(bets):
                logs[bet] += math.log(products[bet])
                products[bet] = 1.0
                # Products of denormal numbers take many times as long; so little capital never reaches the level.
                capitals[bet] = math.exp(logs[bet]) / bets if logs[bet] > -600.0 else 0.0
    return False
