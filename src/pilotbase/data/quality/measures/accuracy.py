"""Whether values are well formed and, as far as somebody has checked, true; whether their origin is documented."""

from __future__ import annotations

from functools import reduce
from operator import or_

import polars as pl

from pilotbase.data.labelling.quality import figure_line
from pilotbase.data.quality.checks import ROWS, CheckCount, present, typed, value_checks
from pilotbase.data.quality.columns import RecordTable, TableColumn
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
    share,
)
from pilotbase.documents.base import Document, Part, Step, missing_for
from pilotbase.documents.dataset import FileObject
from pilotbase.documents.quality import LabelStatement, QualityEntry
from pilotbase.documents.texts import text
from pilotbase.evidence.distributions import wilson

_KEY, _THERE, _CHECKED = "key of ", "there ", "checked "


def audited_pairs(table: RecordTable, audited: pl.DataFrame, names: list[str]) -> pl.LazyFrame:
    """Return one row a compared value: ``record``, ``field`` and whether it ``agrees``.

    Records are found by their key; values are read as the contract types them, so that ``1.50`` agrees with ``1.5``.
    A value that only one side has does not agree; if both lack it, nothing is compared.
    """
    key = table.named(table.record_set.key)
    if not key or len(key) != len(table.record_set.key):
        raise not_measured("quality.reason.no_key")
    compared = [table.columns[name] for name in names if name in table.columns and name in audited.columns]
    if not compared or any(column.name not in audited.columns for column in key):
        raise not_measured("quality.reason.audit_lacks_columns")
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


@measure("files with their declared SHA-256 in a dataset with provenance / files", iso="Tra-ML-1", tc609="0205")
def traceability(asked: QualityContext) -> QualityRequest:
    """Return how many files match their digest, in a dataset that states its origin."""
    files = [file for file in asked.dataset.distribution if isinstance(file, FileObject)]
    if not files:
        raise not_applicable("quality.reason.no_files")
    provenance = asked.dataset.provenance
    told = bool(provenance.derived_from or provenance.generated_by or provenance.attributed_to)
    right = sum(
        told and file.sha256 is not None and asked.digests.get(file.id, file.sha256) == file.sha256 for file in files
    )
    return QualityRequest(lambda _: share(right, len(files)))


@measure("audited records / N", iso="Aud-ML-1", tc609="0103")
def audited_records(asked: QualityContext) -> QualityRequest:
    """Return how many records somebody has checked."""
    if asked.audited is None:
        raise not_measured("quality.reason.no_audit")
    pairs = audited_pairs(asked.table, asked.audited, list(asked.table.columns))

    def conclude(answers: QualityResults) -> QualityFinding:
        return share(answers.tables["audited records"]["record"].n_unique(), answers.rows)

    return QualityRequest(conclude, (ROWS,), tables={"audited records": pairs})


@measure("items needed to publish that are filled / needed", tc609="0101", gbt="0103")
def documentation(asked: QualityContext) -> QualityRequest:
    """Return how many of the items required for publishing are filled, by group."""
    lacking = missing_for(asked.dataset, Step.PUBLISH)
    groups = {
        "description": _needed(type(asked.dataset), ""),
        "responsible use": _needed(type(asked.dataset.responsible), "responsible."),
    }
    entries = tuple(
        entry(name, len([item for item in items if item not in lacking]), len(items)) for name, items in groups.items()
    )
    filled, needed = sum(one.numerator or 0 for one in entries), sum(one.denominator or 0 for one in entries)
    return QualityRequest(lambda _: share(filled, needed, entries))


def _needed(model: type[Document] | type[Part], prefix: str) -> list[str]:
    extras = {name: field.json_schema_extra for name, field in model.model_fields.items()}
    return [prefix + name for name, extra in extras.items() if isinstance(extra, dict) and "needed_for" in extra]


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
