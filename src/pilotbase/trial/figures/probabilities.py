"""What answered probabilities say, and whether it is so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pilotbase.documents.criteria import Rule
from pilotbase.documents.figures import Calibration, CalibrationBin, Probabilities
from pilotbase.measures import Cases
from pilotbase.measures.cases import Ints
from pilotbase.trial.figures.rounding import shortened

WIDE_BINS, NARROW_BINS = 10, 20


def calibration(cases: Cases, rules: Sequence[Rule]) -> Calibration:
    """Return mean probability and hits in bins of equal width, as the measure ``calibration_gap`` has them."""
    label = _label(cases)
    given, hit = cases.probabilities(), cases.truth == cases.code(label)
    known = ~np.isnan(given)
    given, hit = given[known], hit[known]
    bins = _bins(given, WIDE_BINS)
    cases_in, hits = (np.bincount(bins, weights, WIDE_BINS) for weights in (None, hit.astype(np.float64)))
    sums = np.bincount(bins, given, WIDE_BINS)
    error = float(np.abs(hits - sums).sum() / max(len(given), 1))
    return Calibration(
        label=label,
        bins=tuple(
            CalibrationBin(
                low=number / WIDE_BINS,
                high=(number + 1) / WIDE_BINS,
                cases=int(count),
                answered=shortened(sums[number] / count) if count else None,
                hits=int(hits[number]),
            )
            for number, count in enumerate(cases_in)
        ),
        error=shortened(error),
        absent=int((~known).sum()),
    )


def probabilities(cases: Cases, rules: Sequence[Rule]) -> Probabilities:
    """Return how often each probability was answered, of the class and of the others."""
    label = _label(cases)
    given, member = cases.probabilities(), cases.truth == cases.code(label)
    known = ~np.isnan(given)
    counts = (np.bincount(_bins(given[known & part], NARROW_BINS), minlength=NARROW_BINS) for part in (member, ~member))
    members, others = (tuple(each.tolist()) for each in counts)
    return Probabilities(label=label, members=members, others=others, absent=int((~known).sum()))


def _label(cases: Cases) -> str:
    return cases.positive or cases.classes[-1]


def _bins(given: np.typing.NDArray[np.float64], count: int) -> Ints:
    return np.searchsorted(np.arange(1, count) / count, given, side="right").astype(np.int64)
