"""The two parts of a record set that are held against each other: shown and hidden, or the earlier and later half."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from pilotbase.data.column_types import type_column
from pilotbase.data.quality.columns import RecordTable, TableColumn
from pilotbase.documents.scenario import GroupSplit, TimeSplit


@dataclass(frozen=True)
class Parts:
    """``later``: true for rows of the hidden, or later, part; null rows are in neither."""

    kind: Literal["hidden", "later_half"]
    later: pl.Expr


def parts_of(table: RecordTable, ends: tuple[float, float] | None = None) -> Parts | None:
    """Return the parts of the declared split by group or time, else the halves of the time between ``ends``.

    A split by hash has no parts of its own here: which rows are hidden follows from the scenario's name, and rows that
    look the same stay on one side by construction.
    """
    split = table.record_set.split
    if isinstance(split, GroupSplit) and split.column in table.columns:
        spelled = table.columns[split.column].canonical.cast(pl.String)
        return Parts("hidden", spelled.is_in([str(one) for one in split.hidden]))
    if isinstance(split, TimeSplit) and split.column in table.columns:
        column = table.columns[split.column]
        return Parts("hidden", column.value >= _moment(column, split.hidden_from))
    time = table.columns.get(table.record_set.time or "")
    if time is None or not time.is_time or ends is None or ends[0] == ends[1]:
        return None
    return Parts("later_half", time.seconds >= sum(ends) / 2)


def _moment(column: TableColumn, spelled: str) -> pl.Expr:
    moment = type_column(pl.Series(column.name, [spelled]), column.data_type).values
    return pl.lit(moment[0], dtype=moment.dtype)
