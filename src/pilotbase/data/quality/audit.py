"""The records that somebody has checked, beside the same records of the data."""

from __future__ import annotations

import polars as pl

from pilotbase.data.quality.columns import RecordTable, TableColumn
from pilotbase.data.quality.definition import Unmeasured, not_measured

_KEY, _THERE, _CHECKED = "key of ", "there ", "checked "


def audited_pairs(table: RecordTable, audited: pl.DataFrame, names: list[str]) -> pl.LazyFrame | Unmeasured:
    """Return one row a compared value: ``record``, ``field`` and whether it ``agrees``.

    Records are found by their key; values are read as the contract types them, so that ``1.50`` agrees with ``1.5``.
    A value that one side has and the other lacks does not agree; where both lack it nothing is compared.
    """
    key = table.named(table.record_set.key)
    if not key or len(key) != len(table.record_set.key):
        return not_measured("quality.reason.no_key")
    compared = [table.columns[name] for name in names if name in table.columns and name in audited.columns]
    if not compared or any(column.name not in audited.columns for column in key):
        return not_measured("quality.reason.audit_lacks_columns")
    checked = (
        audited.lazy()
        .select(
            *(_typed(column).alias(_KEY + column.name) for column in key),
            *(_typed(column).alias(_CHECKED + column.name) for column in compared),
        )
        .unique([_KEY + column.name for column in key], keep="first", maintain_order=True)
    )
    there = table.frame.select(
        *(column.canonical.alias(_KEY + column.name) for column in key),
        *(column.canonical.alias(_THERE + column.name) for column in compared),
    )
    found = there.join(checked, on=[_KEY + column.name for column in key], how="inner").with_row_index("record")
    return pl.concat([_pairs(found, column) for column in compared])


def _pairs(found: pl.LazyFrame, column: TableColumn) -> pl.LazyFrame:
    there, checked = pl.col(_THERE + column.name), pl.col(_CHECKED + column.name)
    agrees = there.eq_missing(checked)
    pairs = found.select(
        "record",
        pl.lit(column.name).alias("field"),
        agrees.alias("agrees"),
        (there.is_not_null() | checked.is_not_null()).alias("compared"),
    )
    return pairs.filter(pl.col("compared")).drop("compared")


def _typed(column: TableColumn) -> pl.Expr:
    as_text = TableColumn(column.field, pl.String())
    return as_text.made(column.name)[0].cast(as_text.canonical_type)
