"""Truth and answers over time: one line a stretch's mean each, or a band where answers are intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pilotbase.charts.drawing import Anchor, Drawing, Point, width_of
from pilotbase.charts.histogram import format_time
from pilotbase.charts.numbers import format_ticks
from pilotbase.charts.scales import Scale, around
from pilotbase.charts.themes import LIGHT, Theme
from pilotbase.documents.figures import TimeCourse, TimePoint
from pilotbase.documents.texts import Language, text

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 260, 64, 626, 40, 212
_LABELLED: tuple[tuple[float, Anchor], ...] = ((0, "start"), (0.5, "middle"), (1, "end"))
"""Where an axis of times is labelled."""
_SHORT = 3 * 86_400
"""Seconds up to which an axis of times tells the minute."""


def time_chart(figure: TimeCourse, language: Language, theme: Theme = LIGHT) -> str:
    """Return the course as SVG; truth solid, answers dashed or a band."""
    title = text("picture.time.title").render(language)
    points = figure.points
    drawing = Drawing(WIDTH, HEIGHT, title, _described(figure), theme.paper)
    across = Scale(points[0].at, points[-1].at, LEFT, RIGHT)
    values = [value for point in points for value in (point.truth, *_answers(point))]
    up = Scale(*around(values), BOTTOM, TOP)
    _draw_axes(drawing, figure, across, up, theme)
    for part in _unbroken(points, lambda point: point.lower is not None):
        lower = [(across(point.at), up(point.lower or 0)) for point in part]
        upper = [(across(point.at), up(point.upper or 0)) for point in part]
        drawing.polygon([*upper, *reversed(lower)], theme.soft, theme.strong)
    drawing.path([(across(point.at), up(point.truth)) for point in points], theme.ink, 2)
    for part in _unbroken(points, lambda point: point.answered is not None):
        drawing.path([(across(point.at), up(point.answered or 0)) for point in part], theme.strong, 2.5, "6 4")
    _draw_legend(drawing, any(point.lower is not None for point in points), language, theme)
    return drawing.to_svg()


def format_at(figure: TimeCourse, at: float) -> str:
    """Return a time of the course as people read it."""
    short = figure.points[-1].at - figure.points[0].at <= _SHORT
    return format_time(at, short) if figure.seconds else f"{at:g}"


def _answers(point: TimePoint) -> list[float]:
    return [value for value in (point.answered, point.lower, point.upper) if value is not None]


def _unbroken(points: Sequence[TimePoint], told: Callable[[TimePoint], bool]) -> list[list[TimePoint]]:
    """Return runs of neighbouring points with an answer."""
    runs: list[list[TimePoint]] = [[]]
    for point in points:
        if told(point):
            runs[-1].append(point)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _draw_axes(drawing: Drawing, figure: TimeCourse, across: Scale, up: Scale, theme: Theme) -> None:
    ticks = up.ticks(6)
    for tick, label in zip(ticks, format_ticks(ticks), strict=True):
        drawing.line((LEFT, up(tick)), (RIGHT, up(tick)), theme.line)
        drawing.text((LEFT - 6, up(tick) + 4), label, anchor="end", colour=theme.muted, size=11)
    drawing.line((LEFT, BOTTOM), (RIGHT, BOTTOM), theme.muted)
    begins, ends = figure.points[0].at, figure.points[-1].at
    for share, anchor in _LABELLED:
        label = format_at(figure, begins + share * (ends - begins))
        x = LEFT + share * (RIGHT - LEFT)
        drawing.text((x, BOTTOM + 18), label, anchor=anchor, colour=theme.muted, size=11)


def _draw_legend(drawing: Drawing, banded: bool, language: Language, theme: Theme) -> None:
    truth, answer = (text(f"picture.time.{name}").render(language) for name in ("truth", "answer"))
    second: Point = (LEFT + 34 + width_of(truth) + 28, 20)
    drawing.line((LEFT, 16), (LEFT + 26, 16), theme.ink, 2)
    drawing.text((LEFT + 34, 20), truth, colour=theme.ink)
    if banded:
        drawing.rectangle((second[0], 10), (26, 12), theme.soft, outline=theme.strong)
    else:
        drawing.line((second[0], 16), (second[0] + 26, 16), theme.strong, 2.5, "6 4")
    drawing.text((second[0] + 34, 20), answer, colour=theme.ink)


def _described(figure: TimeCourse) -> str:
    return "; ".join(
        f"{format_at(figure, point.at)}: {point.truth:.4g} / {_spelled(_answers(point))}" for point in figure.points
    )


def _spelled(values: Sequence[float]) -> str:
    return " … ".join(f"{value:.4g}" for value in values) or "–"
