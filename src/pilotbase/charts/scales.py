"""From values to positions and words: where a value and the ticks are, and how numbers are written."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from pilotbase.documents.quantities import (
    MISSING,
    Beside,
    beside_bounds,
    format_bytes,
    format_digits,
    format_seconds,
    write_beside,
)

_MOST_DECIMALS = 6
_LONG = 1e7
"""From here on a tick is spelled with a power of ten."""


@dataclass(frozen=True)
class Scale:
    """Maps ``low`` … ``high`` to ``start`` … ``end`` on the paper, by value or by its logarithm."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """Return the position of ``value``, limited to the paper."""
        held = min(max(value, self.low), self.high)
        share = self._measure(held) - self._measure(self.low)
        whole = self._measure(self.high) - self._measure(self.low)
        return self.start + (self.end - self.start) * (share / whole if whole else 0.5)

    def ticks(self, about: int = 5, unit: str = "") -> tuple[float, ...]:
        """Return round values inside the scale, about so many; sizes in bytes are round in powers of two."""
        if self.logarithmic:
            return _decades(self.low, self.high)
        size = (self.high - self.low) / about
        step = 2.0 ** math.ceil(math.log2(size)) if unit == "B" and size > 0 else round_step(size)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return tuple(index * step for index in range(first, last + 1))

    def _measure(self, value: float) -> float:
        return math.log(value) if self.logarithmic else value


@dataclass(frozen=True)
class Frame:
    """The size of a drawing, and the sides of the plot in it."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int

    def across(self, low: float, high: float) -> Scale:
        """Return the scale from the left side of the plot to its right one."""
        return Scale(low, high, self.left, self.right)

    def up(self, low: float, high: float) -> Scale:
        """Return the scale from the bottom of the plot to its top."""
        return Scale(low, high, self.bottom, self.top)


def round_step(size: float) -> float:
    """Return the step 1, 2 or 5 times a power of ten that is not below ``size``."""
    if size <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(size))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= size * (1 - 1e-9))


def around(values: Iterable[float], bounds: tuple[float, float] | None = None) -> tuple[float, float]:
    """Return a range that holds ``values`` with air on both sides, inside ``bounds`` where given."""
    found = list(values)
    low, high = min(found), max(found)
    air = 0.12 * (high - low) or max(abs(high) * 0.05, 0.01)
    low, high = low - air, high + air
    if bounds is not None:
        low, high = max(low, bounds[0]), min(high, bounds[1])
    return (low, high) if high > low else (low - 0.01, high + 0.01)


def _decades(low: float, high: float) -> tuple[float, ...]:
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [factor * 10.0**power for power in exponents for factor in (1, 2, 5)]
    inside = [value for value in found if low <= value <= high]
    wide = math.log10(high / low) > 1.5
    return tuple(value for value in inside if not wide or f"{value:e}".startswith("1"))


class Judged(Protocol):
    """A criterion with a threshold, in its base unit."""

    @property
    def threshold(self) -> float: ...
    @property
    def unit_label(self) -> str: ...


def format_number(value: float | None, unit: str = "", beside: Beside = Beside()) -> str:  # noqa: B008 - a plain tuple
    """Return ``value`` in base unit ``unit`` (``s``, ``B``, any other, or empty for a share), or a dash for None."""
    if value is None:
        return MISSING
    if unit == "s":
        return format_seconds(value, beside)
    if unit == "B":
        return format_bytes(value, beside)
    if unit:
        return f"{format_digits(value, beside)} {unit}"
    return write_beside(f"{value:.3f}", value, 3, beside) if abs(value) < 10 else format_digits(value, beside)


def format_on_axis(value: float | None, unit: str = "", beside: Beside = Beside()) -> str:  # noqa: B008
    """Return ``value`` for an axis that names ``unit`` once: times, sizes and shares as usual, others without unit."""
    bare = value is not None and named_once(unit)
    return format_digits(value, beside) if value is not None and bare else format_number(value, unit, beside)


def format_score(value: float | None, result: Judged, on_axis: bool = False) -> str:
    """Return a score, or the threshold itself, so that it reads on its own side of the criterion's threshold."""
    return (format_on_axis if on_axis else format_number)(value, result.unit_label, Beside(result.threshold))


def format_bounds(bounds: tuple[float | None, float | None], result: Judged | None = None) -> tuple[str, str]:
    """Return the lower and the upper bound, rounded outward; an exact value is spelled as a score.

    ``result``: the criterion with its threshold; None for shares that no threshold judges.
    """
    threshold, unit = (None, "") if result is None else (result.threshold, result.unit_label)
    down, up = beside_bounds(bounds, threshold)
    return format_number(bounds[0], unit, down), format_number(bounds[1], unit, up)


def named_once(unit: str) -> bool:
    """Return whether an axis names ``unit`` once; times and sizes change theirs from tick to tick."""
    return unit not in ("", "s", "B")


def format_ticks(ticks: Sequence[float], unit: str = "") -> list[str]:
    """Return the labels of an axis, all with the same number of decimals; bare where the axis names ``unit``."""
    if unit in ("s", "B"):
        return [format_number(tick, unit) for tick in ticks]
    step = min((high - low for low, high in pairwise(ticks)), default=max(map(abs, ticks), default=1.0))
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else 0
    if decimals > _MOST_DECIMALS or any(abs(tick) >= _LONG for tick in ticks):
        return ["0" if tick == 0 else f"{tick:.3g}" for tick in ticks]
    return [f"{tick:,.{decimals}f}" if abs(tick) > step / 2 else "0" for tick in ticks]


def format_count(value: int | None) -> str:
    """Return a count with thousands apart, or a dash for None."""
    return MISSING if value is None else f"{value:,}"
