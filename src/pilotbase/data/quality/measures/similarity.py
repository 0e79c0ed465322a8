"""How many records are near copies of another one."""

from __future__ import annotations

import numpy as np
import polars as pl

from pilotbase.data.quality.checks import ROWS
from pilotbase.data.quality.columns import TableColumn
from pilotbase.data.quality.definition import (
    QualityContext,
    QualityFinding,
    QualityRequest,
    QualityResults,
    measure,
    not_applicable,
)
from pilotbase.documents.contract import DataType
from pilotbase.documents.texts import text
from pilotbase.measures.minhash import Hashes, near_copies, text_shingles

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
