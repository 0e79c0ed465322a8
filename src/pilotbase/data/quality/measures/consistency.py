"""Whether records contradict themselves or each other: repeated, labelled or spelled two ways, against a rule."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pilotbase.data.quality.checks import CheckCount, GroupCheck, RowCheck, present, typed
from pilotbase.data.quality.columns import TableColumn, row_hash
from pilotbase.data.quality.definition import (
    QualityContext,
    QualityFinding,
    QualityRequest,
    QualityResults,
    entry,
    joined,
    measure,
    not_applicable,
    share,
)
from pilotbase.data.quality.tally import KeyedRows
from pilotbase.documents.contract import DataType
from pilotbase.documents.quality import QualityEntry

_SEPARATORS = {"-": "iso", "/": "slashes", ".": "dots", "年": "characters"}
"""What follows the year of a time → name of the format."""
_FOREIGN_NUMBERS = {"thousands": r"^[-+]?\d{1,3}(,\d{3})+(\.\d+)?$", "full width": r"^[-+]?[０-９．]+$"}
_EXPONENT = r"\d[eE][-+]?\d"
_JOINED = 64
"""Bytes: joining longer texts would take memory."""
_TRUTHS = {"words": ("true", "false"), "answers": ("yes", "no"), "digits": ("0", "1"), "characters": ("是", "否")}


@measure("distinct records / N", costly=True, iso="Con-ML-1", gbt="0303")
def uniqueness(asked: QualityContext) -> QualityRequest:
    """Return how many records remain if those equal in every field are counted once."""
    hashed = row_hash(list(asked.table.columns.values()))
    return _distinct("rows", (KeyedRows(asked.table.frame, hashed, hashed * 0),))


def _distinct(name: str, streams: tuple[KeyedRows, ...]) -> QualityRequest:
    def conclude(answers: QualityResults) -> QualityFinding:
        return share(answers.tallies[name].distinct, answers.tallies[name].rows)

    return QualityRequest(conclude, groups={name: streams})


@measure("distinct keys / records with a key", costly=True, iso="Con-ML-1", gbt="0304")
def key_uniqueness(asked: QualityContext) -> QualityRequest:
    """Return how many keys there are to how many records that have one."""
    check = next((one for one in asked.group_checks if one.kind == "key"), None)
    if not isinstance(check, GroupCheck):
        raise not_applicable("quality.reason.no_key")
    return _distinct("rule key", check.streams)


@measure(
    "1 - records in groups of equal features with several labels / records in groups of two and more",
    costly=True,
    iso="Con-ML-2",
    tc609="0206",
    gbt="0401",
)
def label_consistency(asked: QualityContext) -> QualityRequest:
    """Return, among records that look the same to an application, how many are not labelled in two ways."""
    labels, features = asked.table.labels, asked.table.features
    if not labels or not features:
        raise not_applicable("quality.reason.no_label")
    stream = KeyedRows(asked.table.frame, row_hash(features), row_hash(labels, 2))

    def conclude(answers: QualityResults) -> QualityFinding:
        tally = answers.tallies["features"]
        return share(tally.grouped - tally.mixed, tally.grouped)

    return QualityRequest(conclude, groups={"features": (stream,)})


@measure("values in their field's declared or most frequent format / values", iso="Con-ML-3", tc609="0207", gbt="0102")
def format_consistency(asked: QualityContext) -> QualityRequest:
    """Return how many values have the format that their field declares or, if none, mostly has."""
    columns = [column for column in asked.table.columns.values() if column.field.data_type is not None]
    if not columns:
        raise not_applicable("quality.reason.no_type")
    formats = {column.name: _format_counts(column) for column in columns}
    patterns = {
        one.fields[0]: one.failed for one in asked.checks if isinstance(one, RowCheck) and one.kind == "pattern"
    }

    def conclude(answers: QualityResults) -> QualityFinding:
        return joined(_in_one_format(column, formats[column.name], patterns, answers) for column in columns)

    counts = [count for found in formats.values() for count in found]
    return QualityRequest(conclude, (*map(present, columns), *map(typed, columns), *patterns.values(), *counts))


def _in_one_format(
    column: TableColumn, formats: list[CheckCount], patterns: Mapping[str, CheckCount], answers: QualityResults
) -> QualityEntry:
    there = answers.count(present(column))
    if column.name in patterns:
        return entry(column.name, there - answers.count(patterns[column.name]), there)
    counts = [answers.count(count) for count in formats]
    return entry(column.name, max(*counts, there - sum(counts)) if counts else there, there)


@measure("Σ passed / Σ evaluated over the rules between fields", iso="Con-ML-4", tc609="0206", gbt="0104")
def semantic_consistency(asked: QualityContext) -> QualityRequest:
    """Return how many judgements of the rules between fields were passed."""
    checks = [check for check in asked.checks if isinstance(check, RowCheck) and check.kind == "row"]
    if not checks:
        raise not_applicable("quality.reason.no_row_rule")

    def conclude(answers: QualityResults) -> QualityFinding:
        return joined(_passed(check, answers) for check in checks)

    return QualityRequest(conclude, tuple(count for check in checks for count in (check.evaluated, check.failed)))


def _passed(check: RowCheck, answers: QualityResults) -> QualityEntry:
    evaluated = answers.count(check.evaluated)
    return entry(check.name, evaluated - answers.count(check.failed), evaluated)


@measure("1 - references that lead nowhere / references", costly=True, iso="Con-ML-4", tc609="0206", gbt="0402")
def referential_consistency(asked: QualityContext) -> QualityRequest:
    """Return how many references are found where they point."""
    checks = [one for one in asked.group_checks if isinstance(one, GroupCheck) and one.kind == "reference"]
    if not checks:
        raise not_applicable("quality.reason.no_references")

    def conclude(answers: QualityResults) -> QualityFinding:
        tallies = {check.name: answers.tallies[f"rule {check.name}"] for check in checks}
        return joined(entry(name, tally.met, tally.marked) for name, tally in tallies.items())

    return QualityRequest(conclude, groups={f"rule {check.name}": check.streams for check in checks})


def _format_counts(column: TableColumn) -> list[CheckCount]:
    """Return how often each format occurs in a column of texts; nothing if the type allows one format only.

    Texts have none: the contract checks them against their declared pattern.
    """
    if column.dtype != pl.String or column.data_type is DataType.TEXT:
        return []
    spelled = column.raw.str.strip_chars()
    if column.is_time:
        return _times(column.name, spelled)
    return _numbers(column) if column.is_number else _truths(column.name, spelled)


def _times(name: str, spelled: pl.Expr) -> list[CheckCount]:
    sign = spelled.str.slice(4, 1)
    counts = [CheckCount(f"format {form} {name}", (sign == each).sum()) for each, form in _SEPARATORS.items()]
    compact = (spelled.str.len_chars() == 8) & spelled.str.contains(r"^\d{8}$")
    return [*counts, CheckCount(f"format compact {name}", compact.sum())]


def _numbers(column: TableColumn) -> list[CheckCount]:
    """Return plain and exponent formats among numbers; commas and full-width digits among the few that are none."""
    there = column.value.is_not_null()
    exponent = column.raw.map_batches(_with_exponent, return_dtype=pl.Boolean, is_elementwise=True)
    foreign = column.raw.filter(column.raw.is_not_null() & ~there).str.strip_chars()
    return [
        CheckCount(f"format plain {column.name}", (there & ~exponent).sum()),
        CheckCount(f"format exponent {column.name}", (there & exponent).sum()),
        *(
            CheckCount(f"format {form} {column.name}", foreign.str.contains(pattern).sum())
            for form, pattern in _FOREIGN_NUMBERS.items()
        ),
    ]


def _with_exponent(texts: pl.Series) -> pl.Series:
    """Return which have an exponent: none of a piece that, joined, holds no e, which is a tenth of the work."""
    longest = texts.str.len_bytes().fill_null(0).max()
    if isinstance(longest, int) and longest <= _JOINED:
        joined: str = texts.str.join().item()
        if "e" not in joined and "E" not in joined:
            return pl.Series(texts.name, [False], dtype=pl.Boolean).new_from_index(0, len(texts))
    return texts.str.contains(_EXPONENT)


def _truths(name: str, spelled: pl.Expr) -> list[CheckCount]:
    lower = spelled.str.to_lowercase()
    return [CheckCount(f"format {form} {name}", lower.is_in(list(words)).sum()) for form, words in _TRUTHS.items()]
