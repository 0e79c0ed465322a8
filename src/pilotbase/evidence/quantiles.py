"""Quantiles from order statistics, never interpolated: bounds that hold at any time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pilotbase.evidence.primitive import Bounds, Floats, reals, within

_LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True)
class QuantileState:
    """All values so far, in rising order."""

    values: tuple[float, ...]


class QuantileSequence:
    """Two-sided bounds of the ``q`` quantile of independent values, whatever their distribution.

    For one quantile: the beta-binomial boundary on how many values are below it, tightest near ``planned`` values. With
    ``every_quantile`` the bounds of all quantiles hold at once. Ties only make them more conservative. A bound is
    infinite while there are too few values. Bounds are those of this time: they aren't intersected with earlier ones. A
    request that timed out counts with the time limit; its bound then means *at least that*. Source: Howard & Ramdas,
    Bernoulli 28(3) 2022, theorems 1 and 2.
    """

    def __init__(
        self,
        q: float,
        alpha: float,
        planned: int = 1000,
        every_quantile: bool = False,
        state: QuantileState | None = None,
    ) -> None:
        within("q", q, 0, 1)
        within("alpha", alpha, 0, 1)
        within("planned", planned, 0, math.inf)
        self._q, self._alpha = q, alpha
        self._weight = planned / mixture_tuning(alpha)
        self._every = every_quantile
        self._values = np.array(state.values if state else (), dtype=np.float64)

    @property
    def state(self) -> QuantileState:
        return QuantileState(tuple(self._values.tolist()))

    @property
    def bounds(self) -> Bounds:
        """Return the bounds as they stand."""
        n = len(self._values)
        lower, upper = self.ranks(n) if n else (0, 1)
        return Bounds(
            float(self._values[lower - 1]) if lower >= 1 else -math.inf,
            float(self._values[upper - 1]) if upper <= n else math.inf,
        )

    def update(self, values: NDArray[Any]) -> Bounds:
        """Take values (finite); return the bounds after them."""
        real = reals(values, -_LARGEST, _LARGEST)
        self._values = np.sort(np.concatenate((self._values, real)), kind="stable")
        return self.bounds

    def ranks(self, n: int) -> tuple[int, int]:
        """Return the ranks, counted from 1, of the lower and upper bound among ``n`` values; 0 and n+1: no bound."""
        if self._every:
            radius = float(empirical_process(np.array([float(n)]), self._alpha)[0])
            return max(math.ceil(n * (self._q - radius) - 1e-9), 0), min(math.floor(n * (self._q + radius)) + 1, n + 1)
        centre = min(max(round(self._q * n), 0), n)
        fewest = _first(0, centre, lambda count: self._log_e(count, n) < self._level)
        too_many = _first(centre, n + 1, lambda count: self._log_e(count, n) >= self._level)
        return fewest, too_many

    @property
    def _level(self) -> float:
        return math.log(1 / self._alpha)

    def _log_e(self, below: int, n: int) -> float:
        """Return the log e-value against *a share q is below*, when ``below`` of ``n`` are."""
        a, b = self._weight * self._q, self._weight * (1 - self._q)
        null = special.xlogy(below, self._q) + special.xlog1py(n - below, -self._q)
        return float(special.betaln(a + below, b + n - below) - special.betaln(a, b) - null)


def _first(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """Return the first integer in [low, high) for which ``holds``, which stays true once true; ``high`` when none."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def mixture_tuning(alpha: float) -> float:
    """Return 2 log(1/α) + log(1 + 2 log(1/α)): planned intrinsic time over this makes a mixture tightest there."""
    log = 2 * math.log(1 / alpha)
    return log + math.log1p(log)


def empirical_process(n: Floats, alpha: float) -> Floats:
    """Return the radius around an empirical distribution function of ``n`` values that holds for all values and times.

    .85 √((loglog(e n) + .8 log(1612/α))/n). Source: Howard & Ramdas, "Sequential estimation of quantiles", Bernoulli
    28(3) 2022, theorem 2.
    """
    within("alpha", alpha, 0, 1)
    radius: Floats = 0.85 * np.sqrt((np.log(np.log(math.e * n)) + 0.8 * math.log(1612 / alpha)) / n)
    return radius
