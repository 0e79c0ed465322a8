"""Answers that are numbers, or intervals of them, against the truth, and over time if cases have times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pilotbase.charts.scales import round_step
from pilotbase.documents.criteria import Rule
from pilotbase.documents.figures import (
    SMALLEST_GROUP,
    AgainstTruth,
    Calibration,
    CalibrationBin,
    CoveragePoint,
    IntervalGroup,
    Intervals,
    Probabilities,
    Residuals,
    TimeCourse,
    TimePoint,
)
from pilotbase.measures import Cases
from pilotbase.measures.cases import Floats, Ints

_SQUARES, _BINS = 24, 20
_OUTER = 0.01
"""Share of answers at either end that no range is stretched for."""
_GROUPS, _COVERAGES, _STRETCHES = 16, 40, 48
_DIGITS = 6
_LARGEST = 1e150
_FINEST = 1e-9
"""Share of the largest value below which no bin is wide."""
WIDE_BINS, NARROW_BINS = 10, 20


def against_truth(cases: Cases, rules: Sequence[Rule]) -> AgainstTruth | None:
    """Return how many cases stand where truth meets answer; None without a number."""
    truth, answers = _known(cases)
    if not len(truth):
        return None
    low, high = _inner(answers)
    bins = _round_bins(min(low, float(truth.min())), max(high, float(truth.max())), _SQUARES)
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
    bins = _round_bins(min(low, 0.0), max(high, 0.0), _BINS)
    return Residuals(
        low=bins.low,
        step=bins.step,
        counts=tuple(np.bincount(bins.of(off), minlength=bins.size).tolist()),
        beyond=int(bins.leave_out(off).sum()),
        mean=shortened(float(off.mean())) if len(off) >= SMALLEST_GROUP else None,
        absent=len(cases) - len(truth),
    )


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


def time_course(cases: Cases, rules: Sequence[Rule]) -> TimeCourse | None:
    """Return means over periods of time; None if cases have no times, or too few for a chart."""
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


def shortened(value: float) -> float:
    """Return ``value`` in six significant digits."""
    return float(f"{value:.{_DIGITS}g}")


@dataclass(frozen=True)
class Bins:
    """``size`` bins of width ``step`` from ``low`` on; values outside count in the outermost bins."""

    low: float
    step: float
    size: int

    def of(self, values: Floats) -> Ints:
        places = np.floor((values - self.low) / self.step)
        return np.clip(places, 0, self.size - 1).astype(np.int64)

    def leave_out(self, values: Floats) -> Ints:
        """Return for each value whether it is outside all bins, as 0 or 1."""
        high = self.low + self.step * self.size
        return ((values < self.low) | (values > high)).astype(np.int64)


def bounded(values: Floats) -> Floats:
    """Return ``values`` so far in that sums of them stay numbers."""
    return np.clip(values, -_LARGEST, _LARGEST)


def _round_bins(low: float, high: float, about: int) -> Bins:
    """Return bins from a round number not above ``low`` to one not below ``high``, at most ``about`` and two."""
    size = max((high - low) / about, _FINEST * max(abs(low), abs(high)))
    step = round_step(size)
    first, last = math.floor(low / step), math.ceil(high / step)
    return Bins(float(f"{first * step:.12g}"), shortened(step), max(last - first, 1))


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


def _known(cases: Cases) -> tuple[Floats, Floats]:
    truth, answers = cases.truth.astype(np.float64), cases.answers.astype(np.float64)
    known = np.isfinite(truth) & np.isfinite(answers)
    return bounded(truth[known]), bounded(answers[known])


def _inner(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, (_OUTER, 1 - _OUTER))
    return float(low), float(high)


def _picked(count: int) -> list[int]:
    """Return numbers of cases evenly spread from the first few to all."""
    first = min(SMALLEST_GROUP, count)
    return sorted(set(np.linspace(first, count, _COVERAGES).round().astype(int).tolist()))


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


def _label(cases: Cases) -> str:
    return cases.positive or cases.classes[-1]


def _bins(given: np.typing.NDArray[np.float64], count: int) -> Ints:
    return np.searchsorted(np.arange(1, count) / count, given, side="right").astype(np.int64)
