"""Answered intervals against what was true, and how the share of those that hold it went."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pilotbase.documents.criteria import Rule
from pilotbase.documents.figures import SMALLEST_GROUP, CoveragePoint, IntervalGroup, Intervals
from pilotbase.measures import Cases
from pilotbase.trial.figures.rounding import bounded, shortened

_GROUPS, _POINTS = 16, 40


def intervals(cases: Cases, rules: Sequence[Rule]) -> Intervals:
    """Return intervals by groups of neighbouring truths, and the coverage after so many scored cases."""
    truth, (lower, upper) = cases.truth.astype(np.float64), cases.answers.astype(np.float64).T
    known = np.isfinite(truth) & np.isfinite(lower) & np.isfinite(upper)
    covered = known & (lower <= truth) & (truth <= upper)
    truth, lower, upper = bounded(truth), bounded(lower), bounded(upper)
    sorted_cases = np.flatnonzero(known)[np.argsort(truth[known], kind="stable")]
    count = min(_GROUPS, len(sorted_cases) // SMALLEST_GROUP)
    groups = np.array_split(sorted_cases, count) if count else []
    return Intervals(
        groups=tuple(
            IntervalGroup(
                cases=len(group),
                truth=shortened(truth[group].mean()),
                lower=shortened(lower[group].mean()),
                upper=shortened(upper[group].mean()),
                covered=int(covered[group].sum()),
            )
            for group in groups
        ),
        coverage=tuple(CoveragePoint(cases=until, covered=int(covered[:until].sum())) for until in _picked(len(cases))),
        absent=int((~known).sum()),
    )


def _picked(count: int) -> list[int]:
    """Return numbers of cases evenly spread from the first few to all."""
    first = min(SMALLEST_GROUP, count)
    return sorted(set(np.linspace(first, count, _POINTS).round().astype(int).tolist()))
