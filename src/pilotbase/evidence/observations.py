"""What the evidence engine needs from a measure: per-case gains and weights whose ratio of sums is the measure.

Any object with these attributes works (`pilotbase.measures.Observation` has them); measures aren't imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

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


@runtime_checkable
class CountStatistic(Protocol):
    """A function of how many cases fall into each of a few cells."""

    @property
    def codes(self) -> NDArray[np.int64]:
        """The cell of each case, shape (cases,); -1 means that the case is not eligible."""

    @property
    def cells(self) -> int: ...

    @property
    def value(self) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
        """Counts of shape (…, cells) to values of shape (…), NaN where 0/0."""

    @property
    def kinds(self) -> NDArray[np.int64]:
        """The class of each case, shape (cases,); -1 means that the case is not eligible."""

    @property
    def least(self) -> int:
        """How many cases of every class its bounds need: with fewer, they fail more often than stated."""


@runtime_checkable
class RecallCut(Protocol):
    """Scores as in `RankedScores`, and the share of the others allowed above the cut at which recall is read."""

    @property
    def scores(self) -> NDArray[np.float64]: ...

    @property
    def positive(self) -> NDArray[np.bool_]: ...

    @property
    def rate(self) -> Fraction: ...


@runtime_checkable
class RankedScores(Protocol):
    """Scores of cases and which of them belong to the class that should rank high; both of shape (cases,)."""

    @property
    def scores(self) -> NDArray[np.float64]: ...

    @property
    def positive(self) -> NDArray[np.bool_]: ...


Statistic = CountStatistic | RecallCut | RankedScores


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
    def statistic(self) -> Statistic | None:
        """The statistic that estimates a ``function``; otherwise None."""

    @property
    def joined(self) -> bool:
        """True when an entry joins several cases (pairs), so that no cluster of cases can be its unit."""

    @property
    def census_only(self) -> bool:
        """True when only the whole set gives the measure (no per-case observation exists before all are scored)."""
