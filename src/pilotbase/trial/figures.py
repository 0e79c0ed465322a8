"""The data of a report's pictures: pure functions from scored cases to counts and means.

    figures_of(cases, rules) -> tuple[Figure, ...]

``cases``: as measures read them, in the order of scoring. Each kind of answer is a row of `_MAKERS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pilotbase.charts.scales import round_step
from pilotbase.documents.answer_texts import NO_CLASS
from pilotbase.documents.criteria import Rule
from pilotbase.documents.figures import (
    SMALLEST_GROUP,
    AgainstTruth,
    ByClass,
    Calibration,
    CalibrationBin,
    ClassRow,
    Confusion,
    CoveragePoint,
    ErrorCounts,
    Figure,
    IntervalGroup,
    Intervals,
    Mistake,
    Places,
    Probabilities,
    Residuals,
    TextDifferences,
    TimeCourse,
    TimePoint,
)
from pilotbase.measures import Cases
from pilotbase.measures.cases import Floats, Ints, Kind
from pilotbase.measures.definition import CLASSIFYING
from pilotbase.measures.formulas.boxes import by_score, matches, overlaps
from pilotbase.measures.text_pairs import edit_distance

MOST_CLASSES, MOST_ROWS = 10, 20
"""More are folded into one."""
USUAL_OVERLAP, USUAL_CUT = 0.5, 0.5
ENDS = (0.02, 0.05, 0.1, 0.2, 0.5)
OF_TRANSCRIPTS = frozenset({"cer", "wer", "edit_similarity"})
"""Measures that ask how close a text comes, letter by letter."""
LONGEST = 2000
"""Characters of a truth beyond which nobody counts them one by one for a picture."""
MOST_PLACES = 10


def confusion(cases: Cases, rules: Sequence[Rule]) -> Confusion:
    """Return the counts of true against answered classes; if there are many, the rarest are merged into one."""
    size, truth = len(cases.classes), cases.truth.astype(np.int64)
    answered = cases.labels(cases.answers, 0.5).astype(np.int64)
    common = sum(np.bincount(codes[codes >= 0], minlength=size) for codes in (truth, answered))
    kept = _commonest(np.asarray(common), MOST_CLASSES)
    folded = size - len(kept)
    # Place of each class: kept ones in their order, then the merged ones, then none (code -1, the last place).
    place = np.full(size + 1, len(kept), dtype=np.int64)
    place[kept] = np.arange(len(kept))
    place[-1] = len(kept) + (folded > 0)
    side = int(place[-1]) + 1
    shown = np.bincount(place[truth] * side + place[answered], minlength=side**2).reshape(side, side)
    none = bool(shown[-1].any() or shown[:, -1].any())
    end = side if none else side - 1
    return Confusion(
        classes=tuple(cases.classes[code] for code in kept.tolist()),
        folded=folded,
        none=none,
        counts=tuple(map(tuple, shown[:end, :end].tolist())),
    )


def labels_by_class(cases: Cases, rules: Sequence[Rule]) -> ByClass:
    """Return how often each class was named rightly."""
    truth, answers = cases.truth == 1, cases.answers == 1
    absent = int((cases.answers < 0).any(axis=1).sum())
    return _by_class(cases, (truth.sum(0), answers.sum(0), (truth & answers).sum(0)), "label", absent)


def boxes_by_class(cases: Cases, rules: Sequence[Rule]) -> ByClass:
    """Return how many boxes of each class were found, at the overlap of the first rule that has one."""
    wanted, answered, hits = (np.zeros(len(cases.classes), dtype=np.int64) for _ in range(3))
    overlap = overlap_of(rules)
    for true, detected in zip(cases.truth, cases.answers, strict=True):
        if true is not None:
            np.add.at(wanted, true[:, 0].astype(np.int64), 1)
        if detected is None:
            continue
        codes = detected[:, 0].astype(np.int64)
        np.add.at(answered, codes, 1)
        if true is not None:
            ranked = by_score(detected, len(detected))
            found = matches(overlaps(ranked, true), overlap) >= 0
            np.add.at(hits, ranked[found, 0].astype(np.int64), 1)
    return _by_class(cases, (wanted, answered, hits), "box", _without(cases.answers), overlap)


def overlap_of(rules: Sequence[Rule]) -> float:
    """Return the intersection over union at which a box counts as found."""
    asked = (rule.arguments["iou"] for rule in rules if "iou" in rule.arguments)
    return float(next(asked, USUAL_OVERLAP))


def pixels_by_class(cases: Cases, rules: Sequence[Rule]) -> ByClass:
    """Return how many pixels of each class were named rightly; of masks of unlike size none."""
    wanted, answered, hits = (np.zeros(NO_CLASS + 1, dtype=np.int64) for _ in range(3))
    for true, given in zip(cases.truth, cases.answers, strict=True):
        if true is not None:
            wanted += np.bincount(true.ravel(), minlength=NO_CLASS + 1)
        if given is not None:
            answered += np.bincount(given.ravel(), minlength=NO_CLASS + 1)
        if true is not None and given is not None and true.shape == given.shape:
            hits += np.bincount(true[true == given], minlength=NO_CLASS + 1)
    size = len(cases.classes)
    return _by_class(cases, (wanted[:size], answered[:size], hits[:size]), "pixel", _without(cases.answers))


def text_differences(cases: Cases, rules: Sequence[Rule]) -> TextDifferences:
    """Return how many answers are the truth, and where a rule asks how close they come, how far the others are off."""
    pairs = list(zip(cases.truth.tolist(), cases.answers.tolist(), strict=True))
    asked = [(truth, answer) for truth, answer in pairs if truth is not None]
    refusing = [answer is None for truth, answer in pairs if truth is None]
    differing = [(truth, answer) for truth, answer in asked if answer is not None and answer != truth]
    ends = ENDS if any(rule.measure in OF_TRANSCRIPTS for rule in rules) else ()
    shares = [_share(truth, answer) for truth, answer in differing] if ends else [0.0] * len(differing)
    counts = np.bincount(np.searchsorted(ends, shares, side="left"), minlength=len(ends) + 1)
    return TextDifferences(
        same=sum(answer == truth for truth, answer in asked),
        ends=ends,
        differing=tuple(counts.tolist()),
        absent=sum(answer is None for _, answer in asked),
        refused=sum(refusing) if refusing else None,
        not_refused=len(refusing) - sum(refusing) if refusing else None,
    )


def places(cases: Cases, rules: Sequence[Rule]) -> Places:
    """Return how often the first wanted name stood at each place."""
    found = first_places(cases)
    counts = np.bincount(found[(found >= 0) & (found < MOST_PLACES)], minlength=MOST_PLACES)
    later = int((found >= MOST_PLACES).sum())
    return Places(counts=tuple(counts.tolist()), later=later, never=int((found < 0).sum()))


def first_places(cases: Cases) -> Ints:
    """Return the place of the first wanted name of each case, from 0; -1 where none is among the answers."""
    wanted = cases.truth.reshape(len(cases), -1)
    found = np.full(len(cases), -1, dtype=np.int64)
    for place in reversed(range(cases.answers.shape[1])):
        answered = cases.answers[:, place]
        among = ((answered[:, None] == wanted) & (answered[:, None] >= 0)).any(axis=1)
        found[among] = place
    return found


def _by_class(
    cases: Cases,
    counts: tuple[Ints, Ints, Ints],
    counted: Literal["label", "box", "pixel"],
    absent: int,
    overlap: float | None = None,
) -> ByClass:
    wanted, answered, hits = counts
    kept = _commonest(wanted + answered, MOST_ROWS)
    rows = [_row(cases.classes[code], *(int(each[code]) for each in counts)) for code in kept.tolist()]
    if len(kept) < len(cases.classes):
        rest = np.setdiff1d(np.arange(len(cases.classes)), kept)
        rows.append(_row(None, int(wanted[rest].sum()), int(answered[rest].sum()), int(hits[rest].sum())))
    return ByClass(counted=counted, overlap=overlap, rows=tuple(rows), absent=absent)


def _row(name: str | None, wanted: int, answered: int, hits: int) -> ClassRow:
    return ClassRow(name=name, wanted=wanted, answered=answered, hits=hits)


def _commonest(counts: Ints, most: int) -> Ints:
    """Return the codes of the ``most`` commonest classes, rising; all where there are so few."""
    return np.sort(np.argsort(-counts, kind="stable")[:most])


def _without(answers: NDArray[Any]) -> int:
    return sum(answer is None for answer in answers)


def _share(truth: str, answer: str) -> float:
    """Return the edits that turn ``answer`` into ``truth``, a share of its characters; of long ones their begin."""
    held = truth[:LONGEST]
    return edit_distance(held, answer[: 2 * LONGEST]) / max(len(held), 1)


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


_Maker = Callable[[Cases, Sequence[Rule]], Figure | None]
_MAKERS: Mapping[Kind, tuple[_Maker, ...]] = {
    "label": (confusion,),
    "probability": (calibration, probabilities),
    "probabilities": (confusion,),
    "value": (against_truth, residuals, time_course),
    "interval": (intervals, time_course),
    "labels": (labels_by_class,),
    "ranking": (places,),
    "boxes": (boxes_by_class,),
    "mask": (pixels_by_class,),
    "text": (text_differences,),
}


def errors_of(cases: Cases, rules: Sequence[Rule]) -> ErrorCounts | None:
    """Return misses and false alarms about the positive class; None if answers are no classes, or none is positive."""
    if cases.kind not in CLASSIFYING or cases.positive is None or not len(cases):
        return None
    cuts = [float(rule.arguments["cut"]) for rule in rules if "cut" in rule.arguments]
    code, cut = cases.code(cases.positive), next(iter(cuts), USUAL_CUT)

    def counted(answers: NDArray[Any]) -> tuple[int, int]:
        answered, ours = cases.labels(answers, cut), cases.truth == code
        wrong = (answered < 0) | ((answered == code) != ours)
        return int((wrong & ours).sum()), int((wrong & ~ours).sum())

    misses, alarms = counted(cases.answers)
    before = (None, None) if cases.baseline is None else counted(cases.baseline)
    return ErrorCounts(
        label=cases.positive,
        cases=len(cases),
        misses=misses,
        false_alarms=alarms,
        baseline_misses=before[0],
        baseline_false_alarms=before[1],
        mistakes=tuple(_mistakes(cases, cut)) if len(cases.classes) > 2 else None,
    )


def _mistakes(cases: Cases, cut: float) -> Iterator[Mistake]:
    """Yield each mistake that was made, by true and answered class."""
    size, names = len(cases.classes), (*cases.classes, "")

    def counted(answers: NDArray[Any]) -> Ints:
        answered = cases.labels(answers, cut)
        places = cases.truth * (size + 1) + np.where(answered < 0, size, answered)
        return np.bincount(places[cases.truth >= 0], minlength=size * (size + 1)).reshape(size, size + 1)

    ours = counted(cases.answers)
    theirs = None if cases.baseline is None else counted(cases.baseline)
    for true, answered in np.argwhere(ours + (0 if theirs is None else theirs)):
        if true != answered:
            before = None if theirs is None else int(theirs[true, answered])
            yield Mistake(true=names[true], answered=names[answered], count=int(ours[true, answered]), baseline=before)


def figures_of(cases: Cases, rules: Sequence[Rule]) -> tuple[Figure, ...]:
    """Return the figures of scored ``cases``, in the order of scoring; no figures for no cases."""
    makers = _MAKERS.get(cases.kind, ()) if len(cases) else ()
    made = (make(cases, rules) for make in makers)
    return tuple(figure for figure in made if figure is not None)
