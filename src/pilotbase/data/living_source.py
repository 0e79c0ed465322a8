"""The cases of a source that lives on: a file that grew, a table of a database."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pilotbase.data.conform import conform
from pilotbase.data.sources.opening import open_source
from pilotbase.data.sources.source import Asked, SourceTable
from pilotbase.data.tables import MAXIMUM_CELLS, missing_as_null
from pilotbase.documents.errors import InputError
from pilotbase.documents.scenario import Scenario


def read_living_source(place: str, scenario: Scenario, scratch: Path, table: str | None = None) -> pl.DataFrame:
    """Return the cases in ``place``, typed by the scenario's contract; ``table``: which, where there are several.

    Only columns of the contract are read. What is wrong names the table, never the address of a database.

    Raises:
        InputError: what `open_source` and `conform` raise; ``data.several_tables``, ``data.too_many_cells``.
    """
    found = _table(open_source(place, scratch, Asked(tables=(table,) if table else ())).tables)
    names = [field.name for field in scenario.data.fields if field.name in found.columns]
    if found.rows * len(names) > MAXIMUM_CELLS:
        raise InputError(
            "data.too_many_cells", file=found.name, rows=found.rows, columns=len(names), limit=MAXIMUM_CELLS
        )
    cases = missing_as_null(found.frame.select(names or pl.all()).collect(engine="streaming"), scenario.data.missing)
    data = scenario.data.model_copy(update={"file": found.name})
    return conform(cases, scenario.model_copy(update={"data": data}))


def _table(tables: tuple[SourceTable, ...]) -> SourceTable:
    if len(tables) > 1:
        raise InputError("data.several_tables", found=", ".join(one.name for one in tables))
    return tables[0]
