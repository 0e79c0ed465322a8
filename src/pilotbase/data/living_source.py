"""The cases of a source that lives on: a file that grew, a table of a database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from pilotbase.data.conform import conform
from pilotbase.data.respelling import respell
from pilotbase.data.sources.opening import open_source
from pilotbase.data.sources.source import ReadOptions, missing_as_null
from pilotbase.documents.contract import ARRAYS, DataType
from pilotbase.documents.scenario import Scenario

_TEXTS = (DataType.TEXT, DataType.BOOLEAN, *ARRAYS)


def read_living_source(place: str, scenario: Scenario, scratch: Path, table: str | None = None) -> pl.DataFrame:
    """Return the cases in ``place``, typed by the scenario's contract; ``table``: which, where there are several.

    Only columns of the contract are read. What is wrong names the table, never the address of a database.

    Raises:
        InputError: what `open_source` and `conform` raise; single values that no column holds;
            ``data.several_tables``, ``data.too_many_cells``.
    """
    opened = open_source(place, scratch, ReadOptions(tables=(table,) if table else ()))
    found = opened.only()
    opened.require_whole()
    names = [field.name for field in scenario.data.fields if field.name in found.columns]
    read = found.collect(columns=names)
    cases = missing_as_null(read.with_columns(_respelled(read, scenario)), scenario.data.missing)
    data = scenario.data.model_copy(update={"file": found.name})
    return conform(cases, scenario.model_copy(update={"data": data}))


def _respelled(read: pl.DataFrame, scenario: Scenario) -> Iterator[pl.Series]:
    """Yield the columns of dates and numbers that are written in other forms, as a draft rewrites them."""
    types = {field.name: field.data_type for field in scenario.data.fields}
    for column in read.select(pl.col(pl.String)):
        data_type = types.get(column.name, DataType.TEXT)
        written = None if data_type in _TEXTS else respell(column, data_type)
        if written is not None:
            yield written.column
