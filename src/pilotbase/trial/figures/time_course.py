"""Truth and answers over time, where the hidden cases are those that came later."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pilotbase.documents.criteria import Rule
from pilotbase.documents.figures import SMALLEST_GROUP, TimeCourse, TimePoint
from pilotbase.measures import Cases
from pilotbase.measures.cases import Floats
from pilotbase.trial.figures.rounding import bounded, shortened

_POINTS = 48


def time_course(cases: Cases, rules: Sequence[Rule]) -> TimeCourse | None:
    """Return means over stretches of time; None where cases have no times, or too few times to draw a course."""
    if cases.times is None:
        return None
    times, seconds = _numbers(cases.times)
    truth = bounded(cases.truth.astype(np.float64))
    known = np.flatnonzero(np.isfinite(times) & np.isfinite(truth))
    ordered = known[np.argsort(times[known], kind="stable")]
    count = min(_POINTS, len(ordered) // SMALLEST_GROUP)
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
