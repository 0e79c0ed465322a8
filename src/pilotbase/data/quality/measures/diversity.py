"""How many of the declared classes occur, and how many of these have enough records."""

from __future__ import annotations

from collections.abc import Mapping

from pilotbase.data.quality.definition import (
    QualityContext,
    QualityFinding,
    QualityMeasure,
    QualityRequest,
    Unmeasured,
    entry,
    not_measured,
    share,
)
from pilotbase.data.quality.measures.balance import class_column, of_classes
from pilotbase.documents.quality import QualityCodes


def label_richness(asked: QualityContext) -> QualityRequest | Unmeasured:
    """Return how many of the declared classes occur."""
    column = class_column(asked)
    if isinstance(column, Unmeasured):
        return column
    if not column.field.values:
        return not_measured("quality.reason.no_taxonomy")
    declared = column.field.values
    return of_classes(asked, lambda counts: share(sum(counts[value] > 0 for value in declared), len(declared)))


def relative_abundance(asked: QualityContext) -> QualityRequest | Unmeasured:
    """Return the share of the most frequent class, and of each class its own."""
    return of_classes(asked, _abundance)


def small_category_share(asked: QualityContext) -> QualityRequest | Unmeasured:
    """Return how many classes have at least the declared number of records."""
    least = asked.reference.small
    column = class_column(asked)
    if isinstance(column, Unmeasured):
        return column
    if least is None:
        return not_measured("quality.reason.no_small")
    return of_classes(asked, lambda counts: share(sum(n >= least for n in counts.values()), len(counts)))


def _abundance(counts: Mapping[str, int]) -> QualityFinding:
    whole = sum(counts.values())
    entries = tuple(entry(value, number, whole) for value, number in counts.items())
    return share(max(counts.values()), whole, entries)


MEASURES = (
    QualityMeasure(
        "label_richness", QualityCodes(iso="Div-ML-1", tc609="0301"), "higher",
        "classes that occur / declared classes", label_richness,
    ),
    QualityMeasure(
        "relative_abundance", QualityCodes(iso="Div-ML-2", tc609="0301"), "neither",
        "n_k / N of each class; the figure is the largest", relative_abundance,
    ),
    QualityMeasure(
        "small_category_share", QualityCodes(iso="Div-ML-3", tc609="0302"), "higher",
        "1 - classes with fewer than τ records / K", small_category_share,
    ),
)  # fmt: skip
