"""Whole rows: repeated, repeated but for one cell, and keys that name several rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from pilotbase.data.column_guesses import called_key
from pilotbase.data.suspects.definition import Found, Places, SuspectColumn, SuspectTable, Truths, places_of, suspect

NEARLY_A_KEY = 0.95
_BITS, _FEWEST_NEAR, _MOST_NEAR = 7, 3, 0.05
"""Two rows agree by chance in fewer bits than that beyond those which tell all pairs apart; rows, at
least and at most."""
_FEWEST_COLUMNS = 4
_Hashes = npt.NDArray[np.uint64]


@suspect("repeated")
def _repeated(table: SuspectTable) -> Iterator[Found]:
    """Yield rows that repeat another."""
    columns = _content(table)
    if not columns:
        return
    total = _hashes(columns).sum(axis=0, dtype=np.uint64)
    those = _later(total) & (sum(map(_bits, columns)) > 2 * math.log2(table.height) + _BITS)
    if those.any():
        yield Found((), places_of(those))


@suspect("near_repeated")
def _near_repeated(table: SuspectTable) -> Iterator[Found]:
    """Yield rows that repeat another in all columns but one, where that is no chance."""
    columns = [one for one in _content(table) if one.distinct > 1]
    if len(columns) < _FEWEST_COLUMNS or table.height < 20:
        return
    hashes = _hashes(columns)
    total = hashes.sum(axis=0, dtype=np.uint64)
    told = np.stack([_bits(one) for one in columns])
    needed = 2 * math.log2(table.height) + _BITS
    there = np.flatnonzero(~_later(total))
    found: dict[str, Places] = {}
    for number, column in enumerate(columns):
        if column.is_time:  # the same state at another time
            continue
        those = there[_later((total - hashes[number])[there])]
        those = those[told[:, those].sum(axis=0) - told[number, those] > needed]
        if len(those):
            found[column.name] = those
    near = np.unique(np.concatenate(list(found.values()))) if found else np.zeros(0, np.int64)
    if _FEWEST_NEAR <= len(near) <= _MOST_NEAR * table.height:
        often = tuple(sorted(found, key=lambda name: -len(found[name])))
        yield Found((), near.astype(np.int64), {"columns": ", ".join(often[:4])})


def _bits(column: SuspectColumn) -> npt.NDArray[np.float64]:
    """Return for each cell how surprising it is that another has the same value, in bits; nothing for a blank one."""
    _, kinds, counts = np.unique(column.codes, return_inverse=True, return_counts=True)
    bits = -np.log2(np.maximum(counts - 1, 1) / len(column.codes))[kinds]
    return np.where(column.codes > 0, bits, 0.0)


def _content(table: SuspectTable) -> list[SuspectColumn]:
    """Return the columns without keys and numbers of rows, in which a repeated row differs."""
    return [one for one in table.columns.values() if one.name not in table.key and not _names_rows(one, table)]


def _names_rows(column: SuspectColumn, table: SuspectTable) -> bool:
    if column.distinct < NEARLY_A_KEY * table.height:
        return False
    return called_key(column.name) or _counts_rows(column)


def _counts_rows(column: SuspectColumn) -> bool:
    """Return whether nearly each number is the one after that of the row before."""
    steps = np.diff(column.numbers)
    return bool(len(steps)) and bool((steps == 1).mean() > 0.9)


def _hashes(columns: Sequence[SuspectColumn]) -> _Hashes:
    return np.stack(
        [one.stored.cast(pl.String).fill_null("").hash(seed).to_numpy() for seed, one in enumerate(columns)]
    ).astype(np.uint64)


def _later(hashes: _Hashes) -> Truths:
    """Return which repeat an earlier one."""
    _, first = np.unique(hashes, return_index=True)
    found = np.ones(len(hashes), np.bool_)
    found[first] = False
    return found


@suspect("broken_key")
def _broken_keys(table: SuspectTable) -> Iterator[Found]:
    """Yield columns that name nearly every row once, but some twice or not at all."""
    whole = _later(_hashes(list(table.columns.values())).sum(axis=0, dtype=np.uint64)) if table.columns else None
    for column in table.columns.values():
        if whole is None or column.is_time or table.height < 20:
            continue
        declared = table.key == (column.name,)
        filled = column.filled
        again = _later(column.codes.astype(np.uint64)) & filled & ~whole
        lacking = ~filled
        odd = int(again.sum() + lacking.sum())
        seems = called_key(column.name) or (column.is_number and _counts_rows(column))
        if odd and (declared or (seems and odd <= (1 - NEARLY_A_KEY) * table.height)):
            places = places_of(again | lacking)
            yield Found((column.name,), places, {"value": column.texts[int(places[0])] or ""})
