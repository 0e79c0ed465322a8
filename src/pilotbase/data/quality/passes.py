"""The passes over a table: one lazy, streaming one for every count, small tables, groups of equal rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from pilotbase.data.quality.checks import CheckCount
from pilotbase.data.quality.columns import RecordTable
from pilotbase.data.quality.definition import QualityRequest, QualityResults
from pilotbase.data.quality.tally import KeyedRows, tally_all


def count_all(table: RecordTable, counts: Iterable[CheckCount], columns: Iterable[pl.Expr] = ()) -> dict[str, float]:
    """Return every count by its name, all from one pass; a figure of no values at all is left out.

    ``columns`` are computed once a row, beside those of the table.
    """
    distinct = {count.name: count.expression for count in counts}
    found = (
        table.frame.with_columns(*columns)
        .select(one.alias(name) for name, one in distinct.items())
        .collect(engine="streaming")
    )
    row = found.row(0)
    return {name: value for name, value in zip(found.columns, row, strict=True) if value is not None}


def collect_tables(asked: Sequence[QualityRequest]) -> dict[str, pl.DataFrame]:
    """Return the small tables that measures ask for, each from a pass of its own.

    Taken together they would share one reading of the file, and the library keeps what two of them read in memory.
    """
    return {name: frame.collect(engine="streaming") for one in asked for name, frame in one.tables.items()}


def streams_of(
    asked: Sequence[QualityRequest], further: dict[str, tuple[KeyedRows, ...]]
) -> dict[str, tuple[KeyedRows, ...]]:
    """Return the groups that measures ask for, and the ``further`` ones that rules need."""
    return {name: streams for one in asked for name, streams in one.groups.items()} | further


def answer(
    counts: dict[str, float], asked: Sequence[QualityRequest], groups: dict[str, tuple[KeyedRows, ...]]
) -> QualityResults:
    """Return what all of ``asked`` need besides ``counts``; ``groups``: `streams_of` them."""
    return QualityResults(counts, collect_tables(asked), tally_all(groups))
