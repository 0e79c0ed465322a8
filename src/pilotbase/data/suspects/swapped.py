"""Values in the wrong column: two cells of a row that fit each other's column and not their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

import numpy as np
import polars as pl

from pilotbase.data.suspects.definition import Found, Numbers, SuspectColumn, SuspectTable, Truths, places_of, suspect

_MOST_COLUMNS, _MOST_VALUES = 60, 200
_FEWEST, _MOST = 2, 0.1
_BEYOND = 0.8
_TIMES, _CROSSED = 5, 0.7
"""A value belongs to the column in which it is that many times as frequent as in the other; of the values that belong
to the other, this share is where the other has one of this column."""


@suspect("wrong_column")
def _wrong_columns(table: SuspectTable) -> Iterator[Found]:
    """Yield pairs of columns whose values seem to be swapped in some rows."""
    columns = [one for one in list(table.columns.values())[:_MOST_COLUMNS] if one.distinct > 1]
    for one, other in combinations(columns, 2):
        those = _swapped(one, other)
        if _FEWEST <= those.sum() <= _MOST * table.height:
            yield Found((one.name, other.name), places_of(those))


def _swapped(one: SuspectColumn, other: SuspectColumn) -> Truths:
    nothing = np.zeros(len(one.stored), np.bool_)
    if one.is_number and other.is_number:
        return _swapped_numbers(one.numbers, other.numbers)
    if one.is_number != other.is_number:
        number, word = (one, other) if one.is_number else (other, one)
        strange = number.filled & ~np.isfinite(number.numbers)
        crossed = strange & np.isfinite(word.numbers) & word.filled
        return crossed & _known(number, word) if crossed.any() else nothing
    if one.is_time != other.is_time:
        time, word = (one, other) if one.is_time else (other, one)
        strange = time.filled & ~np.isfinite(time.days)
        return strange & np.isfinite(word.days) if strange.any() else nothing
    if one.is_text and other.is_text and max(one.distinct, other.distinct) <= max(_MOST_VALUES, len(one.stored) // 3):
        mine, theirs = _own(one, other), _own(other, one)
        first, second = (column.texts for column in (one, other))
        strange, other_strange = _among(first, theirs), _among(second, mine)
        crossed = strange & other_strange
        return crossed if crossed.sum() > _CROSSED * max(strange.sum(), other_strange.sum()) else nothing
    return nothing


def _known(number: SuspectColumn, word: SuspectColumn) -> Truths:
    """Return which cells hold what the column of words holds elsewhere; all if it has no short list of values."""
    if word.distinct > _MOST_VALUES:
        return np.ones(len(word.stored), np.bool_)
    return _among(number.texts, set(word.texts.drop_nulls()))


def _among(texts: pl.Series, values: set[str]) -> Truths:
    return np.asarray(texts.is_in(list(values)).fill_null(False).to_numpy(), np.bool_)


def _own(column: SuspectColumn, other: SuspectColumn) -> set[str]:
    """Return the values that belong to ``column``: far more frequent in it than in the other."""
    often, there = (Counter(one.texts.filter(one.filled).to_list()) for one in (column, other))
    return {value for value, count in often.items() if count >= max(2, _TIMES * there[value])}


def _swapped_numbers(one: Numbers, other: Numbers) -> Truths:
    """Return where each number lies beyond its own column and within the other's."""
    nothing = np.zeros(len(one), np.bool_)
    both = np.isfinite(one) & np.isfinite(other)
    if both.sum() < 50:
        return nothing
    (low, high), (least, most) = (_range(numbers[both]) for numbers in (one, other))
    strange = both & ((one < low) | (one > high)) & ((other < least) | (other > most))
    fit = (one >= least) & (one <= most) & (other >= low) & (other <= high)
    found = strange & fit
    if not found.any() or not (high < least or most < low):
        return nothing
    rest = both & ~found
    return found if _beyond(one, found, rest) and _beyond(other, found, rest) else nothing


def _beyond(numbers: Numbers, found: Truths, rest: Truths) -> bool:
    """Return whether nearly all numbers of the rows found are beyond all of the others."""
    low, high = numbers[rest].min(), numbers[rest].max()
    return bool(((numbers[found] < low) | (numbers[found] > high)).mean() > _BEYOND)


def _range(numbers: Numbers) -> tuple[float, float]:
    """Return the range of a column without the tenth that may be swapped."""
    low, high = np.quantile(numbers, [0.05, 0.95])
    return float(low), float(high)
