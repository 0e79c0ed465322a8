"""Floats without what is no number, at no cost where all are: their sum tells."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

import polars as pl


def without_nan(numbers: pl.Expr) -> pl.Expr:
    """Return ``numbers`` with null for NaN."""
    return _unless_all_finite(numbers, lambda found: found.fill_nan(None))


def finite(numbers: pl.Expr) -> pl.Expr:
    """Return ``numbers`` with null for NaN and the infinite."""
    return _unless_all_finite(numbers, lambda found: found.set(~found.is_finite(), None))


def _unless_all_finite(numbers: pl.Expr, clean: Callable[[pl.Series], pl.Series]) -> pl.Expr:
    """Return what ``clean`` makes of those pieces whose sum is not finite: as it is where a number is not."""

    def look(found: pl.Series) -> pl.Series:
        return found if isfinite(found.sum()) else clean(found)

    return numbers.map_batches(look, return_dtype=None, is_elementwise=True)
