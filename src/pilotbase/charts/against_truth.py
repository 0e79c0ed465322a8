"""Answers against truth: numbers as a grid, by intervals and over time; probabilities by how often they come true."""

import math

from pilotbase.charts.columns import format_time
from pilotbase.charts.drawing import (
    BLUE,
    DEEPEST,
    INK,
    MUTED,
    PALE_BLUE,
    PAPER,
    Anchor,
    Drawing,
    Point,
    shortened,
    unbroken,
    width_of,
)
from pilotbase.charts.scales import Frame, Scale, around, format_count
from pilotbase.documents.figures import AgainstTruth, Calibration, Intervals, Probabilities, TimeCourse, TimePoint
from pilotbase.documents.texts import Language, text

_GRID = Frame(380, 346, left=72, right=366, top=30, bottom=288)
_INTERVALS = Frame(380, 260, left=64, right=366, top=34, bottom=212)
_TIME = Frame(640, 260, left=64, right=626, top=40, bottom=212)
_LEAST = 0.25
"""Depth of a square with one case: it is seen."""


def answer_grid(figure: AgainstTruth, language: Language) -> str:
    """Return the grid as SVG."""
    title = text("picture.against_truth.title").render(language)
    drawing = Drawing(_GRID.width, _GRID.height, title, _grid_described(figure))
    high = figure.low + figure.step * figure.size
    across, up = _GRID.across(figure.low, high), _GRID.up(figure.low, high)
    names = (text("picture.against_truth.across").render(language), text("picture.against_truth.up").render(language))
    draw_square(drawing, across, up, names)
    most = max((count for _, _, count in figure.cells), default=1)
    wide, tall = (_GRID.right - _GRID.left) / figure.size, (_GRID.bottom - _GRID.top) / figure.size
    for true, answered, count in figure.cells:
        share = _LEAST + (1 - _LEAST) * math.log(count) / (math.log(most) or 1)
        corner = (_GRID.left + wide * true, _GRID.bottom - tall * (answered + 1))
        drawing.rectangle(corner, (wide, tall), BLUE, outline=BLUE, deep=DEEPEST * share)
    drawing.line((_GRID.left, _GRID.bottom), (_GRID.right, _GRID.top), INK, 1.5, "5 4")
    key = text("picture.against_truth.deepest", cases=format_count(most)).render(language)
    drawing.text((_GRID.left, _GRID.height - 6), key, colour=MUTED, size=11)
    return drawing.to_svg()


def _grid_described(figure: AgainstTruth) -> str:
    """Return the fullest squares, first the fullest."""
    fullest = sorted(figure.cells, key=lambda cell: -cell[2])[:20]
    begins = [f"{figure.low + figure.step * place:.4g}" for place in range(figure.size)]
    return "; ".join(f"{begins[true]} → {begins[answered]}: {count}" for true, answered, count in fullest)


def interval_chart(figure: Intervals, language: Language) -> str:
    """Return a bar a group from mean lower to mean upper end with the mean truth across it; "" without a group."""
    if not figure.groups:
        return ""
    title = text("picture.intervals.title").render(language)
    described = "; ".join(f"{one.truth:.4g}: {one.lower:.4g} … {one.upper:.4g}" for one in figure.groups)
    drawing = Drawing(_INTERVALS.width, _INTERVALS.height, title, described)
    values = [value for one in figure.groups for value in (one.truth, one.lower, one.upper)]
    up = _INTERVALS.up(*around(values))
    drawing.up_ticks(up, (_INTERVALS.left, _INTERVALS.right), 6)
    wide = (_INTERVALS.right - _INTERVALS.left) / len(figure.groups)
    for place, one in enumerate(figure.groups):
        left, bar = _INTERVALS.left + wide * place + wide * 0.2, wide * 0.6
        top, tall = up(max(one.lower, one.upper)), abs(up(one.lower) - up(one.upper))
        drawing.rectangle((left, top), (bar, max(tall, 1)), PALE_BLUE, outline=BLUE)
        drawing.line((left - wide * 0.12, up(one.truth)), (left + bar + wide * 0.12, up(one.truth)), INK, 2.5)
    drawing.text((4, 16), text("picture.intervals.key").render(language), colour=MUTED)
    ordered = text("picture.intervals.across").render(language) + " →"
    drawing.text((_INTERVALS.right, _INTERVALS.bottom + 20), ordered, anchor="end", colour=MUTED)
    return drawing.to_svg()


def coverage_chart(figure: Intervals, language: Language, stop: int | None = None) -> str:
    """Return the share of covered cases after so many as SVG; ``stop``: after how many of them scoring stopped."""
    last = figure.coverage[-1]
    title = text("picture.coverage.title").render(language)
    described = text("picture.coverage.description", cases=last.cases, share=f"{last.covered / last.cases:.3f}")
    drawing = Drawing(_INTERVALS.width, _INTERVALS.height, title, described.render(language))
    shares = [one.covered / one.cases for one in figure.coverage]
    across, up = _INTERVALS.across(0, last.cases), _INTERVALS.up(*around([*shares, 1.0], (0, 1)))
    drawing.up_ticks(up, (_INTERVALS.left, _INTERVALS.right), 6)
    for tick in across.ticks(4):
        place, cases = (across(tick), _INTERVALS.bottom + 16), format_count(round(tick))
        drawing.text(place, cases, anchor="middle", colour=MUTED, size=11)
    if stop is not None:
        drawing.line((across(stop), _INTERVALS.top), (across(stop), _INTERVALS.bottom), INK, 1.5, "6 4")
        label, left = text("picture.coverage.stop").render(language), stop > last.cases / 2
        place = (across(stop) + (-4 if left else 4), _INTERVALS.bottom - 8)
        drawing.text(place, label, anchor="end" if left else "start", colour=INK)
    points = [(across(one.cases), up(share)) for one, share in zip(figure.coverage, shares, strict=True)]
    drawing.path(points, BLUE, 2)
    drawing.circle(points[-1], 4, BLUE)
    drawing.text((points[-1][0], points[-1][1] - 10), f"{shares[-1]:.3f}", anchor="end", colour=INK, bold=True)
    drawing.text((4, 16), "↑ " + text("picture.coverage.up").render(language), colour=MUTED)
    axis = text("chart.cases_scored" if stop is None else "picture.coverage.across").render(language) + " →"
    drawing.text((_INTERVALS.right, _INTERVALS.bottom + 38), axis, anchor="end", colour=MUTED)
    return drawing.to_svg()


_LABELLED: tuple[tuple[float, Anchor], ...] = ((0, "start"), (0.5, "middle"), (1, "end"))
"""Where an axis of times is labelled."""
_SHORT = 3 * 86_400
"""Seconds up to which a time axis shows minutes."""


def time_chart(figure: TimeCourse, language: Language) -> str:
    """Return the course as SVG; truth solid, answers dashed or a band."""
    title = text("picture.time.title").render(language)
    points = figure.points
    answers = [(one, " … ".join(f"{value:.4g}" for value in _answers(one))) for one in points]
    told = (f"{format_at(figure, one.at)}: {one.truth:.4g} / {answer or '–'}" for one, answer in answers)
    drawing = Drawing(_TIME.width, _TIME.height, title, "; ".join(told))
    across = _TIME.across(points[0].at, points[-1].at)
    values = [value for point in points for value in (point.truth, *_answers(point))]
    up = _TIME.up(*around(values))
    _draw_axes(drawing, figure, across, up)
    for part in unbroken(None if point.lower is None else point for point in points):
        lower = [(across(point.at), up(point.lower or 0)) for point in part]
        upper = [(across(point.at), up(point.upper or 0)) for point in part]
        drawing.polygon([*upper, *reversed(lower)], PALE_BLUE, BLUE)
    drawing.path([(across(point.at), up(point.truth)) for point in points], INK, 2)
    for part in unbroken(None if point.answered is None else point for point in points):
        drawing.path([(across(point.at), up(point.answered or 0)) for point in part], BLUE, 2.5, "6 4")
    _draw_legend(drawing, any(point.lower is not None for point in points), language)
    return drawing.to_svg()


def format_at(figure: TimeCourse, at: float) -> str:
    """Return a time of the course as people read it."""
    short = figure.points[-1].at - figure.points[0].at <= _SHORT
    return format_time(at, short) if figure.seconds else f"{at:g}"


def _answers(point: TimePoint) -> list[float]:
    return [value for value in (point.answered, point.lower, point.upper) if value is not None]


def _draw_axes(drawing: Drawing, figure: TimeCourse, across: Scale, up: Scale) -> None:
    drawing.up_ticks(up, (_TIME.left, _TIME.right), 6)
    drawing.line((_TIME.left, _TIME.bottom), (_TIME.right, _TIME.bottom), MUTED)
    begins, ends = figure.points[0].at, figure.points[-1].at
    for share, anchor in _LABELLED:
        label = format_at(figure, begins + share * (ends - begins))
        x = _TIME.left + share * (_TIME.right - _TIME.left)
        drawing.text((x, _TIME.bottom + 18), label, anchor=anchor, colour=MUTED, size=11)


def _draw_legend(drawing: Drawing, banded: bool, language: Language) -> None:
    truth, answer = (text(f"picture.time.{name}").render(language) for name in ("truth", "answer"))
    second: Point = (_TIME.left + 34 + width_of(truth) + 28, 20)
    drawing.line((_TIME.left, 16), (_TIME.left + 26, 16), INK, 2)
    drawing.text((_TIME.left + 34, 20), truth, colour=INK)
    if banded:
        drawing.rectangle((second[0], 10), (26, 12), PALE_BLUE, outline=BLUE)
    else:
        drawing.line((second[0], 16), (second[0] + 26, 16), BLUE, 2.5, "6 4")
    drawing.text((second[0] + 34, 20), answer, colour=INK)


_CALIBRATION = Frame(380, 330, left=58, right=362, top=30, bottom=272)
_HISTOGRAMS, _MIDDLE = Frame(380, 268, left=14, right=366, top=34, bottom=210), 122
_SMALLEST, _LARGEST = 3.5, 10.0


def calibration_chart(figure: Calibration, language: Language) -> str:
    """Return the diagram as SVG: a disc a bin, as large as its cases are many, against the diagonal."""
    title = text("picture.calibration.title", label=figure.label).render(language)
    filled = [one for one in figure.bins if one.cases]
    known = [(one.answered, one.hits / one.cases, one.cases) for one in filled if one.answered is not None]
    described = "; ".join(f"{given:.3g} → {true:.3g} ({format_count(cases)})" for given, true, cases in known)
    drawing = Drawing(_CALIBRATION.width, _CALIBRATION.height, title, described)
    across, up = _CALIBRATION.across(0, 1), _CALIBRATION.up(0, 1)
    names = (text("picture.calibration.across").render(language), text("picture.calibration.up").render(language))
    draw_square(drawing, across, up, names)
    drawing.line((across(0), up(0)), (across(1), up(1)), MUTED, 1.5, "5 4")
    most = max((one.cases for one in figure.bins), default=1) or 1
    drawing.path([(across(given), up(true)) for given, true, _ in known], BLUE, 1.5)
    for given, true, cases in known:
        radius = max(_SMALLEST, _LARGEST * (cases / most) ** 0.5)
        drawing.circle((across(given), up(true)), radius, BLUE, PAPER, 1.5)
    return drawing.to_svg()


def draw_square(drawing: Drawing, across: Scale, up: Scale, names: tuple[str, str]) -> None:
    """Draw a plot of two like axes, each with its name."""
    drawing.across_ticks(across, (up.end, up.start))
    drawing.up_ticks(up, (across.start, across.end))
    drawing.text((4, 14), f"↑ {names[1]}", colour=MUTED)
    drawing.text((across.end, up.start + 38), f"{names[0]} →", anchor="end", colour=MUTED)


_LABEL = 90.0
"""Room for the name of a class in a sentence."""


def probability_chart(figure: Probabilities, language: Language) -> str:
    """Return both histograms as SVG, to one scale."""
    title = text("picture.probabilities.title", label=figure.label).render(language)
    pairs = list(zip(figure.members, figure.others, strict=True))
    told = (f"{at / len(pairs):.2f}: {above} / {below}" for at, (above, below) in enumerate(pairs) if above or below)
    drawing = Drawing(_HISTOGRAMS.width, _HISTOGRAMS.height, title, "; ".join(told))
    across = _HISTOGRAMS.across(0, 1)
    most = max(*figure.members, *figure.others, 1)
    drawing.across_ticks(across, (_HISTOGRAMS.top, _HISTOGRAMS.bottom))
    for counts, fill, sign in ((figure.members, BLUE, -1), (figure.others, PALE_BLUE, 1)):
        for place, count in enumerate(counts):
            left, right = across(place / len(counts)), across((place + 1) / len(counts))
            height = (_MIDDLE - _HISTOGRAMS.top) * count / most
            corner = (left + 0.5, _MIDDLE - height if sign < 0 else _MIDDLE)
            drawing.rectangle(corner, (right - left - 1, height), fill, outline=BLUE)
    drawing.line((_HISTOGRAMS.left, _MIDDLE), (_HISTOGRAMS.right, _MIDDLE), INK)
    for name, counts, y in (("members", figure.members, 18), ("others", figure.others, _HISTOGRAMS.height - 10)):
        words = {"label": shortened(figure.label, _LABEL), "cases": format_count(sum(counts))}
        said = text(f"picture.probabilities.{name}", **words, most=format_count(max(counts))).render(language)
        drawing.text((_HISTOGRAMS.left, y), said, colour=INK)
    return drawing.to_svg()
