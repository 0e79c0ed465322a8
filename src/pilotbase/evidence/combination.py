"""A measure that is the mean of several ratios, or the sum of their absolute values: the bounds of each are combined.

By the union bound each of C ratios is bounded at α/C, and all bounds hold at once (macro-averaged F1, statistics.md
§2.2). Of an absolute value only the bound on the side of its true sign can fail when it is bounded from above, so α/C
is enough there too; from below either can, at α/(2C).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pilotbase.evidence.criterion import SingleTest
from pilotbase.evidence.intervals import staircase
from pilotbase.evidence.martingale import Floats, Ints
from pilotbase.evidence.observations import Comparison

Flags = NDArray[np.bool_]

_ROUNDING = 1e-12
_LEVELS = 24
_FIRST_LOOK, _FURTHER = 512, 4


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

    def exact_fixed(self, bound: Fraction) -> bool:
        return all(part.exact_fixed(bound) for part in self.parts)

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
        """Return the first time at which the combined bound has ``reached`` what is asked, looking ever further."""
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
        """Return the combined bound as it stood at each time it moved, shapes (times,).

        Bounds are followed on other values from another horizon; what was known of earlier times stays known, so that
        interval and verdict agree.
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


_Stairs = tuple[Ints, Floats]


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
