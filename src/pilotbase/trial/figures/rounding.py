"""Numbers of figures: as short as a picture needs them, and bins between round numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pilotbase.charts.scales import round_step
from pilotbase.measures.cases import Floats, Ints

_DIGITS = 6
_LARGEST = 1e150
_FINEST = 1e-9
"""Share of the largest value below which no bin is wide."""


def shortened(value: float) -> float:
    """Return ``value`` in six significant digits."""
    return float(f"{value:.{_DIGITS}g}")


@dataclass(frozen=True)
class Bins:
    """``size`` bins of width ``step`` from ``low`` on; what lies outside falls into the outer ones."""

    low: float
    step: float
    size: int

    def of(self, values: Floats) -> Ints:
        """Return the bin of each value."""
        places = np.floor((values - self.low) / self.step)
        return np.clip(places, 0, self.size - 1).astype(np.int64)

    def leave_out(self, values: Floats) -> Ints:
        """Tell of each value whether it lies outside of all bins, as 0 or 1."""
        high = self.low + self.step * self.size
        return ((values < self.low) | (values > high)).astype(np.int64)


def bounded(values: Floats) -> Floats:
    """Return ``values`` so far in that sums of them stay numbers."""
    return np.clip(values, -_LARGEST, _LARGEST)


def round_bins(low: float, high: float, about: int) -> Bins:
    """Return bins from a round number not above ``low`` to one not below ``high``, at most ``about`` and two."""
    size = max((high - low) / about, _FINEST * max(abs(low), abs(high)))
    step = round_step(size)
    first, last = math.floor(low / step), math.ceil(high / step)
    return Bins(float(f"{first * step:.12g}"), shortened(step), max(last - first, 1))
