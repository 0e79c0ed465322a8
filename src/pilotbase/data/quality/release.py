"""What of a quality report leaves the owner's hands: a report on closed data is itself a release of them."""

from __future__ import annotations

from pilotbase.documents.dataset import Dataset
from pilotbase.documents.quality import (
    Cell,
    FieldProfile,
    HistogramBin,
    QualityEntry,
    QualityMeasurement,
    QualityReport,
    RecordSetProfile,
    RuleResult,
    ValueCount,
)
from pilotbase.documents.terms import LeftOperand
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Opening

LEAST_CELL = 10
"""Fewer records than this are not told of, where the terms ask for no larger cell."""
_BY_VALUE = frozenset({"relative_abundance", "label_proportion_gap", "value_occurrence"})
"""Measures whose entries are named by values of the data."""


def released(report: QualityReport, dataset: Dataset) -> QualityReport:
    """Return what of a full report the dataset's level of opening lets out.

    Of data that may be taken: everything. Of data that nobody may take: no row numbers, no smallest and largest values,
    no value that the description does not declare itself, no count of fewer than `least_cell` records or that would
    let one be computed, shares in two decimals where their count is kept back.
    """
    if dataset.opening is not Opening.COMPUTE_TO_DATA:
        return report.model_copy(update={"view": "released"})
    least, declared = least_cell(dataset), _declared_values(dataset)
    return report.model_copy(
        update={
            "view": "released",
            "least_cell": least,
            "profiles": tuple(_profile(one, dataset, least) for one in report.profiles),
            "measurements": tuple(_measurement(one, declared, least) for one in report.measurements),
            "rules": tuple(_rule(one, least) for one in report.rules),
        }
    )


def least_cell(dataset: Dataset) -> int:
    """Return how many records a count needs at least: `LEAST_CELL`, or more where the terms of use ask for it."""
    permissions = dataset.usage.permission if dataset.usage else ()
    asked = [
        int(constraint.right_operand[0])
        for permission in permissions
        for constraint in permission.constraint
        if constraint.left_operand is LeftOperand.MIN_CELL_SIZE and constraint.right_operand[0].isdecimal()
    ]
    return max([LEAST_CELL, *asked])


def _declared_values(dataset: Dataset) -> frozenset[str]:
    return frozenset(value for one in dataset.record_sets for field in one.fields for value in field.values)


def _rule(rule: RuleResult, least: int) -> RuleResult:
    told = rule.model_copy(update={"rows": ()})
    if _tells(rule.failed, rule.passed, least):
        return told
    return told.model_copy(update={"passed": None, "failed": None, "reason": _kept_back(least)})


def _kept_back(least: int) -> Text:
    return text("quality.reason.small_cell", least=least)


def _tells(one: float | None, other: float | None, least: int) -> bool:
    """Tell whether both sides of a division into two are 0 or large enough."""
    return all(part is None or part == 0 or part >= least for part in (one, other))


def _measurement(found: QualityMeasurement, declared: frozenset[str], least: int) -> QualityMeasurement:
    entries = tuple(_entry(one, least) for one in found.entries if _is_declared(one, found.measure, declared))
    told = found.model_copy(update={"entries": entries})
    numerator, denominator = found.numerator, found.denominator
    if numerator is None or denominator is None or _tells(numerator, denominator - numerator, least):
        return told
    rounded = None if found.value is None else round(found.value, 2)
    reason = found.reason or _kept_back(least)
    return told.model_copy(update={"numerator": None, "value": rounded, "reason": reason})


def _is_declared(one: QualityEntry, measure: str, declared: frozenset[str]) -> bool:
    return measure not in _BY_VALUE or one.name.partition(" | ")[0].rpartition("=")[2] in declared


def _entry(one: QualityEntry, least: int) -> QualityEntry:
    if (
        one.numerator is None
        or one.denominator is None
        or _tells(one.numerator, one.denominator - one.numerator, least)
    ):
        return one
    return one.model_copy(update={"numerator": None, "value": None if one.value is None else round(one.value, 2)})


def _profile(found: RecordSetProfile, dataset: Dataset, least: int) -> RecordSetProfile:
    fields = {field.name: field for field in dataset.record_set(found.record_set).fields}
    told = []
    for one in found.fields:
        field = fields[one.field]
        bounded = field.minimum is not None and field.maximum is not None
        told.append(_field(one, found.rows, bounded, frozenset(field.values), least))
    return found.model_copy(update={"fields": tuple(told)})


def _field(one: FieldProfile, rows: int, bounded: bool, declared: frozenset[str], least: int) -> FieldProfile:
    few = not _tells(one.missing, rows - (one.missing or 0), least)
    small = rows - (one.missing or 0) < least
    wrong = one.wrong if one.wrong == 0 or (one.wrong or 0) >= least else None
    return one.model_copy(
        update={
            "missing": None if few else one.missing,
            "wrong": wrong,
            "minimum": None,
            "maximum": None,
            "mean": None if small else _rounded(one.mean),
            "deviation": None if small else _rounded(one.deviation),
            "distinct": None,
            "histogram": _bins(one.histogram, least) if bounded else (),
            "values": _values(one.values, declared, least),
            "drift": _rounded(one.drift),
        }
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.3g}")


def _bins(bins: tuple[HistogramBin, ...], least: int) -> tuple[HistogramBin, ...]:
    counts = suppressed([one.count for one in bins], least)
    return tuple(one.model_copy(update={"count": count, "later": 0}) for one, count in zip(bins, counts, strict=True))


def _values(values: tuple[ValueCount, ...], declared: frozenset[str], least: int) -> tuple[ValueCount, ...]:
    if any(one.value not in declared for one in values):
        return ()  # what is left out could be computed from the rest
    counts = suppressed([one.count for one in values], least)
    return tuple(one.model_copy(update={"count": count, "later": 0}) for one, count in zip(values, counts, strict=True))


def suppressed(counts: list[Cell], least: int) -> list[Cell]:
    """Return the counts without those from 1 to below ``least``; a single one takes the next larger with it.

    Otherwise it could be computed from the sum, which is known.
    """
    few = {place for place, count in enumerate(counts) if count is not None and 0 < count < least}
    others = [place for place, count in enumerate(counts) if count is not None and count >= least]
    if few and sum(counts[place] or 0 for place in few) < least and others:
        few.add(min(others, key=lambda place: counts[place] or 0))
    return [None if place in few else count for place, count in enumerate(counts)]
