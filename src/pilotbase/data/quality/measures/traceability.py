"""Whether the data's origin is known, what was checked of them, and what is written about them."""

from __future__ import annotations

import polars as pl

from pilotbase.data.quality.checks import ROWS
from pilotbase.data.quality.columns import RecordTable, TableColumn
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
from pilotbase.documents.base import Document, Part
from pilotbase.documents.dataset import FileObject
from pilotbase.documents.steps import Step, missing_for

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
