"""Detectors of a risk that has risen: losses from 0 against *the risk, given the past, is at most r0 at every step*.

A loss above 1 is one of a mild season, divided by its factor. Each detector holds some bets and needs as many numbers.
They differ in how they start again:

* `WeightedRestart`: P(it ever reaches 1/α | the risk stays ≤ r0) ≤ α. For what must not cry wolf.
* `LifeRestart`: the same promise, with starts only within a known life. For blocks, of which there are few.
* `ShiryaevRoberts`: the mean time to a false alarm at level A is ≥ A. Quicker; its value is no e-value.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from pilotbase.evidence.distributions import binomial_chances
from pilotbase.evidence.martingale import FRACTIONS, log_mean
from pilotbase.evidence.primitive import Floats, reals, within

MOST = 1e6
"""The largest loss that is taken."""
_CHUNK = 1 << 14
_GRID = 100


@dataclass(frozen=True)
class DetectorState:
    """Values seen; the log of each bet's growth since the beginning; the log of the value of its starts relative to it.

    ``started`` is None for no start yet. ``peak``: the largest log value so far, None before the first. ``bad``: values
    after which `LifeRestart` has started afresh.
    """

    count: int
    log_growth: tuple[float, ...]
    started: tuple[float, ...] | None
    peak: float | None
    bad: int = 0


class _Detector(ABC):
    """Growth of the bets and when each was started; subclasses define how starts are weighted and summed."""

    bets: Floats = FRACTIONS

    def __init__(self, r0: float, state: DetectorState | None = None) -> None:
        within("r0", r0, 0, 1)
        self._r0 = r0
        state = state or DetectorState(0, (0.0,) * len(self.bets), None, None)
        self._count, self._peak, self._bad = state.count, state.peak, state.bad
        self._growth = np.array(state.log_growth)
        self._started = np.full(len(self.bets), -math.inf) if state.started is None else np.array(state.started)

    @property
    def state(self) -> DetectorState:
        started = tuple(self._started.tolist()) if self._count else None
        return DetectorState(self._count, tuple(self._growth.tolist()), started, self._peak, self._bad)

    @final
    def update(self, values: NDArray[Any]) -> Floats:
        """Take losses in their order; return the log of the detector's value after each, shape (n,)."""
        losses = reals(values, 0, MOST)
        parts = [self._advance(losses[start : start + _CHUNK]) for start in range(0, len(losses), _CHUNK)]
        path = np.concatenate(parts) if parts else np.zeros(0)
        if len(path):
            self._peak = max(float(path.max()), self._peak if self._peak is not None else -math.inf)
        return path

    def ever_reached(self, level: float) -> bool:
        """Return whether the value has ever reached ``level`` (1/α, or A)."""
        return self._peak is not None and self._peak >= math.log(level)

    def _advance(self, losses: Floats) -> Floats:
        logs = np.log1p(self.bets[:, None] * (losses / self._r0 - 1.0))
        logs[:, 0] += self._growth
        growth = np.cumsum(logs, axis=1)
        before = np.concatenate((self._growth[:, None], growth[:, :-1]), axis=1)
        times = self._count + np.arange(len(losses))
        # A start at time s is worth its weight over the growth until s: the running sum needs no other memory.
        worth = self._worth(times, losses, before, growth)
        first = self._combine(np.stack((self._started, worth[:, 0])))[-1]
        worth[:, 0] = first
        started = self._combine(worth.T).T
        self._growth, self._started = growth[:, -1].copy(), started[:, -1].copy()
        self._count += len(losses)
        return self._value(growth + started, times + 1)

    @abstractmethod
    def _log_weights(self, times: NDArray[np.int64]) -> Floats:
        """Return the log weight of a start before the value at each of ``times`` (from 0), for all bets together."""

    def _worth(self, times: NDArray[np.int64], losses: Floats, before: Floats, growth: Floats) -> Floats:
        """Return the logs of the starts at each value, each relative to the growth of its bet until then."""
        return self._log_weights(times) - before

    def _combine(self, worth: Floats) -> Floats:
        """Return the running sum over the first axis, in logs."""
        summed: Floats = np.logaddexp.accumulate(worth, axis=0)
        return summed

    def _value(self, capitals: Floats, counts: NDArray[np.int64]) -> Floats:
        """Return the log of the detector's value after ``counts`` values, from each bet's log capital."""
        return log_mean(capitals)


class WeightedRestart(_Detector):
    """An e-process that restarts at every step with its own weight: P(ever ≥ 1/α) ≤ α, and a short delay.

    Weights w_t = log 2/log(t+2) - log 2/log(t+3), t = 0, 1, …, sum to 1; weight not yet started is held in cash. It
    is a mean of e-processes. Source: the restart weights of Shin, Ramdas & Rinaldo, "E-detectors", 2024.
    """

    def _log_weights(self, times: NDArray[np.int64]) -> Floats:
        # log2/log(t+2) - log2/log(t+3), without the cancellation that late weights would suffer.
        earlier, later = np.log(times + 2.0), np.log(times + 3.0)
        weights: Floats = np.log(math.log(2) * np.log1p(1.0 / (times + 2.0)) / (earlier * later))
        return weights

    def _value(self, capitals: Floats, counts: NDArray[np.int64]) -> Floats:
        cash = math.log(math.log(2)) - np.log(np.log(counts + 2.0))
        value: Floats = np.logaddexp(log_mean(capitals), cash)
        return value


class LifeRestart(_Detector):
    """An e-process that starts anew within its first ``life`` values: P(ever ≥ 1/α) ≤ α.

    Half of it starts with the same weight at each of them: the e-SR statistic over ``life``, with what has not started
    yet in cash. It is quicker than `WeightedRestart`, whose late starts weigh little. The other half starts after bad
    values, the j-th with weight 1/(j(j+1)) and the largest bet: an abrupt collapse need not pay for all the days on
    which it has not come. Any time may be chosen for a start, so the promise holds whatever a bad value is worth.
    """

    bets = np.array([0.9, 0.5, 0.25, 0.1, 0.03])

    def __init__(self, r0: float, life: int, state: DetectorState | None = None) -> None:
        super().__init__(r0, state)
        within("life", life, 0, math.inf)
        self._life, self._from = life, bad_from(r0)

    def _log_weights(self, times: NDArray[np.int64]) -> Floats:
        return np.where(times < self._life, -math.log(2 * self._life), -math.inf)

    def _worth(self, times: NDArray[np.int64], losses: Floats, before: Floats, growth: Floats) -> Floats:
        worth = super()._worth(times, losses, before, growth)
        bad = np.flatnonzero((losses >= self._from) & (times < self._life))
        numbers = self._bad + 1 + np.arange(len(bad))
        self._bad += len(bad)
        # The largest bet alone: of the mean over all bets it has its share.
        fresh = math.log(len(self.bets) / 2) - np.log(numbers) - np.log1p(numbers) - growth[0, bad]
        worth[0, bad] = np.logaddexp(worth[0, bad], fresh)
        return worth

    def _value(self, capitals: Floats, counts: NDArray[np.int64]) -> Floats:
        cash = np.log(np.maximum(1 - counts / self._life, np.finfo(float).tiny) / 2)
        value: Floats = np.logaddexp(log_mean(capitals), cash)
        return value


def bad_from(r0: float) -> float:
    """Return the mean from which `LifeRestart` starts afresh: twice what is accepted, at most halfway to 1."""
    return min(2 * r0, (1 + r0) / 2)


def expected_delay(r0: float, risk: float, labels: int, life: int, alpha: float) -> float:
    """Return about how many periods of so many labels `LifeRestart` takes at ``risk``, by the quicker of its halves."""
    means = np.arange(labels + 1) / labels
    chances, accepted = binomial_chances(labels, risk), binomial_chances(labels, r0)
    growth = np.log1p(LifeRestart.bets[:, None] * (means / r0 - 1)) @ chances
    if growth.max() <= 0:
        return math.inf
    steady = math.log(life / alpha) / float(growth.max())
    bad = means >= bad_from(r0)
    if growth[0] <= 0 or not chances[bad].sum():
        return steady
    number = 1 + life / 3 * float(accepted[bad].sum())  # bad periods come by chance, too
    return min(steady, 1 / float(chances[bad].sum()) + math.log(2 * number * (number + 1) / alpha) / float(growth[0]))


def exceeded(means: Floats, life: int, alpha: float) -> Floats:
    """Return after each mean what the risk has exceeded at some time: P(ever more than it ever was) ≤ α.

    It is the largest r0 against which `LifeRestart` has reached 1/α by then, of `_GRID` of them; NaN before the first.
    """
    found = np.full(len(means), np.nan)
    for r0 in np.linspace(0, min(float(means.max(initial=0.01)), 0.99), _GRID + 1)[1:]:
        path = np.maximum.accumulate(LifeRestart(float(r0), life).update(means))
        found[path >= math.log(1 / alpha)] = r0
    return found


class ShiryaevRoberts(_Detector):
    """The e-SR detector: alarm when it reaches A, then the mean time to a false alarm is at least A.

    Source: Shin, Ramdas & Rinaldo, "E-detectors: a nonparametric framework for sequential change detection", 2024.
    """

    def _log_weights(self, times: NDArray[np.int64]) -> Floats:
        return np.zeros(len(times))
