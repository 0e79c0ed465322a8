"""The answer of the neighbour in the owner's file, where a column tells the place in it: row numbers, a log's time.

Row numbers are whole numbers, or the number within a name, that hardly ever repeat and leave hardly a gap. A time
counts where the file is written along it. Other columns that a file happens to be sorted by are features.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pilotbase.documents.contract import DataType, Field
from pilotbase.documents.texts import text
from pilotbase.trial.blind.program import Answer, Asked, Column, Ints, Program

_FEWEST = 20
_NEARLY_ALL = 0.99
_GAPS = 3
"""Whole numbers up to so many times as many as there are rows number them."""
_TIMES = frozenset({DataType.DATE, DataType.DATETIME})
_Places = NDArray[np.float64]


def _answers(asked: Asked) -> Iterator[Answer]:
    for field in asked.contract.features:
        public, hidden = _places(field, asked.public[field.name]), _places(field, asked.hidden[field.name])
        if public is not None and hidden is not None and _numbers_rows(field, public, hidden):
            yield Answer(text("trial.blind.file_order", column=field.name), _neighbours(asked, public, hidden))


def _places(field: Field, column: Column) -> _Places | None:
    """Return the number that each cell holds, NaN where none; None where the column can hold no place."""
    if column.dtype == object:
        cells = pl.Series("cell", column.tolist(), dtype=pl.String) if field.data_type not in _TIMES else None
        if cells is None:
            return _moments(column)
        if not all(one is None or isinstance(one, str) for one in column.tolist()):
            return None
        found = cells.str.extract(r"(\d{1,15})\D*$").cast(pl.Float64, strict=False)
        return np.asarray(found.fill_null(np.nan).to_numpy(), dtype=np.float64)
    return column.astype(np.float64)


def _moments(column: Column) -> _Places:
    found = pl.Series("cell", column.tolist(), dtype=pl.String).str.head(19).str.replace("T", " ")
    moments = pl.select(
        pl.coalesce(
            found.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False), found.str.to_datetime("%Y-%m-%d", strict=False)
        )
    ).to_series()
    return np.asarray(moments.dt.epoch("s").cast(pl.Float64).fill_null(np.nan).to_numpy(), dtype=np.float64)


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
