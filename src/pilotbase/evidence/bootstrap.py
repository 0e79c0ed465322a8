"""Percentile intervals for any function of the cases, for an n fixed beforehand: descriptive, and no verdict uses them.

Source: Efron & Tibshirani, An Introduction to the Bootstrap, chapter 13.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from pilotbase.evidence.distributions import normal_upper_quantile
from pilotbase.evidence.primitive import Bounds, Floats, Ints, within

Statistic = Callable[[Floats], Floats]
"""From weights, shape (resamples, cases), to one figure each; NaN where it is 0/0."""

_CHUNK_BYTES = 1 << 24
_TAIL = 20
"""With fewer resamples beyond a bound than this, it is taken from a normal tail where that is wider."""


def weight_bootstrap(
    statistic: Statistic, cases: int, alpha: float, resamples: int = 1000, seed: int = 0, units: Ints | None = None
) -> Bounds:
    """Return bounds of ``statistic``, given how often each of ``cases`` cases is drawn, α/2 a side.

    With ``units`` (a code per case) whole clusters are drawn. Memory does not grow with ``resamples``: weights come in
    chunks of some 16 MB, one row at least.
    """
    within("alpha", alpha, 0, 1)
    codes = np.arange(cases) if units is None else np.unique(units, return_inverse=True)[1]
    clusters = int(codes.max()) + 1
    rows = max(_CHUNK_BYTES // (8 * max(cases, clusters)), 1)
    generator = np.random.default_rng(seed)
    values = []
    for start in range(0, resamples, rows):
        count = min(rows, resamples - start)
        drawn = generator.integers(0, clusters, (count, clusters)) + clusters * np.arange(count)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=count * clusters).reshape(count, clusters)
        values.append(statistic(weights[:, codes].astype(np.float64)))
    return percentile_bounds(np.concatenate(values), alpha)


def percentile_bounds(values: Floats, alpha: float) -> Bounds:
    """Return the percentile interval of resampled ``values``, by order statistics; NaN is the worst on either side."""
    missing = np.isnan(values)
    lower = _tail(np.where(missing, -math.inf, values), alpha / 2)
    upper = -_tail(np.where(missing, -math.inf, -values), alpha / 2)
    return Bounds(lower, upper)


def _tail(values: Floats, share: float) -> float:
    """Return what only a ``share`` of ``values`` falls below."""
    beyond = math.floor(share * len(values))
    place = max(beyond - 1, 0)
    found = float(np.partition(values, place)[place])
    finite = values[np.isfinite(values)]
    if beyond >= _TAIL or not len(finite):
        return found
    return min(found, float(np.median(finite) - normal_upper_quantile(share) * finite.std()))
