"""How far the columns of newer cases are from those of earlier ones, reported only beyond what chance would give."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import log

import numpy as np
import polars as pl

_LEAST_SHARE = 1e-4
"""Replaces a share of 0, which has no logarithm."""
SLIGHT = 0.1
"""Population stability index from which a shift is reported (0.25 is considered a large one)."""
_BINS = 10
_MOST_VALUES = 50


def stability_index(shares: Iterable[tuple[float, float]]) -> float:
    """Return the population stability index Σ (p - q) ln(p / q) of pairs of shares, a share of 0 taken as 0.0001."""
    bounded = [(max(one, _LEAST_SHARE), max(other, _LEAST_SHARE)) for one, other in shares]
    return sum((one - other) * log(one / other) for one, other in bounded)


@dataclass(frozen=True)
class Drift:
    """A column that has shifted in newer cases, and how far: its population stability index."""

    column: str
    index: float


def drift(before: pl.DataFrame, now: pl.DataFrame, columns: list[str]) -> list[Drift]:
    """Return the columns that drifted, the furthest first; columns of texts with many values are left out.

    Numbers and times fall into tenths of the earlier cases; half a case is added to each bin. If nothing drifts, the
    index is about (1/n + 1/m) times a χ² with one degree of freedom fewer than there are bins: a column is reported if
    its index exceeds 0.1 and the 0.999 quantile of that (Wilson and Hilferty 1931).
    """
    found = []
    for name in columns:
        pairs = _shares(before[name], now[name])
        chance = (1 / max(1, before.height) + 1 / max(1, now.height)) * _rare_chi_square(len(pairs) - 1)
        index = stability_index(pairs)
        if index > max(SLIGHT, chance):
            found.append(Drift(name, index))
    return sorted(found, key=lambda one: -one.index)


def _shares(before: pl.Series, now: pl.Series) -> list[tuple[float, float]]:
    """Return each bin's or value's share before and now, missing ones apart; empty for a text with many values."""
    if before.dtype.is_numeric() or before.dtype.is_temporal():
        exact = pl.Int64() if before.dtype.is_temporal() else before.dtype
        numbers = [side.cast(exact).cast(pl.Float64) for side in (before, now)]
        known = numbers[0].drop_nulls().to_numpy()
        if not len(known):
            return []
        breaks = np.unique(np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1]))
        cut = [side.to_frame("x").select(_bin(breaks)).to_series() for side in numbers]
    else:
        cut = [side.cast(pl.String) for side in (before, now)]
        if cut[0].n_unique() > min(_MOST_VALUES, len(before) / 2):
            return []
    counts = [side.rename("value").value_counts(name=f"side {place}") for place, side in enumerate(cut)]
    joined = counts[0].join(counts[1], on="value", how="full", nulls_equal=True, coalesce=True).fill_null(0)
    whole = [len(side) + joined.height / 2 for side in cut]
    return [((row[1] + 0.5) / whole[0], (row[2] + 0.5) / whole[1]) for row in joined.iter_rows()]


def _rare_chi_square(freedom: int) -> float:
    """Return about the 0.999 quantile of χ² with so many degrees of freedom."""
    part = 2 / (9 * max(freedom, 1))
    return float(max(freedom, 1) * (1 - part + 3.09 * part**0.5) ** 3)


def _bin(breaks: np.ndarray[tuple[int], np.dtype[np.float64]]) -> pl.Expr:
    edges = [pl.col("x") > edge for edge in breaks.tolist()]
    return pl.when(pl.col("x").is_not_null()).then(pl.sum_horizontal(pl.lit(0), *edges)).alias("bin")
