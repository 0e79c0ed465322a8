"""Whether hidden data also occur in the data to learn from, and how many records are near copies of another one."""

from __future__ import annotations

import numpy as np
import polars as pl

from pilotbase.data.quality.checks import ROWS, key_stream
from pilotbase.data.quality.columns import RecordTable, TableColumn, row_hash
from pilotbase.data.quality.definition import (
    QualityContext,
    QualityFinding,
    QualityRequest,
    QualityResults,
    entry,
    measure,
    not_applicable,
    not_measured,
    worst_of,
)
from pilotbase.data.quality.tally import KeyedRows
from pilotbase.documents.contract import DataType
from pilotbase.documents.scenario_data import GroupSplit, HashSplit
from pilotbase.documents.texts import text
from pilotbase.measures.minhash import Hashes, near_copies, text_shingles


@measure(
    "hidden records whose features, key or group stand among the others / hidden records",
    "lower",
    costly=True,
    tc609="0305",
)
def split_leakage(asked: QualityContext) -> QualityRequest:
    """Return how many hidden records have a twin, in all features or in their key, among the others.

    If two tables are compared, also how many hidden records are of a group that is in both: what the split keeps
    together, by hash or by group, and what the description calls a group.
    Twins by features alone may be coincidences if features are few and coarse; `pilotbase.data.leakage` judges
    these within a trial.
    """
    if not asked.table.features:
        raise not_applicable("quality.reason.no_type")
    sides = _sides(asked)
    groups = {"leaked rows": tuple(_rows(table, side) for table, side in sides)}
    key = asked.table.record_set.key
    if key and len(asked.table.named(key)) == len(key):
        groups["leaked keys"] = tuple(key_stream(table, table.named(key), side) for table, side in sides)

    for column in _kept_together(asked):
        groups[f"leaked {column.name}"] = tuple(key_stream(table, [column], side) for table, side in sides)

    def conclude(answers: QualityResults) -> QualityFinding:
        tallies = {name: answers.tallies[name] for name in groups}
        entries = tuple(entry(name, tally.met, tally.marked) for name, tally in tallies.items())
        return worst_of(max(entries, key=lambda one: one.value or 0), entries)

    return QualityRequest(conclude, groups=groups)


def _kept_together(asked: QualityContext) -> list[TableColumn]:
    """Return the columns whose values must be on one side only; within one table time may divide a group."""
    split, names = asked.table.record_set.split, {asked.table.record_set.group}
    if isinstance(split, HashSplit):
        names.add(split.by)
    elif isinstance(split, GroupSplit):
        names.add(split.column)
    known = sorted(name for name in names if name is not None and name in asked.table.columns)
    return asked.table.named(tuple(known)) if asked.learned_from is not None else []


def _sides(asked: QualityContext) -> list[tuple[RecordTable, pl.Expr]]:
    """Return the tables that take part, each with 1 for hidden rows and 0 for others."""
    if asked.learned_from is not None:
        lacking = set(asked.table.columns) - set(asked.learned_from.columns)
        if lacking:
            raise not_applicable("quality.reason.no_column", name=sorted(lacking)[0])
        return [(asked.learned_from, pl.lit(0)), (asked.table, pl.lit(1))]
    if asked.parts is None or asked.parts.kind != "hidden":
        raise not_measured("quality.reason.no_split")
    return [(asked.table, asked.parts.later.fill_null(False).cast(pl.UInt64))]


def _rows(table: RecordTable, side: pl.Expr) -> KeyedRows:
    split = table.record_set.split
    apart = {getattr(split, "column", None)}  # the column that divides them cannot be equal on both sides
    features: list[TableColumn] = [column for column in table.features if column.name not in apart]
    return KeyedRows(table.frame, row_hash(features), side)


MOST_RECORDS = 50_000
"""In larger tables only the first so many are examined, and the figure says so."""
_LONG = 20
"""A text with more characters is compared by its shingles, a shorter one as a whole."""


@measure("1 - near copies of earlier records / records compared", costly=True, iso="Sim-ML-1", tc609="0208", gbt="0303")
def sample_similarity(asked: QualityContext) -> QualityRequest:
    """Return how many records are no near copy of an earlier one (MinHash, Jaccard ≥ 0.8).

    A record is the set of its cells; a long text is the set of its runs of five characters instead.
    """
    columns = [column for column in asked.table.columns.values() if column.name not in asked.table.record_set.key]
    if not columns:
        raise not_applicable("quality.reason.no_type")
    cells = pl.concat_arr(*(_cell(number, column) for number, column in enumerate(columns))).alias("cells")
    texts = [_long(column).alias(column.name) for column in columns if column.data_type is DataType.TEXT]
    long = pl.concat_list(texts).list.drop_nulls() if texts else pl.lit([], dtype=pl.List(pl.String))
    sampled = asked.table.frame.head(MOST_RECORDS).select(cells, long.alias("texts"))
    return QualityRequest(_conclude, (ROWS,), tables={"records": sampled})


def _cell(number: int, column: TableColumn) -> pl.Expr:
    """Return 64 bits that name the column and its value; 0 for a missing value or one compared by shingles."""
    named = column.canonical.hash(number + 1)
    if column.data_type is DataType.TEXT:
        return pl.when(_long(column).is_null() & column.value.is_not_null()).then(named).otherwise(0)
    return pl.when(column.value.is_not_null()).then(named).otherwise(0)


def _long(column: TableColumn) -> pl.Expr:
    return pl.when(column.value.str.len_chars() > _LONG).then(column.value)


def _conclude(answers: QualityResults) -> QualityFinding:
    records = answers.tables["records"]
    if records.is_empty():
        return QualityFinding(None)
    shingles = [_shingles(cells, texts) for cells, texts in zip(records["cells"], records["texts"], strict=True)]
    copies = len(near_copies(shingles))
    whole = answers.rows == records.height
    reason = None if whole else text("quality.reason.first_records", number=records.height)
    apart = records.height - copies
    return QualityFinding(apart / records.height, apart, records.height, sample=records.height, reason=reason)


def _shingles(cells: pl.Series, texts: pl.Series) -> Hashes:
    named = cells.to_numpy().astype(np.uint64)
    parts = [named[named != 0], *(text_shingles(content) for content in texts)]
    return np.unique(np.concatenate(parts))
