"""How many of the declared classes occur, and how many of these have enough records."""

from __future__ import annotations

from collections.abc import Mapping

from pilotbase.data.quality.definition import (
    QualityContext,
    QualityFinding,
    QualityRequest,
    entry,
    measure,
    not_measured,
    share,
)
from pilotbase.data.quality.measures.balance import class_column, of_classes


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
