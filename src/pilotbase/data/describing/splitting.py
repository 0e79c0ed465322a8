"""How a described table may be divided into shown and hidden records: whole groups, else by time, else by chance."""

from __future__ import annotations

import polars as pl

from pilotbase.data.column_types import typed_expression
from pilotbase.data.describing.guesses import Guess, Sure
from pilotbase.data.describing.observing import TYPES, Column, missing_to_null
from pilotbase.data.describing.references import ObservedTable
from pilotbase.data.split_guesses import guess_split
from pilotbase.documents.contract import DataType
from pilotbase.documents.scenario import Split

FEWEST_ROWS = 20


def guess_table_split(one: ObservedTable) -> tuple[Split, Guess] | None:
    """Return a split and why this one; None for a table without a label, which nothing is learnt from, and where the
    column that tells time is one of texts: by their hashes the future would be shown.
    """
    roles = one.roles
    if roles.label is None or one.table.rows < FEWEST_ROWS:
        return None
    column = next((known for known in one.columns if known.name == (roles.group or roles.time)), None)
    if column is None:
        found = guess_split(None, None)
        return found.split, Guess("split", found.why, Sure.UNSURE)
    data_type = TYPES.get(column.data_type, DataType.TEXT)
    if column.name == roles.time != roles.group and not (column.is_time or column.is_number):
        return None
    values = _values(one, column, data_type)
    if values.n_unique() < 2:
        return None
    found = guess_split(values, data_type, column.name == roles.time != roles.group)
    return found.split, Guess("split", found.why, Sure.UNSURE)


def _values(one: ObservedTable, column: Column, data_type: DataType) -> pl.Series:
    dtype = one.table.frame.collect_schema()[column.name]
    source = pl.col(column.name)
    value = missing_to_null(source, column.spellings) if dtype == pl.String else source
    typed = typed_expression(value, dtype, data_type).alias(column.name)
    return one.table.frame.select(typed).collect(engine="streaming").to_series().drop_nulls()
