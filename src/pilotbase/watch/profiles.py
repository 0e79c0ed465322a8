"""The reference profile of a table: edges at its quantiles, counts between them; profiles of parts add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from pilotbase.documents.contract import DataType, Field
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.profile import CategoryColumn, NumericColumn, ReferenceProfile
from pilotbase.watch.cells import Column, NumericCells, category_name, numbers

CELLS = 16
"""Of equal share between the smallest and the largest number; more would find hardly any shift sooner."""
NAMED = 200
"""Categories of a column that are counted by name."""
_NUMERIC = frozenset({DataType.FLOAT, DataType.INTEGER})
_CATEGORIES = frozenset({DataType.TEXT, DataType.BOOLEAN})


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


def profile_like(profile: ReferenceProfile, table: Mapping[str, Column]) -> ReferenceProfile:
    """Return the counts of another table of the same columns in the cells of ``profile``; the two can be added."""
    counted = {name: _counted(column, table[name]) for name, column in profile.columns.items()}
    return ReferenceProfile(rows=max(column.rows for column in counted.values()), columns=counted)


def added(one: ReferenceProfile, two: ReferenceProfile) -> ReferenceProfile:
    """Return the profile of both tables together; the source stays where both have the same.

    Raises:
        InputError: ``detector.profiles_differ``: other columns or other edges.
    """
    if one.columns.keys() != two.columns.keys():
        raise InputError("detector.profiles_differ", column=", ".join(sorted(one.columns.keys() ^ two.columns.keys())))
    columns = {name: _sum(name, column, two.columns[name]) for name, column in one.columns.items()}
    source = one.source if one.source == two.source else None
    return ReferenceProfile(rows=one.rows + two.rows, columns=columns, source=source)


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
        name = category_name(entry)
        if name is None:
            missing += count
        else:
            counts[name] += count
    return counts, missing


def _counted(column: NumericColumn | CategoryColumn, entries: Column) -> NumericColumn | CategoryColumn:
    if isinstance(column, NumericColumn):
        return _counted_numbers(column.edges, entries)
    counts, missing = _names(entries)
    # While every category is named, new ones are named too; otherwise they are among the others.
    named = {name: count for name, count in counts.items() if name in column.counts or not column.other}
    return CategoryColumn(counts=named, other=counts.total() - sum(named.values()), missing=missing)


def _sum(
    name: str, one: NumericColumn | CategoryColumn, two: NumericColumn | CategoryColumn
) -> NumericColumn | CategoryColumn:
    missing = one.missing + two.missing
    if isinstance(one, NumericColumn) and isinstance(two, NumericColumn) and one.edges == two.edges:
        counts = tuple(a + b for a, b in zip(one.counts, two.counts, strict=True))
        unreadable = one.unreadable + two.unreadable
        return NumericColumn(edges=one.edges, counts=counts, missing=missing, unreadable=unreadable)
    if isinstance(one, CategoryColumn) and isinstance(two, CategoryColumn):
        total = dict(Counter(one.counts) + Counter(two.counts))
        return CategoryColumn(counts=total, other=one.other + two.other, missing=missing)
    raise InputError("detector.profiles_differ", column=name)
