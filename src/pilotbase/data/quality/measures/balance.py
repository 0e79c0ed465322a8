"""Whether classes, and groups of people or machines, occur in similar numbers, and how many of them occur at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import log

import polars as pl

from pilotbase.data.quality.columns import TableColumn
from pilotbase.data.quality.definition import (
    QualityContext,
    QualityFinding,
    QualityRequest,
    QualityResults,
    entry,
    measure,
    not_applicable,
    not_measured,
    share,
)
from pilotbase.documents.contract import DataType

_MOST_CLASSES = 1000
"""A label with more values is no class."""
_MOST_GROUPS = 1000


def class_column(asked: QualityContext) -> TableColumn:
    """Return the label whose values are classes: the first one that is no measured number, time or free text."""
    if not asked.table.labels:
        raise not_applicable("quality.reason.no_label")
    for column in asked.table.labels:
        if column.data_type not in (DataType.FLOAT, DataType.DATE, DataType.DATETIME) or column.field.values:
            return column
    raise not_applicable("quality.reason.no_classes")


def _class_table(asked: QualityContext, column: TableColumn) -> pl.LazyFrame:
    """Return ``value`` as text and ``count``, the most frequent first; just enough to notice too many values."""
    spelled = column.canonical.cast(pl.String).alias("value")
    counts = asked.table.frame.filter(column.value.is_not_null()).group_by(spelled).agg(pl.len().alias("count"))
    return counts.sort(["count", "value"], descending=[True, False]).head(_MOST_CLASSES + 1)


def _class_counts(answers: QualityResults, name: str, column: TableColumn) -> Mapping[str, int]:
    """Return class → records; declared classes without any have 0. Empty: these are no classes."""
    found = dict(answers.tables[name].iter_rows())
    if len(found) > _MOST_CLASSES:
        return {}
    return {**found, **{value: 0 for value in column.field.values if value not in found}}


@measure("1 / (1 + max |n_k - mean n| / mean n)", iso="Bal-ML-3", tc609="0301")
def category_balance(asked: QualityContext) -> QualityRequest:
    """Return 1 if all classes have equally many records, less the furthest one's distance from the mean."""
    return of_classes(asked, _balance)


@measure("max over classes and groups of |P(y | g1) - P(y | g2)|", "lower", iso="Bal-ML-7", tc609="0301")
def label_proportion_gap(asked: QualityContext) -> QualityRequest:
    """Return, over classes, the widest gap between two groups' shares of a class."""
    column = class_column(asked)
    group = asked.table.columns.get(asked.reference.group or "")
    if asked.reference.group is None:
        raise not_measured("quality.reason.no_group")
    if group is None:
        raise not_applicable("quality.reason.no_column", name=asked.reference.group)
    spelled = [group.canonical.cast(pl.String).alias("group"), column.canonical.cast(pl.String).alias("value")]
    counts = asked.table.frame.group_by(spelled).agg(pl.len().alias("count")).drop_nulls()
    return QualityRequest(
        lambda answers: _gap(answers.tables["groups"]), tables={"groups": counts.head(_MOST_GROUPS**2)}
    )


@measure("H(p) / ln K", iso="Bal-ML-8", tc609="0301")
def label_distribution_balance(asked: QualityContext) -> QualityRequest:
    """Return the entropy of the classes as a share of the largest possible for so many classes."""
    return of_classes(asked, _entropy)


def of_classes(asked: QualityContext, conclude: Callable[[Mapping[str, int]], QualityFinding]) -> QualityRequest:
    """Return what ``conclude`` makes of the counts of classes."""
    column = class_column(asked)

    def counted(answers: QualityResults) -> QualityFinding:
        counts = _class_counts(answers, "classes", column)
        return conclude(counts) if counts and sum(counts.values()) else QualityFinding(None)

    return QualityRequest(counted, tables={"classes": _class_table(asked, column)})


def _balance(counts: Mapping[str, int]) -> QualityFinding:
    mean = sum(counts.values()) / len(counts)
    furthest = max(abs(number - mean) for number in counts.values())
    return QualityFinding(mean / (mean + furthest), mean, mean + furthest)


def _entropy(counts: Mapping[str, int]) -> QualityFinding:
    if len(counts) < 2:
        return QualityFinding(None)
    whole = sum(counts.values())
    shares = [number / whole for number in counts.values() if number]
    entropy = -sum(share * log(share) for share in shares) + 0.0
    return QualityFinding(entropy / log(len(counts)), entropy, log(len(counts)))


def _gap(counts: pl.DataFrame) -> QualityFinding:
    whole = counts.group_by("group").agg(pl.col("count").sum().alias("whole")).sort("group")
    if whole.height < 2 or whole.height > _MOST_GROUPS:
        return QualityFinding(None)
    shares = counts.pivot("value", index="group", values="count").fill_null(0).join(whole, on="group").sort("group")
    rows = shares.to_dicts()
    values = [name for name in shares.columns if name not in ("group", "whole")]
    gaps = {value: _spread([row[value] / row["whole"] for row in rows]) for value in values}
    widest = max(gaps, key=lambda value: gaps[value])
    entries = tuple(entry(f"{widest} | {row['group']}", row[widest], row["whole"]) for row in rows)
    return QualityFinding(gaps[widest], entries=entries)


def _spread(shares: list[float]) -> float:
    return max(shares) - min(shares)


@measure("classes that occur / declared classes", iso="Div-ML-1", tc609="0301")
def label_richness(asked: QualityContext) -> QualityRequest:
    """Return how many of the declared classes occur."""
    column = class_column(asked)
    if not column.field.values:
        raise not_measured("quality.reason.no_taxonomy")
    declared = column.field.values
    return of_classes(asked, lambda counts: share(sum(counts[value] > 0 for value in declared), len(declared)))


@measure("n_k / N of each class; the figure is the largest", "neither", iso="Div-ML-2", tc609="0301")
def relative_abundance(asked: QualityContext) -> QualityRequest:
    """Return the share of the most frequent class, and of each class its own."""
    return of_classes(asked, _abundance)


@measure("1 - classes with fewer than τ records / K", iso="Div-ML-3", tc609="0302")
def small_category_share(asked: QualityContext) -> QualityRequest:
    """Return how many classes have at least the declared number of records."""
    least = asked.reference.small
    class_column(asked)  # without one, the measure does not apply
    if least is None:
        raise not_measured("quality.reason.no_small")
    return of_classes(asked, lambda counts: share(sum(n >= least for n in counts.values()), len(counts)))


def _abundance(counts: Mapping[str, int]) -> QualityFinding:
    whole = sum(counts.values())
    entries = tuple(entry(value, number, whole) for value, number in counts.items())
    return share(max(counts.values()), whole, entries)
