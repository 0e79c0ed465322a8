"""A prediction interval for the sum of future durations, from the first ones, with the coverage that it states.

The mean of the first durations gives the expectation of the future sum; the interval is widened for what durations do
in practice:

* **They are dependent**: a slow machine stays slow. The variance of a mean of autocorrelated values is inflated by
  (1 + ρ) / (1 − ρ), with ρ of lag one corrected for its bias, (nρ + 1) / (n − 4) (Marriott and Pope 1954, Biometrika
  41, 390; Kendall 1954, ibid. 403), and Student's t has one degree less than there are independent values among them
  (Zwiers and von Storch 1995, Journal of Climate 8, 336, on the equivalent sample size; they warn below 30).
* **They are skewed**: the interval is symmetric about the logarithm of the mean (delta method), so its upper side is
  the longer one.
* **Tails are heavier than those of t**: a stated 90 % is computed at 95 %.

It can't predict what no prefix shows: later durations of another kind than all that were seen.
`tests/evidence/test_remaining.py` simulates the coverage; docs/a-trial-on-a-hub.md has the table.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pilotbase.evidence.distributions import student_upper_quantile

CONFIDENCE = 0.90
"""The stated coverage."""
_SPARE = 2
"""The share outside is divided by this when computing."""
_FEW = 8
"""From fewer values no correlation can be read: `_ASSUMED` is taken."""
_ASSUMED, _MOST = 0.3, 0.95


@dataclass(frozen=True)
class Predicted:
    """A predicted figure, and an interval that contains it as often as stated; ``high`` may be infinite."""

    low: float
    expected: float
    high: float


def predict_sum(seen: Sequence[float], count: float) -> Predicted:
    """Return the sum of ``count`` further values that behave like ``seen``, which is in time order.

    ``count`` may be fractional: a last batch that isn't full. A single value only gives the magnitude.
    """
    values = np.asarray(seen, dtype=np.float64)
    if count <= 0 or not len(values):
        return Predicted(0.0, 0.0, 0.0 if count <= 0 else math.inf)
    mean = float(values.mean())
    if len(values) == 1:
        return Predicted(0.0, mean * count, math.inf)
    deviations = values - mean
    squares = float(deviations @ deviations)
    if mean <= 0 or squares <= (1e-12 * mean) ** 2:
        return Predicted(mean * count, mean * count, mean * count)
    inflation = _inflation(deviations, squares)
    freedom = max(len(values) / inflation - 1, 1.0)
    variance = squares / max(len(values) - inflation, 1.0)
    of_mean = math.sqrt(variance * inflation * (1 / len(values) + 1 / count))
    return _about(mean * count, student_upper_quantile((1 - CONFIDENCE) / 2 / _SPARE, freedom) * of_mean / mean)


def predict_next(seen: Sequence[float]) -> Predicted:
    """Return the next value of a kind from independent ``seen`` values: exact if their logarithms are normal.

    ``expected`` is their median. Fewer than three only give the magnitude.
    """
    values = np.asarray(seen, dtype=np.float64)
    if len(values) < 3 or values.min() <= 0:
        middle = float(np.median(values)) if len(values) else 0.0
        return Predicted(0.0, middle, math.inf)
    logs = np.log(values)
    spread = float(logs.std(ddof=1)) * math.sqrt(1 + 1 / len(values))
    return _about(math.exp(float(logs.mean())), student_upper_quantile((1 - CONFIDENCE) / 2, len(values) - 1) * spread)


def _inflation(deviations: np.ndarray[tuple[int], np.dtype[np.float64]], squares: float) -> float:
    """Return how much larger the variance of the mean is than that of as many independent values."""
    count, correlation = len(deviations), _ASSUMED
    if count >= _FEW:
        lagged = float(deviations[1:] @ deviations[:-1]) / squares
        correlation = min(max((count * lagged + 1) / (count - 4), 0.0), _MOST)
    return (1 + correlation) / (1 - correlation)


def _about(expected: float, half: float) -> Predicted:
    """Return the interval that is symmetric about the logarithm of ``expected``."""
    return Predicted(expected * math.exp(-half), expected, expected * math.exp(half) if half < 700 else math.inf)
