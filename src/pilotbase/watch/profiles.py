"""The reference profile of a table, and the cells by which columns are counted against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.contract import DataType, Field
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.observation import Scalar
from pilotbase.documents.watch import CategoryColumn, NumericColumn, ReferenceProfile

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Column = Sequence[Scalar] | NDArray[Any]
"""One entry a row: numbers, words, None or NaN where there is none."""
CELLS = 16
"""Of equal share between the smallest and the largest number; more would find hardly any shift sooner."""
NAMED = 200
"""Categories of a column that are counted by name."""
_NUMERIC = frozenset({DataType.FLOAT, DataType.INTEGER})
_CATEGORIES = frozenset({DataType.TEXT, DataType.BOOLEAN})


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
        name = _category_name(entry)
        return self.size - 2 if name is None else self.places.get(name, self.unknown)


def numbers(column: Column) -> tuple[Floats, NDArray[np.bool_]]:
    """Return a column as numbers, NaN where there is none, and where something stands that is no number."""
    try:
        values = np.asarray(column, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        read = [_number(entry) for entry in column]
        return np.array([value for value, _ in read]), np.array([odd for _, odd in read], dtype=np.bool_)
    return values, np.zeros(len(values), dtype=np.bool_)


def _category_name(entry: Scalar) -> str | None:
    """Return the name under which a profile counts ``entry``; None where it is missing."""
    if entry is None or entry != entry:
        return None
    return entry if isinstance(entry, str) else str(entry)


def profile_of(table: Mapping[str, Column], fields: Sequence[Field], source: Digest | None = None) -> ReferenceProfile:
    """Return the profile of ``table`` over the ``fields`` of the data contract.

    Dates are left out (they always move on), and so are fields that the table does not have.

    Raises:
        InputError: ``detector.profile_empty``: no row, or no field whose distribution can be compared.
    """
    columns: dict[str, NumericColumn | CategoryColumn] = {}
    for field in fields:
        if field.name in table and field.data_type in _NUMERIC:
            columns[field.name] = _numeric(table[field.name])
        elif field.name in table and field.data_type in _CATEGORIES:
            columns[field.name] = _categories(table[field.name])
    rows = max((len(table[name]) for name in columns), default=0)
    if not rows:
        raise InputError("detector.profile_empty")
    return ReferenceProfile(rows=rows, columns=columns, source=source)


def _number(entry: Scalar) -> tuple[float, bool]:
    """Return the number, or NaN and whether it is something else than missing."""
    try:
        return (np.nan, False) if entry is None else (float(entry), False)
    except (ValueError, TypeError, OverflowError):
        return np.nan, True


def _numeric(column: Column) -> NumericColumn:
    values, _ = numbers(column)
    finite = values[np.isfinite(values)]
    if not len(finite):
        return _counted_numbers((), column)
    quantiles = np.quantile(finite, np.arange(1, CELLS + 1) / CELLS, method="inverted_cdf")
    # Just below the smallest, so that what is smaller still has a cell of its own.
    below = np.nextafter(finite.min(), -np.inf)
    return _counted_numbers(tuple(np.unique(np.append(quantiles, below)).tolist()), column)


def _counted_numbers(edges: tuple[float, ...], column: Column) -> NumericColumn:
    counts = NumericCells(np.array(edges)).count(column, np.array([0, len(column)]))[0].tolist()
    return NumericColumn(edges=edges, counts=tuple(counts[:-2]), missing=counts[-2], unreadable=counts[-1])


def _categories(column: Column) -> CategoryColumn:
    counts, missing = _names(column)
    named = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:NAMED])
    other = counts.total() - sum(named.values())
    return CategoryColumn(counts=named, other=other, missing=missing)


def _names(column: Column) -> tuple[Counter[str], int]:
    """Return how often each category occurs, and how often none."""
    counts: Counter[str] = Counter()
    missing = 0
    for entry, count in Counter(column.tolist() if isinstance(column, np.ndarray) else column).items():
        name = _category_name(entry)
        if name is None:
            missing += count
        else:
            counts[name] += count
    return counts, missing
