"""Whether the data are distributed like the population that they represent."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from pilotbase.data.drift import stability_index
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
from pilotbase.documents.quality import QualityEntry

_MOST_VALUES = 10_000
Shares = dict[str, float]
"""Value → its share."""
Compared = dict[str, tuple[Shares, Shares]]
"""Field → shares in the data and in the target."""


@measure("target values that occur / target values", iso="Rep-ML-1", tc609="0301")
def representativeness(asked: QualityContext) -> QualityRequest:
    """Return how many of the target's values occur at all."""

    def conclude(compared: Compared) -> QualityFinding:
        found = [
            entry(name, sum(there.get(value, 0) > 0 for value in target), len(target))
            for name, (there, target) in compared.items()
        ]
        whole = sum(one.denominator or 0 for one in found)
        return share(sum(one.numerator or 0 for one in found), whole, tuple(found))

    return _held_against_target(asked, conclude)


@measure("min over fields of 1 - ½ Σ |p - q|", iso="Rep-ML-1", tc609="0301")
def representativeness_overlap(asked: QualityContext) -> QualityRequest:
    """Return, for the field that is furthest off, 1 less half the sum of differences between shares."""
    return _held_against_target(asked, lambda compared: _worst(compared, _overlap, min))


@measure("max over fields of Σ (p - q) ln(p / q)", "lower", iso="Rep-ML-1", tc609="0301")
def population_stability_index(asked: QualityContext) -> QualityRequest:
    """Return the index of the field that is furthest off: from 0.25 a shift is usually called large."""
    return _held_against_target(asked, lambda compared: _worst(compared, _stability, max))


def _held_against_target(asked: QualityContext, conclude: Callable[[Compared], QualityFinding]) -> QualityRequest:
    if not asked.reference.target:
        raise not_measured("quality.reason.no_target")
    absent = [name for name in asked.reference.target if name not in asked.table.columns]
    if absent:
        raise not_applicable("quality.reason.no_column", name=absent[0])
    tables = {f"shares {name}": _counts(asked, name) for name in asked.reference.target}

    def counted(answers: QualityResults) -> QualityFinding:
        compared: Compared = {}
        for name, target in asked.reference.target.items():
            counts = dict(answers.tables[f"shares {name}"].iter_rows())
            whole, aimed = sum(counts.values()), sum(target.values())
            if not whole or not aimed:
                return QualityFinding(None)
            there = {value: number / whole for value, number in counts.items()}
            compared[name] = there, {value: number / aimed for value, number in target.items()}
        return conclude(compared)

    return QualityRequest(counted, tables=tables)


def _counts(asked: QualityContext, name: str) -> pl.LazyFrame:
    column = asked.table.columns[name]
    spelled = column.canonical.cast(pl.String).alias("value")
    there = asked.table.frame.filter(column.value.is_not_null())
    return there.group_by(spelled).agg(pl.len().alias("count")).sort("count", "value").tail(_MOST_VALUES)


def _worst(
    compared: Compared,
    figure: Callable[[Shares, Shares], float],
    worst: Callable[..., QualityEntry],
) -> QualityFinding:
    entries = [QualityEntry(name=name, value=figure(there, target)) for name, (there, target) in compared.items()]
    return QualityFinding(worst(entries, key=lambda one: one.value).value, entries=tuple(entries))


def _overlap(there: Shares, target: Shares) -> float:
    return 1 - sum(abs(there.get(value, 0) - target.get(value, 0)) for value in {*there, *target}) / 2


def _stability(there: Shares, target: Shares) -> float:
    return stability_index((there.get(value, 0), target.get(value, 0)) for value in sorted({*there, *target}))
