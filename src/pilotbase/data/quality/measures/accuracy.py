"""Whether values are well formed, and whether they are true as far as somebody has checked."""

from __future__ import annotations

from functools import reduce
from operator import or_

import polars as pl

from pilotbase.data.labelling.quality import figure_line
from pilotbase.data.quality.checks import CheckCount, present, typed, value_checks
from pilotbase.data.quality.columns import TableColumn
from pilotbase.data.quality.definition import (
    QualityContext,
    QualityFinding,
    QualityRequest,
    QualityResults,
    UnmeasuredError,
    entry,
    joined,
    measure,
    not_applicable,
    not_measured,
)
from pilotbase.data.quality.measures.traceability import audited_pairs
from pilotbase.documents.label_statement import LabelStatement
from pilotbase.documents.quality import QualityEntry
from pilotbase.documents.texts import text
from pilotbase.evidence.distributions import wilson


@measure("values of the declared type, pattern, list and range / values", iso="Acc-ML-1", tc609="0201", gbt="0302")
def syntactic_accuracy(asked: QualityContext) -> QualityRequest:
    """Return how many values are of the declared type and within pattern, list and range."""
    columns = [column for column in asked.table.columns.values() if column.field.data_type is not None]
    if not columns:
        raise not_applicable("quality.reason.no_type")
    wrong = {column.name: _wrong_values(column) for column in columns}

    def conclude(answers: QualityResults) -> QualityFinding:
        return joined(_fitting(column, wrong[column.name], answers) for column in columns)

    counts = [count for column in columns for count in (present(column), typed(column), *wrong[column.name])]
    return QualityRequest(conclude, tuple(counts))


def _wrong_values(column: TableColumn) -> list[CheckCount]:
    """Return the values of the right type that are not allowed: one count, shared with a single rule."""
    checks = list(value_checks(column))
    if len(checks) < 2:
        return [check.failed for check in checks]
    fails = reduce(or_, (check.fails.fill_null(False) for check in checks))
    return [CheckCount(f"not allowed {column.name}", (fails & column.value.is_not_null()).sum())]


def _fitting(column: TableColumn, wrong: list[CheckCount], answers: QualityResults) -> QualityEntry:
    fitting = answers.count(typed(column)) - sum(answers.count(count) for count in wrong)
    return entry(column.name, fitting, answers.count(present(column)))


@measure("values that agree with the audited sample / compared; Wilson 95 %", iso="Acc-ML-2", tc609="0205", gbt="0301")
def semantic_accuracy(asked: QualityContext) -> QualityRequest:
    """Return how many values agree with those of the audited records, with a Wilson interval."""
    return _agreement(asked, [name for name in asked.table.columns if name not in asked.table.record_set.key])


@measure(
    "labels that agree with the audited sample, or that a campaign found right / audited; Wilson 95 %",
    iso="Acc-ML-7",
    tc609="0304",
    gbt="0301",
)
def label_accuracy(asked: QualityContext) -> QualityRequest:
    """Return how many labels agree with those of the audited records, with a Wilson interval.

    If no checked records are given: how many of the labels that a campaign audited were right.
    """
    if not asked.table.labels:
        raise not_applicable("quality.reason.no_label")
    names = [column.name for column in asked.table.labels]
    try:
        return _agreement(asked, names)
    except UnmeasuredError:
        if asked.reference.labels is None:
            raise
        return _stated(asked.reference.labels, names)


def _stated(labels: LabelStatement, names: list[str]) -> QualityRequest:
    """Return the result of a campaign's audit; agreement alone does not show how many labels are wrong."""
    if len(names) > 1:
        raise not_measured("quality.reason.labels_of_which", fields=", ".join(names))
    if labels.audit is None:
        raise not_measured("quality.reason.labels_not_audited", agreement=figure_line(labels.agreement))
    audited, correct = labels.audit.audited, labels.audit.correct
    right = wilson(correct, audited)
    said = text("quality.reason.labels_audited", guideline=labels.guideline, agreement=figure_line(labels.agreement))
    told = (entry(names[0], correct, audited),)
    finding = QualityFinding(right.value, correct, audited, told, right.lower, right.upper, audited, said)
    return QualityRequest(lambda _: finding)


def _agreement(asked: QualityContext, names: list[str]) -> QualityRequest:
    if asked.audited is None:
        raise not_measured("quality.reason.no_audit")
    pairs = audited_pairs(asked.table, asked.audited, names)
    name = f"audited {', '.join(names)}"
    return QualityRequest(lambda answers: _interval(answers.tables[name]), tables={name: pairs})


def _interval(found: pl.DataFrame) -> QualityFinding:
    counts = found.group_by("field", maintain_order=True).agg(pl.col("agrees").sum(), pl.len().alias("compared"))
    entries = tuple(entry(name, agrees, compared) for name, agrees, compared in counts.iter_rows())
    if found.is_empty():
        return QualityFinding(None)
    agreeing = wilson(int(found["agrees"].sum()), found.height)
    sample = found["record"].n_unique()
    return QualityFinding(
        agreeing.value, int(found["agrees"].sum()), found.height, entries, agreeing.lower, agreeing.upper, sample
    )
