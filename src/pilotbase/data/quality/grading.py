"""What a purpose requires of a dataset, and the grade: the worst required measure beside how many were measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from pilotbase.data.quality.measures import QUALITY_MEASURES
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.dataset import Dataset, RequiredMeasure
from pilotbase.documents.errors import InputError
from pilotbase.documents.nearest import offer
from pilotbase.documents.quality import Purpose, QualityGrade, QualityMeasurement, QualityRequirement
from pilotbase.documents.vocabularies import Outcome


def _at_least(**measures: float) -> tuple[RequiredMeasure, ...]:
    return tuple(RequiredMeasure(measure=name, at_least=bound) for name, bound in measures.items())


DEFAULTS: Mapping[Purpose, tuple[RequiredMeasure, ...]] = MappingProxyType(
    {
        "training": _at_least(
            value_completeness=0.95,
            label_completeness=0.99,
            syntactic_accuracy=0.99,
            semantic_consistency=0.99,
            uniqueness=0.99,
            label_consistency=0.98,
            label_distribution_balance=0.3,
        ),
        "verification": (
            *_at_least(
                record_completeness=0.95,
                label_completeness=1.0,
                label_accuracy=0.95,
                syntactic_accuracy=0.99,
                semantic_consistency=0.99,
                uniqueness=0.99,
                label_consistency=0.98,
            ),
            RequiredMeasure(measure="split_leakage", at_most=0.0),
        ),
        "statistics": _at_least(
            value_completeness=0.95,
            syntactic_accuracy=0.99,
            semantic_consistency=0.99,
            uniqueness=0.99,
            representativeness_overlap=0.9,
            currentness=0.9,
        ),
    }
)
"""Purpose → its usual requirements. Measures that do not apply to a record set are not required of it."""


def required_of(dataset: Dataset) -> tuple[RequiredMeasure, ...]:
    """Return the requirements of the dataset's purpose; those in its description replace the usual ones of that name.

    Raises:
        InputError: ``quality.unknown_measure``, with a suggestion.
    """
    known = {measure.name for measure in QUALITY_MEASURES}
    for one in dataset.required:
        if one.measure not in known:
            raise InputError("quality.unknown_measure", found=one.measure, allowed=offer(one.measure, sorted(known)))
    usual = {one.measure: one for one in DEFAULTS[dataset.purpose]}
    return tuple((usual | {one.measure: one for one in dataset.required}).values())


def grade(dataset: Dataset, measurements: Iterable[QualityMeasurement]) -> QualityGrade:
    """Return the grade of ``dataset``; a measure that applies to no record set is not required."""
    required = {one.measure: one for one in required_of(dataset)}
    judged = [
        _judged(required[one.measure], one)
        for one in measurements
        if one.measure in required and one.state != "not_applicable"
    ]
    measured = [one for one in judged if one.value is not None]
    worst = min(measured, key=_margin, default=None)
    return QualityGrade(
        purpose=dataset.purpose,
        outcome=_outcome(judged),
        worst=worst.measure if worst else None,
        record_set=worst.record_set if worst else None,
        value=worst.value if worst else None,
        measured=len(measured),
        required=len(judged),
        requirements=tuple(judged),
    )


def _judged(required: RequiredMeasure, found: QualityMeasurement) -> QualityRequirement:
    outcome = Outcome.NOT_MEASURED
    if found.value is not None:
        low, high = required.at_least, required.at_most
        held = (low is None or found.value >= low) and (high is None or found.value <= high)
        outcome = Outcome.PASS if held else Outcome.FAIL
    return filled(QualityRequirement, required, found, outcome=outcome)


def _margin(one: QualityRequirement) -> float:
    """Return how far the value is above its requirement; negative if it misses."""
    value = one.value or 0.0
    margins = [value - one.at_least] if one.at_least is not None else []
    margins += [one.at_most - value] if one.at_most is not None else []
    return min(margins, default=float("inf"))


def _outcome(judged: list[QualityRequirement]) -> Outcome:
    found = {one.outcome for one in judged}
    if Outcome.FAIL in found:
        return Outcome.FAIL
    return Outcome.INCONCLUSIVE if Outcome.NOT_MEASURED in found or not judged else Outcome.PASS
