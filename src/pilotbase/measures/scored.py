"""A user's own measure: one function that scores each case between two bounds.

In the package's pyproject.toml::

    [project.entry-points."pilotbase.measures"]
    my_measure = "my_package:MY_MEASURE"          # a CaseScore
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotbase.documents.errors import InputError
from pilotbase.documents.texts import text
from pilotbase.measures.cases import Floats, Kind
from pilotbase.measures.definition import Direction, Measure
from pilotbase.measures.observation import MeasureInput, MeasurePart, mean_of


@dataclass(frozen=True)
class MeanScore:
    """The mean of ``score(truth, answers)``, an array of values in [``low``, ``high``]."""

    name: str
    score: Callable[[NDArray[Any], NDArray[Any]], Floats]
    low: Decimal
    high: Decimal
    better: Direction
    kinds: frozenset[Kind]
    formula: str
    source: str

    def measure(self) -> Measure:
        """Return the measure; its scores are checked at each use."""
        if not self.low < self.high:
            raise InputError("measure.score_bounds", name=self.name, low=self.low, high=self.high)
        return Measure(
            self.name,
            text("measure.added", name=self.name),
            self.formula,
            self.source,
            self.better,
            self.kinds,
            self._observe,
            bounds=(self.low, self.high),
            paired=True,
        )

    def _observe(self, question: MeasureInput) -> MeasurePart:
        cases = question.cases
        scores = np.asarray(self.score(cases.truth, cases.answers), dtype=np.float64)
        if scores.shape != (len(cases),):
            raise InputError("measure.score_shape", name=self.name, found=scores.shape, allowed=(len(cases),))
        beyond = (scores < float(self.low)) | (scores > float(self.high))
        if beyond.any():
            raise InputError(
                "measure.score_range",
                name=self.name,
                found=float(scores[beyond][0]),
                low=self.low,
                high=self.high,
            )
        return mean_of(scores, self.high, question, low=self.low)
