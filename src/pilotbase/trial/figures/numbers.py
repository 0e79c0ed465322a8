"""Answers that are numbers, or intervals of them, against what was true, and over time where cases have one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pilotbase.documents.criteria import Rule
from pilotbase.documents.figures import (
    SMALLEST_GROUP,
    AgainstTruth,
    CoveragePoint,
    IntervalGroup,
    Intervals,
    Residuals,
    TimeCourse,
    TimePoint,
)
from pilotbase.measures import Cases
from pilotbase.measures.cases import Floats
from pilotbase.trial.figures.rounding import bounded, round_bins, shortened

_SQUARES, _BINS = 24, 20
_OUTER = 0.01
"""Share of answers at either end that no range is stretched for."""
_GROUPS, _COVERAGES, _STRETCHES = 16, 40, 48


def against_truth(cases: Cases, rules: Sequence[Rule]) -> AgainstTruth | None:
    """Return how many cases stand where truth meets answer; None without a number."""
    truth, answers = _known(cases)
    if not len(truth):
        return None
    low, high = _inner(answers)
    bins = round_bins(min(low, float(truth.min())), max(high, float(truth.max())), _SQUARES)
    squares = np.stack([bins.of(truth), bins.of(answers)], axis=1)
    cells, counts = np.unique(squares, axis=0, return_counts=True)
    return AgainstTruth(
        low=bins.low,
        step=bins.step,
        size=bins.size,
        cells=tuple((*cell, count) for cell, count in zip(cells.tolist(), counts.tolist(), strict=True)),
        beyond=int((bins.leave_out(truth) | bins.leave_out(answers)).sum()),
        absent=len(cases) - len(truth),
    )


def residuals(cases: Cases, rules: Sequence[Rule]) -> Residuals | None:
    """Return how far answers lie from the truth, and on which side; None without a number."""
    truth, answers = _known(cases)
    if not len(truth):
        return None
    off = answers - truth
    low, high = _inner(off)
    bins = round_bins(min(low, 0.0), max(high, 0.0), _BINS)
    return Residuals(
        low=bins.low,
        step=bins.step,
        counts=tuple(np.bincount(bins.of(off), minlength=bins.size).tolist()),
        beyond=int(bins.leave_out(off).sum()),
        mean=shortened(float(off.mean())) if len(off) >= SMALLEST_GROUP else None,
        absent=len(cases) - len(truth),
    )


def _known(cases: Cases) -> tuple[Floats, Floats]:
    truth, answers = cases.truth.astype(np.float64), cases.answers.astype(np.float64)
    known = np.isfinite(truth) & np.isfinite(answers)
    return bounded(truth[known]), bounded(answers[known])


def _inner(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, (_OUTER, 1 - _OUTER))
    return float(low), float(high)


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
    return sorted(set(np.linspace(first, count, _COVERAGES).round().astype(int).tolist()))


def time_course(cases: Cases, rules: Sequence[Rule]) -> TimeCourse | None:
    """Return means over stretches of time; None where cases have no times, or too few times to draw a course."""
    if cases.times is None:
        return None
    times, seconds = _numbers(cases.times)
    truth = bounded(cases.truth.astype(np.float64))
    known = np.flatnonzero(np.isfinite(times) & np.isfinite(truth))
    ordered = known[np.argsort(times[known], kind="stable")]
    count = min(_STRETCHES, len(ordered) // SMALLEST_GROUP)
    groups = np.array_split(ordered, count) if count > 1 else []
    points = tuple(_point(cases, truth, times, group) for group in groups)
    return TimeCourse(seconds=seconds, points=points) if len(points) > 1 else None


def _point(cases: Cases, truth: Floats, times: Floats, group: np.typing.NDArray[np.int64]) -> TimePoint:
    answers = bounded(cases.answers[group].astype(np.float64).reshape(len(group), -1))
    told = answers[np.isfinite(answers).all(axis=1)]
    means = [shortened(mean) for mean in told.mean(axis=0).tolist()] if len(told) >= SMALLEST_GROUP else []
    return TimePoint(
        at=float(times[group[0]]),
        cases=len(group),
        truth=shortened(truth[group].mean()),
        answered=means[0] if len(means) == 1 else None,
        lower=means[0] if len(means) == 2 else None,
        upper=means[1] if len(means) == 2 else None,
    )


def _numbers(times: np.typing.NDArray[np.str_]) -> tuple[Floats, bool]:
    """Return times as numbers, NaN for none, and whether they are seconds since 1970."""
    try:
        return np.where(times == "", "nan", times).astype(np.float64), False
    except ValueError:
        moments = np.where(times == "", "NaT", times).astype("datetime64[us]")
        unknown = np.isnat(moments)
        seconds = moments.astype(np.int64) / 1e6
        return np.where(unknown, np.nan, seconds), True
