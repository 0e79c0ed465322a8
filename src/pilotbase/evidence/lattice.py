"""A criterion linearised at a bound: integers in the order of scoring, and the total they must reach.

``measure ≥ c`` with ``measure = Σ gain / Σ weight`` holds exactly when ``Σ (gain - c·weight) ≥ 0``. With ``c = p/q``
the terms become integers, so the criterion on a finite set is a comparison of integers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.evidence.martingale import Ints, MeanMartingale
from pilotbase.evidence.observations import RatioPart, RealGains

Integers = NDArray[np.signedinteger[Any]]

_EXACT = 1 << 62
_SMALL_COUNTS = math.lcm(*range(1, 20))
"""Shares of clusters of up to 20 cases are exact."""


@dataclass(frozen=True)
class Stream:
    """The eligible gains and weights of one part in the order of scoring.

    ``positions[i]`` is how many cases have been scored when entry i is known. With clusters an entry is a cluster.
    Gains and weights are integers of any width, as they were observed; claims make them wide enough to be summed.
    """

    gain: Integers
    weight: Integers
    positions: Ints
    outcomes: tuple[tuple[int, int], ...]
    largest_unit: int
    """Most eligible cases in one cluster; 0 when the unit is the case."""
    exactly: Callable[[int | None], Fraction] | None = None
    """The ratio of the first entries (None: of all) where integers only come near it."""
    slack: int = 0
    """By how many steps a case's gain may harm the criterion more than its real does."""

    def __len__(self) -> int:
        return len(self.gain)

    def until(self, position: int) -> int:
        """Return how many entries are known once ``position`` cases have been scored."""
        return int(np.searchsorted(self.positions, position, side="right"))

    def ratio(self, entries: int | None = None) -> Fraction | None:
        """Return Σ gain / Σ weight over the first ``entries``; None if nothing was eligible (0/0)."""
        weight = int(self.weight[:entries].sum())
        if weight and self.exactly is not None:
            return self.exactly(None if entries is None or entries >= len(self) else entries)
        return Fraction(int(self.gain[:entries].sum()), weight) if weight else None


@dataclass(frozen=True)
class MeanClaim:
    """*The values average at least ``mean``*, over integers in [``low``, ``high``]; and the same for all, ``total``."""

    values: Ints
    low: int
    high: int
    mean: Fraction
    closed: bool = False
    """Confirm only values above the bound and leave equality to the census: for claims whose step depends on the bound,
    so that evidence is monotone in it."""
    rounding: int = 0
    """How much the sum may have lost because values were rounded down: real ones, and huge ones."""
    scale: Fraction = Fraction(1)
    """Units of the values for one unit of gain."""
    entries: int | None = None
    """How many entries there are in all, where ``values`` are the first of them only."""

    @property
    def total(self) -> int:
        """Return the smallest sum of all values for which the claim holds on the finite set."""
        return math.ceil(self.mean * self.size)

    @property
    def size(self) -> int:
        """Return how many entries there are in all."""
        return len(self.values) if self.entries is None else self.entries

    def holds(self) -> bool:
        """Return whether the claim is true of all the values: exact, in integers."""
        return int(self.values.sum()) >= self.total

    def confirming(self, finite: bool) -> MeanMartingale:
        """Return a fresh martingale against the claim being false; feed it ``values``."""
        if finite:
            null = self.total if self.closed else self.total - 1
            return MeanMartingale.without_replacement(null, self.size, self.low)
        return MeanMartingale.with_replacement(self.mean, self.low)

    def refuting(self, finite: bool) -> MeanMartingale:
        """Return a fresh martingale against the claim being true; feed it ``-values``."""
        if finite:
            return MeanMartingale.without_replacement(self.rounding - self.total, self.size, -self.high)
        return MeanMartingale.with_replacement(self.lost - self.mean, -self.high)

    @property
    def lost(self) -> Fraction:
        """Return how much the mean may have lost by rounding."""
        return Fraction(self.rounding, max(self.size, 1))


def stream_of(part: RatioPart, order: Ints, units: Ints | None, towards: int = 0) -> Stream:
    """Return the eligible entries of ``part`` in ``order``; with ``units`` (a code per case) clusters as wholes.

    Where the largest cluster isn't known, as in a population, an entry is the cluster's own ratio: ``towards`` says
    whether rounding up (1) or down (-1) harms the criterion.
    """
    gain, weight = part.gain.take(order), part.weight.take(order)
    outcomes = tuple((int(a), int(b)) for a, b in part.outcomes)
    if units is None or not len(order):
        positions = np.arange(1, len(order) + 1)
        if not weight.all():
            eligible = np.flatnonzero((weight != 0) | (gain != 0) if part.joined else weight != 0)
            gain, weight, positions = gain.take(eligible), weight.take(eligible), eligible + 1
        exactly = None if part.reals is None else _exactly(part.reals, part.unit, order.take(positions - 1))
        return Stream(gain, weight, positions, outcomes, 0, exactly, part.slack)
    gain, weight = _wide(gain), _wide(weight)
    codes = units[order]
    last = np.flatnonzero(np.append(codes[1:] != codes[:-1], True))
    starts = np.concatenate(([0], last[:-1] + 1))
    counts = np.add.reduceat((weight > 0).astype(np.int64), starts)
    kept = counts > 0
    summed_gain, summed_weight = np.add.reduceat(gain, starts)[kept], np.add.reduceat(weight, starts)[kept]
    if towards:
        return _ratios(part, (summed_gain, summed_weight), last[kept] + 1, towards)
    largest = int(counts.max(initial=0))
    return Stream(summed_gain, summed_weight, last[kept] + 1, outcomes, largest, None, part.slack)


def _ratios(part: RatioPart, sums: tuple[Ints, Ints], positions: Ints, towards: int) -> Stream:
    gain, weight = sums
    weights = {weight for _, weight in part.outcomes if weight}
    # Values whose own lattice, of one weight, is fine; or a fine one for counts and for sums of several weights.
    own = len(weights) == 1 and _largest(gain) >= _EXACT // _SMALL_COUNTS
    steps = max(weights) if own else _SMALL_COUNTS
    over = weight // steps if own else weight
    scaled = gain if own else gain.astype(object) * steps if _largest(gain) >= _EXACT // steps else gain * steps
    value = (-(-scaled // over) if towards > 0 else scaled // over).astype(np.int64)
    ends = [Fraction(g, w) * steps for g, w in part.outcomes if w]
    low, high = math.floor(min(ends)), math.ceil(max(ends))
    return Stream(
        value,
        np.full(len(value), steps, dtype=np.int64),
        positions,
        ((low, steps), (low + 1, steps), (high, steps)),
        0,
        slack=part.slack + bool((scaled % over).any()),
    )


def _exactly(reals: RealGains, unit: int, cases: Ints) -> Callable[[int | None], Fraction]:
    return cache(lambda entries: reals.ratio(cases[:entries]) / unit)


def _wide(values: Integers) -> Ints:
    """Return ``values`` so that sums and products of them are exact."""
    return values.astype(np.int64, copy=False)


def claim_at_least(stream: Stream, bound: Fraction, known: int | None = None) -> MeanClaim:
    """Return the claim *ratio ≥ bound* over the stream's entries, with the values of the first ``known`` (or all)."""
    return _claim(stream, bound, 1, known)


def claim_at_most(stream: Stream, bound: Fraction, known: int | None = None) -> MeanClaim:
    """Return the claim *ratio ≤ bound* over the stream's entries, with the values of the first ``known`` (or all)."""
    return _claim(stream, bound, -1, known)


def _claim(stream: Stream, bound: Fraction, sign: int, known: int | None) -> MeanClaim:
    weights = {weight for _, weight in stream.outcomes}
    if stream.largest_unit == 0 and len(weights) == 1:
        (weight,) = weights
        gains = [sign * gain for gain, _ in stream.outcomes]
        gain = _wide(stream.gain[:known])
        ends = min(gains), max(gains)
        values, lost = gain if sign > 0 else -gain, stream.slack * len(stream)
        return MeanClaim(values, *ends, sign * bound * weight, rounding=lost, entries=len(stream))
    return _centred_claim(stream, bound, sign, known)


def _centred_claim(stream: Stream, bound: Fraction, sign: int, known: int | None) -> MeanClaim:
    """Return the claim Σ sign·(q·gain - p·weight) ≥ 0, divided by the common divisor of its outcomes.

    For a cluster the range is that of the largest cluster: a case-weighted claim.
    """
    p, q = bound.numerator, bound.denominator
    terms = [sign * (q * gain - p * weight) for gain, weight in stream.outcomes]
    divisor = math.gcd(*terms) or 1
    size = max(stream.largest_unit, 1)
    low, high = size * min(*terms, 0), size * max(*terms, 0)
    coarser = max(len(stream), 1) * max(-low, high) // (divisor * _EXACT) + 1
    divisor *= coarser
    values = _combine((_wide(stream.gain[:known]), _wide(stream.weight[:known])), sign * q, -sign * p, divisor)
    rounding = len(stream) if coarser > 1 else 0
    rounding += -(-stream.slack * q * size * len(stream) // divisor)
    low, high = low // divisor, -(-high // divisor)
    return MeanClaim(values, low, high, Fraction(0), True, rounding, Fraction(q, divisor), len(stream))


def _combine(entries: tuple[Ints, Ints], of_gain: int, of_weight: int, divisor: int) -> Ints:
    """Return (of_gain·gain + of_weight·weight) / divisor, by Python's integers where int64 could overflow."""
    gain, weight = entries
    peak = abs(of_gain) * _largest(gain) + abs(of_weight) * _largest(weight)
    # Without an entry the peak is 0, whatever the factors are.
    if max(peak, abs(of_gain), abs(of_weight), divisor) < _EXACT:
        values: Ints = (of_gain * gain + of_weight * weight) // divisor
        return values
    exact: Sequence[int] = [
        (of_gain * int(g) + of_weight * int(w)) // divisor for g, w in zip(gain, weight, strict=True)
    ]
    return np.array(exact, dtype=np.int64)


def _largest(values: Ints) -> int:
    return int(np.abs(values).max(initial=0))
