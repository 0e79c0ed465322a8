"""The answer of the neighbour in the owner's file, where a column tells the place in it: row numbers, a log's time.

Row numbers are whole numbers, or the number within a name, that hardly ever repeat and leave hardly a gap. A time
counts where the file is written along it. Other columns that a file happens to be sorted by are features.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.data.column_types import type_column
from pilotbase.documents.contract import ARRAYS, DataType, Field
from pilotbase.documents.texts import text
from pilotbase.trial.blind.program import Answer, Asked, Program
from pilotbase.trial.delivering import Column, Ints

_FEWEST = 20
_NEARLY_ALL = 0.99
_GAPS = 3
"""Whole numbers up to so many times as many as there are rows number them."""
_TIMES = frozenset({DataType.DATE, DataType.DATETIME})
_Places = NDArray[np.float64]


def _answers(asked: Asked) -> Iterator[Answer]:
    for field in asked.contract.features:
        if field.data_type in ARRAYS:
            continue
        public, hidden = (_places(field, side[field.name]) for side in (asked.public, asked.hidden))
        if _numbers_rows(field, public, hidden):
            yield Answer(text("trial.blind.file_order", column=field.name), _neighbours(asked, public, hidden))


def _places(field: Field, column: Column) -> _Places:
    """Return the number that each cell holds, or its moment in seconds; NaN where there is none."""
    if column.dtype != object:
        return column.astype(np.float64)
    cells = pl.Series("cell", column.tolist(), dtype=pl.String)
    if field.data_type in _TIMES:
        found = type_column(cells, field.data_type).values.cast(pl.Datetime("us")).dt.epoch("s")
    else:
        found = cells.str.extract(r"(\d{1,15})\D*$")
    numbers = found.cast(pl.Float64, strict=False).fill_null(float("nan"))
    return np.asarray(numbers.to_numpy(), dtype=np.float64)


def _numbers_rows(field: Field, public: _Places, hidden: _Places) -> bool:
    every = np.concatenate([public, hidden])
    known = every[np.isfinite(every)]
    distinct = len(np.unique(known))
    if distinct < _FEWEST or len(known) < _NEARLY_ALL * len(every):
        return False
    if field.data_type in _TIMES:
        return float(np.mean(np.diff(public[np.isfinite(public)]) >= 0)) >= _NEARLY_ALL
    whole = bool(np.equal(known, np.rint(known)).all())
    return whole and distinct >= _NEARLY_ALL * len(known) and float(np.ptp(known)) < _GAPS * len(known)


def _neighbours(asked: Asked, public: _Places, hidden: _Places) -> Column:
    order = np.argsort(public, kind="stable")
    order = order[np.isfinite(public[order])]
    along, at = public[order], np.nan_to_num(hidden)
    if asked.of_numbers:
        truths = asked.truths[order]
        known = np.isfinite(truths)
        if known.any():
            return asked.as_answers(np.interp(at, along[known], truths[known]))
    after = np.clip(np.searchsorted(along, at), 1, max(len(along) - 1, 1))
    nearer: Ints = np.where(at - along[after - 1] <= along[np.minimum(after, len(along) - 1)] - at, after - 1, after)
    return asked.picked(order[np.minimum(nearer, len(along) - 1)])


PROGRAM = Program("file_order", _answers)
