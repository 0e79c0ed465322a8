"""The data of a report's pictures: pure functions from scored cases to counts and means.

    figures_of(cases, rules) -> tuple[Figure, ...]

``cases``: as measures read them, in the order of scoring. Each kind of answer is a row of `_MAKERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pilotbase.documents.criteria import Rule
from pilotbase.documents.figures import Figure
from pilotbase.measures import Cases
from pilotbase.measures.cases import Kind
from pilotbase.trial.figures.classes import (
    boxes_by_class,
    confusion,
    labels_by_class,
    pixels_by_class,
    places,
    text_differences,
)
from pilotbase.trial.figures.numbers import against_truth, calibration, intervals, probabilities, residuals, time_course

__all__ = ["figures_of"]


_Maker = Callable[[Cases, Sequence[Rule]], Figure | None]
_MAKERS: Mapping[Kind, tuple[_Maker, ...]] = {
    "label": (confusion,),
    "probability": (calibration, probabilities),
    "value": (against_truth, residuals, time_course),
    "interval": (intervals, time_course),
    "labels": (labels_by_class,),
    "ranking": (places,),
    "boxes": (boxes_by_class,),
    "mask": (pixels_by_class,),
    "text": (text_differences,),
}


def figures_of(cases: Cases, rules: Sequence[Rule]) -> tuple[Figure, ...]:
    """Return the figures of scored ``cases``, in the order of scoring; no figures for no cases."""
    makers = _MAKERS.get(cases.kind, ()) if len(cases) else ()
    made = (make(cases, rules) for make in makers)
    return tuple(figure for figure in made if figure is not None)
