"""What the evidence engine needs from a measure: per-case gains and weights whose ratio of sums is the measure.

Any object with these attributes works (`pilotbase.measures.Observation` has them); measures aren't imported here.

Cases are scored in an order that a committed seed fixes, revealed only after all answers are committed: an application
that knew it could answer only its first cases well. Keys come from SHAKE-256 and are sorted as integers, so that the
order is the same on every machine and with every library. By strata, evidence would see only the easy one first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from pilotbase.evidence.primitive import Ints

Form = Literal["single", "worst", "gap", "quantile", "mean", "absolute_sum", "function"]
"""``single``: one part is the measure. ``worst``: the worst part is. ``gap``: the largest difference between parts.

``quantile``: the ``quantile`` of the values gain / weight (latency), not their mean. ``mean``, ``absolute_sum``: of all
parts, every bound of them at its share of α. ``function``: of all cases together, bounded at a fixed n.
"""
Comparison = Literal[">=", "<="]


class RealGains(Protocol):
    """Gains and weights that are no integers."""

    def ratio(self, cases: NDArray[np.int64], /) -> Fraction:
        """Return Σ gain / Σ weight over ``cases`` without rounding, in the measure's own unit (before the root)."""


class RatioPart(Protocol):
    """One ratio of sums over cases: ``(unit · Σ gain / Σ weight) ** (1 / root)``."""

    @property
    def name(self) -> str | None:
        """The group this part covers; None when it covers all cases."""

    @property
    def gain(self) -> NDArray[np.signedinteger[Any]]:
        """Numerator of each case, shape (cases,)."""

    @property
    def weight(self) -> NDArray[np.signedinteger[Any]]:
        """Denominator of each case, shape (cases,), ≥ 0; zero means that the case is not eligible."""

    @property
    def outcomes(self) -> Sequence[tuple[int, int]]:
        """Possible (gain, weight) of an eligible case: all of them, or for real values the extremes and one step."""

    @property
    def root(self) -> Literal[1, 2]:
        """2 when the measure is the square root of the ratio (RMSE), else 1."""

    @property
    def unit(self) -> int:
        """The value of one unit of the ratio in the measure (before the root); 1 unless values are huge."""

    @property
    def reals(self) -> RealGains | None:
        """Gains and weights as they are, where integers only come near them; else None."""

    @property
    def slack(self) -> int:
        """By how many steps a gain may harm the criterion more than its real does."""

    @property
    def joined(self) -> bool:
        """True when an entry joins several cases; it may then have no weight and still a gain."""

    @property
    def from_below(self) -> bool:
        """True when the ratio is never above the measure, and bounds it from below only."""


class RecallCut(Protocol):
    """Scores, which cases should rank high, which enter, and the share of the others allowed above the cut."""

    @property
    def scores(self) -> NDArray[np.float64]: ...

    @property
    def positive(self) -> NDArray[np.bool_]: ...

    @property
    def rate(self) -> Fraction: ...

    @property
    def chosen(self) -> NDArray[np.bool_]: ...

    @property
    def value(self) -> Callable[[NDArray[np.int64]], float | None]:
        """The measure of some of the cases."""

    @property
    def blocks(self) -> Callable[[NDArray[np.int64], NDArray[np.float64]], RatioPart] | None:
        """The independent entries of some of the cases by ranks of all, where it is the area beyond the cut."""


class MeasuredCases(Protocol):
    """A measure on cases, as one or several parts; of a ``function`` the part is the whole set's value."""

    @property
    def form(self) -> Form: ...

    @property
    def parts(self) -> Sequence[RatioPart]: ...

    @property
    def quantile(self) -> Fraction | None:
        """Which quantile, for that form; else None."""

    @property
    def statistic(self) -> RecallCut | None:
        """The statistic that estimates a ``function``; otherwise None."""

    @property
    def plain(self) -> Callable[[NDArray[np.int64]], float | None] | None:
        """The measure over some cases, where entries join several; otherwise None."""

    @property
    def uncapped(self) -> tuple[Fraction, int] | None:
        """Where entries count up to a cap, the value of the whole run without it, and how many times what is allowed
        the cap is; otherwise None."""

    @property
    def joined(self) -> bool:
        """True when an entry joins several cases (pairs), so that no cluster of cases can be its unit."""

    @property
    def census_only(self) -> bool:
        """True when only the whole set gives the measure (no per-case observation exists before all are scored)."""


def draw_order(cases: int, seed: bytes, units: Ints | None = None) -> Ints:
    """Return a permutation of ``range(cases)``; with ``units`` (a code per case) whole clusters are shuffled."""
    if units is None:
        return _shuffled(cases, seed)
    names, codes = np.unique(units, return_inverse=True)
    rank = np.empty(len(names), dtype=np.int64)
    rank[_shuffled(len(names), seed)] = np.arange(len(names))
    return np.argsort(rank[codes], kind="stable").astype(np.int64)


def one_of_each(order: Ints, units: Ints) -> Ints:
    """Return one case of each unit (a code per case), in ``order``; the order itself, which nobody knew, draws them."""
    shuffled = order[_shuffled(len(order), order.astype("<i8").tobytes())]
    chosen = shuffled[np.unique(units[shuffled], return_index=True)[1]]
    return order[np.isin(order, chosen)]


def _shuffled(count: int, seed: bytes) -> Ints:
    """Return the places of ``count`` random 64-bit keys in rising order; equal keys keep the order of their cases."""
    keys = np.frombuffer(hashlib.shake_256(b"pilotbase order\x00" + seed).digest(8 * count), dtype="<u8")
    # Each is sorted with its place in its low bits, four times as fast as an argsort.
    low = np.uint64((1 << count.bit_length()) - 1)
    nearly = keys & ~low
    nearly |= np.arange(count, dtype=np.uint64)
    nearly.sort()
    places = (nearly & low).view(np.int64)
    if ((nearly[1:] ^ nearly[:-1]) <= low).any():  # some keys differ in those bits alone
        places = places[np.argsort(keys[places], kind="stable")]
    return places
