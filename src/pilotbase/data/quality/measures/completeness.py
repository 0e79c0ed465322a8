"""How much is present of what should be: cells, fields, records, labels, expected values."""

from __future__ import annotations

import re

import polars as pl

from pilotbase.data.quality.checks import ROWS, CheckCount, present
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
    worst_of,
)

_NUMBER = re.compile(r"-?\d+(\.\d+)?")


@measure("1 - missing cells / (N · required fields)", iso="Com-ML-1", tc609="0204", gbt="0201")
def value_completeness(asked: QualityContext) -> QualityRequest:
    """Return how many cells of required fields hold a value; of all fields if none is required."""
    columns = required(asked)
    counts = [_told(column, asked) for column in columns]

    def conclude(answers: QualityResults) -> QualityFinding:
        there = sum(map(answers.count, counts))
        return share(there, answers.rows * (len(columns) + len(_absent(asked))))

    return QualityRequest(conclude, (ROWS, *counts))


@measure("min over values of min(1, observed / expected)", iso="Com-ML-2", tc609="0302")
def value_occurrence(asked: QualityContext) -> QualityRequest:
    """Return, for the value furthest below its expected number, how much of that number is present."""
    wanted = {
        (name, value): number for name, values in asked.reference.expected.items() for value, number in values.items()
    }
    known = {pair: number for pair, number in wanted.items() if pair[0] in asked.table.columns}
    if not known:
        raise not_measured("quality.reason.no_expected")
    counts = {pair: _occurrence(asked.table.columns[pair[0]], pair[1]) for pair in known}

    def conclude(answers: QualityResults) -> QualityFinding:
        entries = tuple(
            entry(f"{name}={value}", min(answers.count(counts[name, value]), number), number)
            for (name, value), number in known.items()
        )
        return worst_of(min(entries, key=lambda one: one.value or 0), entries)

    return QualityRequest(conclude, tuple(counts.values()))


def _occurrence(column: TableColumn, value: str) -> CheckCount:
    spelled = column.canonical.cast(pl.String)
    return CheckCount(f"occurs {column.name}={value}", (spelled == value).sum())


@measure("min over fields of 1 - missing / N", iso="Com-ML-3", tc609="0204", gbt="0201")
def feature_completeness(asked: QualityContext) -> QualityRequest:
    """Return the share of the field that lacks most, and of each field its own."""
    counts = {column.name: _told(column, asked) for column in asked.table.columns.values()}

    def conclude(answers: QualityResults) -> QualityFinding:
        entries = tuple(entry(name, answers.count(count), answers.rows) for name, count in counts.items())
        return worst_of(min(entries, key=lambda one: one.numerator or 0, default=None), entries)

    return QualityRequest(conclude, (ROWS, *counts.values()))


@measure("records with every required field / N", iso="Com-ML-4", tc609="0204", gbt="0202")
def record_completeness(asked: QualityContext) -> QualityRequest:
    """Return how many records have every required field."""
    columns = required(asked)
    if _absent(asked):
        return QualityRequest(lambda answers: share(0, answers.rows), (ROWS,))
    return _complete("complete records", columns, asked)


def _complete(name: str, columns: list[TableColumn], asked: QualityContext) -> QualityRequest:
    """Return how many records have a value in all of the columns."""
    complete = CheckCount(name, pl.all_horizontal(_holds(column, asked) for column in columns).sum())
    return QualityRequest(lambda answers: share(answers.count(complete), answers.rows), (ROWS, complete))


@measure("labelled records / N", iso="Com-ML-5", tc609="0203")
def label_completeness(asked: QualityContext) -> QualityRequest:
    """Return how many records are labelled, in every label field."""
    labels = asked.table.labels
    if not labels:
        raise not_applicable("quality.reason.no_label")
    return _complete("labelled", labels, asked)


def _told(column: TableColumn, asked: QualityContext) -> CheckCount:
    """Return how many cells hold a value."""
    if column.name not in asked.placeholders:
        return present(column)
    return CheckCount(f"told {column.name}", _holds(column, asked).sum())


def _holds(column: TableColumn, asked: QualityContext) -> pl.Expr:
    """Return whether each cell holds a value, and not what seems to stand for a missing one."""
    there, words = column.raw.is_not_null(), asked.placeholders.get(column.name, ())
    numbers = [float(one) for one in words if _NUMBER.fullmatch(one)]
    if numbers and column.is_number:
        there = there & ~column.value.cast(pl.Float64).is_in(numbers).fill_null(False)
    if len(numbers) < len(words):
        there = there & ~column.raw.cast(pl.String).str.strip_chars().is_in(list(words)).fill_null(False)
    return there


def required(asked: QualityContext) -> list[TableColumn]:
    """Return the columns of required fields; all of them if the contract requires none."""
    columns = list(asked.table.columns.values())
    return [column for column in columns if column.field.required] or columns


def _absent(asked: QualityContext) -> list[str]:
    """Return required fields that the file lacks entirely."""
    return [name for name in asked.table.absent if asked.table.record_set.field(name).required]
