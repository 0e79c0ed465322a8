"""Which null values a batch of values rules out: the test that a confidence sequence inverts by bisection.

One loop is compiled by numba where it is installed. Only yes or no comes back (does the capital ever reach the level?),
and bounds are on a lattice, so both give the same bounds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from pilotbase.evidence.martingale import FRACTIONS, MeanMartingale
from pilotbase.evidence.primitive import Floats, Ints

_BLOCK = 64
_GROUP = 512
_FACTORS = 32
_WORTH_COMPILING = 20_000
Crosses = Callable[[Ints, float, int, float, Floats], bool]


class CountedBatch:
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
        """Return whether the log capital reaches ``level``; ``relative``: what a unit bet gains on each kind, ≥ -1."""
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


def ordered_reaches(offsets: Ints, room: Fraction, size: int | None, level: float) -> bool:
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
def compiled_crosses() -> Crosses | None:
    """Return `crosses` compiled, or None where numba is not installed."""
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
                capitals[bet] = math.exp(max(logs[bet], -700.0)) / bets
    return False
