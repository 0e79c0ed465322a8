"""What evidence needs to know of a measure: per-case gains and weights whose ratio of sums is the measure.

Any object with these attributes serves (`pilotbase.measures.Observation` does); nothing is imported from measures.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Form = Literal["single", "worst", "gap", "quantile"]
"""``single``: one part is the measure. ``worst``: the worst part is. ``gap``: the largest difference between parts.

``quantile``: the ``quantile`` of the values gain / weight (latency), not their mean.
"""
Comparison = Literal[">=", "<="]


class Part(Protocol):
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
        """What one unit of the ratio is worth in the measure (before the root); 1 unless values are huge."""


class Observation(Protocol):
    """A measure on cases, as one or several parts."""

    @property
    def form(self) -> Form: ...

    @property
    def parts(self) -> Sequence[Part]: ...

    @property
    def quantile(self) -> Fraction | None:
        """Which quantile, for that form; else None."""

    @property
    def census_only(self) -> bool:
        """True when only the whole set gives the measure (no per-case observation exists before all are scored)."""
