"""Columns as counts of cells that a reference profile has fixed: the sketch. Counts add up, whoever made them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.observation import Scalar
from pilotbase.documents.profile import CategoryColumn, NumericColumn

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Column = Sequence[Scalar] | NDArray[Any]
"""One entry a row: numbers, words, None or NaN where there is none."""


@dataclass(frozen=True, eq=False)
class NumericCells:
    """Cells between ``edges`` and beyond them, then *missing*, then *no number*."""

    edges: Floats

    @classmethod
    def of(cls, column: NumericColumn) -> NumericCells:
        return cls(np.array(column.edges))

    @property
    def names(self) -> tuple[str, ...]:
        return (*(f"cell {place}" for place in range(len(self.edges) + 1)), "missing", "unreadable")

    def count(self, column: Column, bounds: Ints) -> Ints:
        """Return the counts of rows ``bounds[i]`` to ``bounds[i+1]``, shape (len(bounds) - 1, cells)."""
        values, unreadable = numbers(column)
        missing, size = len(self.edges) + 1, len(self.edges) + 3
        # A comparison with each of a few edges is several times as quick as a binary search with its wrong guesses.
        below = np.zeros(len(values), dtype=np.uint8)
        for edge in self.edges:
            below += values > edge
        cells = below.astype(np.int64)
        absent = np.isnan(values)
        if absent.any():
            cells[absent] = missing
            cells[unreadable] = missing + 1
        parts = len(bounds) - 1
        cells += np.repeat(np.arange(parts) * size, np.diff(bounds))
        return np.bincount(cells, minlength=parts * size).reshape(parts, size)


@dataclass(frozen=True, eq=False)
class CategoryCells:
    """A cell a category that is frequent enough, then *rare*, *missing* and *new*."""

    places: Mapping[str, int]
    """Cell of each category by name; several rare ones share one."""
    unknown: int
    """Cell of a category that the reference does not name."""
    size: int

    @classmethod
    def of(cls, column: CategoryColumn, frequent: Iterable[str]) -> CategoryCells:
        """Return cells for the categories ``frequent``; all others are pooled."""
        places = {name: place for place, name in enumerate(frequent)}
        rare = len(places)
        pooled = dict.fromkeys((name for name in column.counts if name not in places), rare)
        return cls({**places, **pooled}, rare if column.other else rare + 2, rare + 3)

    def count(self, column: Column, bounds: Ints) -> Ints:
        """Return the counts of rows ``bounds[i]`` to ``bounds[i+1]``, shape (len(bounds) - 1, cells)."""
        entries = column.tolist() if isinstance(column, np.ndarray) else column
        counts = np.zeros((len(bounds) - 1, self.size), dtype=np.int64)
        for place, (start, stop) in enumerate(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)):
            for entry, count in Counter(entries[start:stop]).items():
                counts[place, self._cell(entry)] += count
        return counts

    def _cell(self, entry: Scalar) -> int:
        name = category_name(entry)
        return self.size - 2 if name is None else self.places.get(name, self.unknown)


def numbers(column: Column) -> tuple[Floats, NDArray[np.bool_]]:
    """Return a column as numbers, NaN where there is none, and where something stands that is no number."""
    try:
        values = np.asarray(column, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        read = [_number(entry) for entry in column]
        return np.array([value for value, _ in read]), np.array([odd for _, odd in read], dtype=np.bool_)
    return values, np.zeros(len(values), dtype=np.bool_)


def category_name(entry: Scalar) -> str | None:
    """Return the name under which a profile counts ``entry``; None where it is missing."""
    if entry is None or entry != entry:
        return None
    return entry if isinstance(entry, str) else str(entry)


def _number(entry: Scalar) -> tuple[float, bool]:
    """Return the number, or NaN and whether it is something else than missing."""
    try:
        return (np.nan, False) if entry is None else (float(entry), False)
    except (ValueError, TypeError, OverflowError):
        return np.nan, True
