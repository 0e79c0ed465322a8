"""The one primitive: a test martingale for the mean of bounded values, in the log domain.

A martingale bets against the null *the mean is at most …*. Its capital starts at 1 and, while the null holds, reaches
1/α at any time with probability at most α (Ville). The bet is a Kelly mixture over ten log-spaced fractions of the
largest bet that cannot go bankrupt (Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting",
JRSS-B 2024). Values and totals are integers, so ties at a threshold are exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.errors import InputError
from pilotbase.evidence.primitive import Floats as Floats
from pilotbase.evidence.primitive import Ints as Ints
from pilotbase.evidence.primitive import integers

FRACTIONS: Floats = np.array([0.9 * 0.5**j for j in range(10)])
"""Fractions of the largest safe bet; a linear grid loses most of its power near 0 and 1."""

_CHUNK = 1 << 14
_FEW_KINDS = 8
_BLOCK, _LARGEST_FACTOR = 32, 2.0**31
_BLOCKS_AT_ONCE = 16
_EXACT = 1 << 62


@dataclass(frozen=True)
class MartingaleState:
    """All that a martingale remembers: plain numbers, so it can be stored and resumed anywhere."""

    count: int
    total: int
    log_capitals: tuple[float, ...]
    contradicted: bool


class MeanMartingale:
    """Evidence that the mean of integers in [``low``, ``high``] is above a null value.

    For evidence that it is below, negate the values and the bounds. The result doesn't depend on how values are
    batched: the same values give the same capital, bit for bit; `crossing` multiplies before it takes logarithms, so it
    may differ by rounding.
    """

    def __init__(self, null: Fraction, low: int, size: int | None, state: MartingaleState | None = None) -> None:
        self._null = null
        self._low = low
        self._size = size
        state = state or MartingaleState(0, 0, (0.0,) * len(FRACTIONS), False)
        self._count, self._total = state.count, state.total
        self._logs = np.array(state.log_capitals, dtype=np.float64)
        self._contradicted = state.contradicted

    @classmethod
    def with_replacement(cls, null_mean: Fraction, low: int, state: MartingaleState | None = None) -> MeanMartingale:
        """Return a martingale against *each value, given the past, has mean ≤ null_mean* (values ≥ ``low``)."""
        return cls(null_mean, low, None, state)

    @classmethod
    def without_replacement(
        cls, null_total: int, size: int, low: int, state: MartingaleState | None = None
    ) -> MeanMartingale:
        """Return a martingale against *the ``size`` values, drawn in uniformly random order, sum to ≤ null_total*."""
        return cls(Fraction(null_total), low, size, state)

    @property
    def state(self) -> MartingaleState:
        return MartingaleState(self._count, self._total, tuple(self._logs.tolist()), self._contradicted)

    @property
    def log_capital(self) -> float:
        """Return the log of the mixture's capital; ``inf`` once the values contradict the null outright."""
        return math.inf if self._contradicted else float(log_mean(self._logs[:, None])[0])

    def update(self, values: Ints) -> Floats:
        """Take values in their order; return the log capital after each, shape (n,)."""
        values = integers(values, self._low)
        self._refuse_too_many(values)
        path = np.empty(len(values))
        for start in range(0, len(values), _CHUNK):
            logs, impossible = self._advance(values[start : start + _CHUNK])
            path[start : start + _CHUNK] = np.where(impossible, math.inf, log_mean(logs))
        return path

    def crossing(self, values: Ints, level: float) -> int | None:
        """Take values until the log capital reaches ``level``; return the index at which it did, or None.

        Reading stops after the crossing, so the state is that of the end of the chunk, not of the crossing.
        """
        self._refuse_too_many(values)
        step = 256
        start = 0
        while start < len(values):
            chunk = values[start : start + step]
            reached = self._first_reaching(chunk, level)
            if reached is not None:
                return start + reached
            start += len(chunk)
            step = min(step * 4, _CHUNK)
        return None

    def capitals_at(self, values: Ints, counts: Ints) -> Floats:
        """Return the log capital after each of ``counts`` (rising) of the ``values``, from a fresh martingale.

        Independent values of few kinds need only their counts, not their order.
        """
        kinds = np.unique(values) if self._size is None else values
        if self._size is not None or len(kinds) > _FEW_KINDS:
            return np.concatenate(([self.log_capital], self.update(values)))[counts]
        gains, broken = self._relative_gains(kinds)
        logs, impossible = np.zeros((len(FRACTIONS), len(counts))), np.zeros(len(counts), dtype=np.bool_)
        for kind, gain, breaks in zip(kinds, gains, broken, strict=True):
            seen = np.concatenate(([0], np.cumsum(values == kind)))[counts]
            logs += np.log1p(FRACTIONS * gain)[:, None] * seen
            impossible |= (seen > 0) & bool(breaks)
        return np.where(impossible, math.inf, log_mean(logs))

    def gains(self, values: Ints) -> tuple[Floats, NDArray[np.bool_]]:
        """Return the gain of a bet of one on each value, ≥ -1, and from where on no future could satisfy the null."""
        return self._relative_gains(integers(values, self._low))

    def _refuse_too_many(self, values: Ints) -> None:
        if self._size is not None and self._count + len(values) > self._size:
            raise InputError("evidence.more_than_the_set", size=self._size, found=self._count + len(values))

    def _advance(self, values: Ints) -> tuple[Floats, NDArray[np.bool_]]:
        """Return the log capital of each bet after each value (bets, n), and where the null has become impossible."""
        gains, impossible = self._relative_gains(values)
        logs = np.log1p(FRACTIONS[:, None] * gains)
        if len(values):
            logs[:, 0] += self._logs
            np.cumsum(logs, axis=1, out=logs)
            self._keep(values, logs[:, -1], impossible)
        return logs, impossible

    def _first_reaching(self, values: Ints, level: float) -> int | None:
        """Take values; return the index at which the log capital reached ``level``, or None.

        Factors of a block are multiplied before their logarithm is taken, and only blocks whose gains alone could
        reach the level are looked at value by value: logarithms are most of the time.
        """
        gains, impossible = self._relative_gains(values)
        blocks = _in_blocks(gains)
        factors = FRACTIONS[:, None, None] * blocks
        factors += 1.0
        ends = self._logs[:, None] + np.cumsum(np.log(factors.prod(axis=1)), axis=1)
        starts = np.concatenate((self._logs[:, None], ends[:, :-1]), axis=1)
        ceilings = starts + FRACTIONS[:, None] * np.maximum(blocks, 0.0).sum(axis=0)
        self._keep(values, ends[:, -1], impossible)
        reached = [*np.flatnonzero(impossible)[:1]]
        possible = np.flatnonzero(ceilings.max(axis=0) >= level)
        possible = possible[log_mean(ceilings[:, possible]) >= level]
        for first in range(0, len(possible), _BLOCKS_AT_ONCE):
            some = possible[first : first + _BLOCKS_AT_ONCE]
            within = starts[:, None, some] + np.cumsum(np.log(factors[:, :, some]), axis=1)
            block, place = np.nonzero(level <= log_mean(within).T)
            if len(block):
                reached.append(some[block[0]] * factors.shape[1] + place[0])
                break
        return int(min(reached)) if reached else None

    def _keep(self, values: Ints, logs: Floats, impossible: NDArray[np.bool_]) -> None:
        self._logs, self._contradicted = logs.copy(), bool(impossible[-1])
        self._count += len(values)
        self._total += int(values.sum())

    def _relative_gains(self, values: Ints) -> tuple[Floats, NDArray[np.bool_]]:
        """Return (x - m)/m ≥ -1 with x, m counted from ``low``, and where no future could satisfy the null."""
        above_low = values - self._low
        if self._size is None:
            room = float(self._null - self._low)
            if room <= 0:
                broken = (above_low > 0) | (room < 0)
                return np.zeros(len(values)), _from_first(broken, self._contradicted)
            return above_low / room - 1.0, np.full(len(values), self._contradicted)
        return self._gains_without_replacement(values, above_low, self._size)

    def _gains_without_replacement(self, values: Ints, above_low: Ints, size: int) -> tuple[Floats, NDArray[np.bool_]]:
        # By how much the values still to come may exceed their lowest before the null is false: each takes its part.
        ahead = int(self._null) - self._total - self._low * (size - self._count)
        exact = max(abs(ahead), len(values) * int(above_low.max(initial=0))) < _EXACT
        taken = np.cumsum(above_low if exact else above_low.astype(np.float64))
        room: NDArray[Any] = (ahead if exact else float(ahead)) - (taken - above_low)
        remaining = np.arange(size - self._count, size - self._count - len(values), -1, dtype=np.float64)
        left = room - above_low
        if not self._contradicted and len(values) and left[-1] >= 0 and room[-1] > 0:
            return above_low * (remaining / room) - 1.0, np.zeros(len(values), dtype=np.bool_)
        impossible = _from_first((left < 0) | (room < 0), self._contradicted)
        safe = np.where(room > 0, room, 1).astype(np.float64)
        gains = np.where(room > 0, above_low * (remaining / safe) - 1.0, 0.0)
        return np.where(impossible, 0.0, gains), impossible


def log_mean(logs: Floats) -> Floats:
    """Return the log of the average capital over the bets, shape (n,), from logs of shape (bets, n)."""
    peak = logs.max(axis=0)
    # One after the other: numpy's own sum adds a single column in another order than several.
    total = np.cumsum(np.exp(logs - peak), axis=0)[-1]
    mixed: Floats = peak + np.log(total / len(logs))
    return mixed


def _in_blocks(gains: Floats) -> Floats:
    """Return gains as (place in the block, block), filled up with bets of nothing; no product of a block overflows."""
    size = _BLOCK if gains.max() < _LARGEST_FACTOR else 1
    filled = np.concatenate((gains, np.zeros(-len(gains) % size)))
    return np.ascontiguousarray(filled.reshape(-1, size).T)


def _from_first(flags: NDArray[np.bool_], already: bool) -> NDArray[np.bool_]:
    """Return true from the first true flag on."""
    return np.logical_or.accumulate(flags) if not already else np.ones(len(flags), dtype=np.bool_)
