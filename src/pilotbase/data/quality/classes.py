"""How many records each class has: what measures of balance and diversity look at."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pilotbase.data.quality.columns import TableColumn
from pilotbase.data.quality.definition import QualityContext, QualityResults, Unmeasured, not_applicable
from pilotbase.documents.contract import DataType

MOST_CLASSES = 1000
"""A label with more values is no class."""


def class_column(asked: QualityContext) -> TableColumn | Unmeasured:
    """Return the label whose values are classes: the first one that is no measured number, time or free text."""
    if not asked.table.labels:
        return not_applicable("quality.reason.no_label")
    for column in asked.table.labels:
        if column.data_type not in (DataType.FLOAT, DataType.DATE, DataType.DATETIME) or column.field.values:
            return column
    return not_applicable("quality.reason.no_classes")


def class_table(asked: QualityContext, column: TableColumn) -> pl.LazyFrame:
    """Return ``value`` as text and ``count``, the most frequent first; at most so many that too many are noticed."""
    spelled = column.canonical.cast(pl.String).alias("value")
    counts = asked.table.frame.filter(column.value.is_not_null()).group_by(spelled).agg(pl.len().alias("count"))
    return counts.sort(["count", "value"], descending=[True, False]).head(MOST_CLASSES + 1)


def class_counts(answers: QualityResults, name: str, column: TableColumn) -> Mapping[str, int]:
    """Return class → records; declared classes without any stand there with 0. Empty: these are no classes."""
    found = dict(answers.tables[name].iter_rows())
    if len(found) > MOST_CLASSES:
        return {}
    return {**found, **{value: 0 for value in column.field.values if value not in found}}
