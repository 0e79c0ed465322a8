"""Frames as arrays: the features that go into the box, and the truth in the coding of the measures."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pilotbase.documents.contract import ARRAYS, Contract, DataType
from pilotbase.documents.errors import InputError
from pilotbase.documents.scenario import Scenario
from pilotbase.protocols.array_cells import array_in

Column = npt.NDArray[Any]
Codes = npt.NDArray[np.int32]
Values = npt.NDArray[np.float64]


def feature_columns(
    frame: pl.DataFrame, contract: Contract, may_miss: frozenset[str] = frozenset()
) -> dict[str, Column]:
    """Return the features of a conformed ``frame`` in contract order, each of shape (rows,).

    ``may_miss``: columns with missing values anywhere in the scenario's cases; they have one dtype in every part of it.

    Float → float64 (NaN = missing); Integer → int64, and Boolean → uint8, either float64 with NaN as soon as one is
    missing; Text, Date and DateTime → object array of str (ISO 8601, times in UTC), images and audio → object array
    of arrays, None = missing. Give the whole frame and slice the arrays, so that a column keeps one dtype over all
    batches.
    """
    return {
        field.name: _feature(frame[field.name], field.data_type, field.name in may_miss) for field in contract.features
    }


def truth_codes(frame: pl.DataFrame, scenario: Scenario, classes: tuple[str, ...]) -> Column:
    """Return the target, shape (rows,): int32 codes into ``classes``, float64 values, or texts (None = missing).

    Raises:
        InputError: ``data.unknown_class``: a label that is not among ``classes``.
    """
    column = frame[scenario.data.target]
    if scenario.target_form == "numbers":
        return numbers(column)
    return label_codes(column, classes) if scenario.target_form == "labels" else texts(column)


def label_codes(labels: pl.Series, classes: tuple[str, ...]) -> Codes:
    """Return int32 codes of text ``labels`` into ``classes``, −1 if missing; raises as `truth_codes`."""
    codes = labels.replace_strict(list(classes), list(range(len(classes))), default=None, return_dtype=pl.Int32)
    unknown = labels.filter(codes.is_null() & labels.is_not_null()).unique().sort().head(10).to_list()
    if unknown:
        raise InputError("data.unknown_class", column=labels.name, found=", ".join(unknown), allowed=", ".join(classes))
    return np.asarray(codes.fill_null(-1).to_numpy(), dtype=np.int32)


def numbers(column: pl.Series) -> Values:
    """Return a numeric or boolean column as float64, NaN = missing."""
    return np.ascontiguousarray(column.cast(pl.Float64).fill_null(float("nan")).to_numpy(), dtype=np.float64)


def texts(column: pl.Series) -> Column:
    """Return a column as an object array of str, None = missing."""
    return np.array(column.cast(pl.String).to_list(), dtype=object)


def arrays(column: pl.Series) -> Column:
    """Return cells that hold arrays as an object array of them, None = missing."""
    found = np.empty(len(column), dtype=object)
    for row, cell in enumerate(column.to_list()):
        found[row] = None if cell is None else array_in(cell)
    return found


def _feature(column: pl.Series, data_type: DataType, may_miss: bool) -> Column:
    missing = may_miss or column.null_count() > 0
    if data_type is DataType.FLOAT or (data_type in (DataType.INTEGER, DataType.BOOLEAN) and missing):
        return numbers(column)
    if data_type is DataType.INTEGER:
        return np.ascontiguousarray(column.to_numpy(), dtype=np.int64)
    if data_type is DataType.BOOLEAN:
        return np.ascontiguousarray(column.cast(pl.UInt8).to_numpy(), dtype=np.uint8)
    if data_type is DataType.DATETIME:
        column = column.dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ")
    return arrays(column) if data_type in ARRAYS else texts(column)
