"""Confidence sequences for right-or-wrong data from two counts alone: independent trials, or a finite set.

Both intersect the bounds of every time so far, on a fixed lattice, in O(1) memory.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pilotbase.documents.errors import InputError
from pilotbase.evidence.confidence_sequence import STEPS
from pilotbase.evidence.inversion import furthest
from pilotbase.evidence.primitive import Bounds, Floats, Ints, integers, within


@dataclass(frozen=True)
class BinaryState:
    """Trials, successes, and how far the bounds have come on the lattice from either end."""

    count: int
    successes: int
    from_low: int
    from_high: int


class BetaBinomial:
    """Two-sided bounds of a success probability at any time, by a beta mixture of likelihood ratios.

    Source: Robbins 1970; Howard, Ramdas, McAuliffe & Sekhon, Annals of Statistics 2021 (Bernoulli mixtures). ``prior``
    are the mixture's two parameters; any choice is valid.
    """

    def __init__(self, alpha: float, prior: tuple[float, float] = (0.5, 0.5), state: BinaryState | None = None) -> None:
        within("alpha", alpha, 0, 1)
        self._level = math.log(1 / alpha)
        self._prior = prior
        self._state = state or BinaryState(0, 0, 0, 0)

    @property
    def state(self) -> BinaryState:
        return self._state

    @property
    def bounds(self) -> Bounds:
        """Return the bounds as they stand."""
        return Bounds(self._state.from_low / STEPS, 1 - self._state.from_high / STEPS)

    def update(self, values: NDArray[Any]) -> Bounds:
        """Take values (0 or 1); return the bounds after them."""
        whole = integers(values, 0, 1)
        if len(whole) == 0:
            return self.bounds
        trials, successes = _counts(self._state, whole)
        a, b = self._prior
        mixture = special.betaln(a + successes, b + trials - successes) - special.betaln(a, b)
        low = self._furthest(successes, trials, mixture, self._state.from_low)
        high = self._furthest(trials - successes, trials, mixture, self._state.from_high)
        self._state = BinaryState(int(trials[-1]), int(successes[-1]), low, high)
        return self.bounds

    def _furthest(self, hits: Ints, trials: Ints, mixture: Floats, reached: int) -> int:
        """Return the last lattice step that some time rules out from below, for the share of ``hits``."""
        misses = trials - hits

        def excluded(step: int) -> bool:
            mean = step / STEPS
            e_values = mixture - hits * math.log(mean) - misses * math.log1p(-mean)
            return bool(((e_values >= self._level) & (hits > mean * trials)).any())

        return furthest(excluded, reached, STEPS - 1)


class PriorPosterior:
    """Two-sided bounds of the share of successes in a finite set drawn in random order, at any time.

    Source: Waudby-Smith & Ramdas, "Confidence sequences for sampling without replacement", NeurIPS 2020: the ratio of
    prior to posterior. After the whole set the bounds are the share itself.
    """

    def __init__(
        self, alpha: float, size: int, prior: tuple[float, float] = (1.0, 1.0), state: BinaryState | None = None
    ) -> None:
        within("alpha", alpha, 0, 1)
        within("size", size, 0, math.inf)
        self._level = math.log(1 / alpha)
        self._size = size
        self._prior = prior
        self._state = state or BinaryState(0, 0, 0, 0)
        self._log_factorials: Floats = special.gammaln(np.arange(size + 1) + 1.0)

    @property
    def state(self) -> BinaryState:
        return self._state

    @property
    def bounds(self) -> Bounds:
        """Return the bounds as they stand."""
        return Bounds(self._state.from_low / self._size, (self._size - self._state.from_high) / self._size)

    def update(self, values: NDArray[Any]) -> Bounds:
        """Take values (0 or 1); return the bounds after them."""
        whole = integers(values, 0, 1)
        if len(whole) == 0:
            return self.bounds
        if self._state.count + len(whole) > self._size:
            raise InputError("evidence.more_than_the_set", size=self._size, found=self._state.count + len(whole))
        trials, successes = _counts(self._state, whole)
        low = self._furthest(successes, trials, self._prior, self._state.from_low)
        high = self._furthest(trials - successes, trials, self._prior[::-1], self._state.from_high)
        self._state = BinaryState(int(trials[-1]), int(successes[-1]), low, high)
        return self.bounds

    def _furthest(self, hits: Ints, trials: Ints, prior: tuple[float, float], reached: int) -> int:
        """Return how many of the smallest totals of ``hits`` some time rules out."""
        a, b = prior
        rest = self._size - trials
        posterior = special.betaln(a + hits, b + trials - hits) - special.betaln(a, b) - self._log_factorials[rest]

        def excluded(step: int) -> bool:
            total = step - 1
            left = total - hits
            impossible = left < 0
            # A total that too many misses rule out is ruled out from above, not from here.
            places = np.clip(left, 0, rest)
            e_values = posterior + self._log_choices(total) + self._log_factorials[places]
            e_values += self._log_factorials[rest - places]
            from_below = total * trials <= hits * self._size
            return bool((impossible | ((e_values >= self._level) & from_below)).any())

        return furthest(excluded, reached, self._size)

    def _log_choices(self, total: int) -> float:
        logs = self._log_factorials
        return float(logs[-1] - logs[total] - logs[self._size - total])


def _counts(state: BinaryState, values: Ints) -> tuple[Ints, Ints]:
    trials = state.count + np.arange(1, len(values) + 1)
    return trials, state.successes + np.cumsum(values)
