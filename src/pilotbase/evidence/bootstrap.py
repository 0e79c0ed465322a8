"""Percentile intervals for any function of the cases: approximate, for many cases, and for an n fixed beforehand.

A function of counts (a confusion matrix) needs the counts alone: drawing them from a multinomial distribution *is* the
bootstrap of the cases (Efron & Tibshirani, An Introduction to the Bootstrap, chapter 13). Anything else gets weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.evidence.distributions import normal_upper_quantile
from pilotbase.evidence.primitive import Bounds, Floats, Ints, integers, within

Statistic = Callable[[Floats], Floats]
"""From counts or weights, shape (resamples, kinds or cases), to one figure each; NaN where it is 0/0."""

_CHUNK_BYTES = 1 << 24
_TAIL = 20
"""With fewer resamples beyond a bound than this, it is taken from a normal tail where that is wider."""


@dataclass(frozen=True)
class CountsState:
    """How often each kind of case was seen."""

    counts: tuple[int, ...]


class MultinomialBootstrap:
    """Bounds of a function of how often each of ``kinds`` kinds of cases occurs, α/2 a side.

    The four cells of a confusion matrix are four kinds. A kind that never occurred never occurs in a resample either:
    for rates near 0 or 1 take exact bounds instead.
    """

    def __init__(
        self,
        kinds: int,
        statistic: Statistic,
        alpha: float,
        resamples: int = 10_000,
        seed: int = 0,
        state: CountsState | None = None,
    ) -> None:
        within("alpha", alpha, 0, 1)
        self._kinds, self._statistic, self._alpha = kinds, statistic, alpha
        self._resamples, self._seed = resamples, seed
        self._counts = np.array(state.counts if state else (0,) * kinds, dtype=np.int64)

    @property
    def state(self) -> CountsState:
        return CountsState(tuple(self._counts.tolist()))

    @property
    def bounds(self) -> Bounds | None:
        """Return the bounds of the cases so far; None before the first."""
        total = int(self._counts.sum())
        if total == 0:
            return None
        shares = self._counts / total
        return percentile_bounds(resampled(self._statistic, total, shares, self._resamples, self._seed), self._alpha)

    def update(self, values: NDArray[Any]) -> Bounds | None:
        """Take cases as the numbers of their kinds, 0 … kinds - 1; return the bounds after them."""
        self._counts = self._counts + np.bincount(integers(values, 0, self._kinds - 1), minlength=self._kinds)
        return self.bounds


def resampled(statistic: Statistic, total: int, shares: Floats, resamples: int, seed: int) -> Floats:
    """Return the statistic of the counts of ``total`` cases of kinds with these ``shares``, drawn again and again."""
    drawn = np.random.default_rng(seed).multinomial(total, shares, size=resamples)
    return statistic(drawn.astype(np.float64))


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
