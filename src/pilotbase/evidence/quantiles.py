"""Quantiles of a distribution from order statistics: exact whatever the tail, never interpolated.

For latency the unit is a time block: a slow spell hits many requests in a row, and taking each request as independent
accepts a p95 that is exceeded 10 % of the time in bursts 91 % of the time (corrections, row 8).
"""

from __future__ import annotations

import math

import numpy as np

from pilotbase.evidence.distributions import binomial_at_least, binomial_at_most, smallest
from pilotbase.evidence.primitive import Bounds, Floats, Ints


def quantile_estimate(values: Floats, q: float) -> float | None:
    """Return the smallest value that at least a share ``q`` of ``values`` does not exceed; None when there are none."""
    if len(values) == 0:
        return None
    return float(np.sort(values)[max(math.ceil(q * len(values) - 1e-9), 1) - 1])


def quantile_bounds(values: Floats, q: float, alpha_lower: float, alpha_upper: float) -> Bounds:
    """Return exact bounds of the ``q`` quantile of independent values at a fixed n; infinite where n is too small.

    Source: order statistics and the binomial distribution (David & Nagaraja, Order Statistics, §7.1).
    """
    ordered, n = np.sort(values), len(values)
    # P(X_(i) > quantile) = P(Bin(n, q) ≤ i-1) and P(X_(j) < quantile) = P(Bin(n, q) ≥ j), ties only help.
    below = smallest(0, n, lambda k: binomial_at_most(k, n, q) > alpha_lower) - 1
    above = smallest(0, n + 1, lambda k: binomial_at_least(k, n, q) <= alpha_upper)
    lower = float(ordered[below]) if 0 <= below < n else -math.inf
    upper = float(ordered[above - 1]) if above <= n else math.inf
    return Bounds(lower, upper)


def time_blocks(starts: Floats, seconds: float) -> Ints:
    """Return the block of each request: whole windows of ``seconds`` from the first start, shape of ``starts``."""
    if len(starts) == 0:
        return np.zeros(0, dtype=np.int64)
    blocks: Ints = np.floor((starts - starts.min()) / seconds).astype(np.int64)
    return blocks
