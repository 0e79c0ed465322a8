"""The path of a detector: its evidence on a logarithmic scale against the line at which its colour is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import log10

from pilotbase.charts.drawing import Drawing
from pilotbase.charts.numbers import format_count, format_number
from pilotbase.charts.palette import BLUE, LINE, MUTED, PAPER
from pilotbase.charts.scales import Scale
from pilotbase.charts.warning_colours import FILLS
from pilotbase.documents.moments import format_day, format_second
from pilotbase.documents.texts import Language, Text, text
from pilotbase.documents.vocabularies import Colour

WIDTH, HEIGHT = 640, 250
LEFT, RIGHT, TOP, BOTTOM = 64, 616, 46, 198
_DAY = timedelta(days=1)
_LEAST, _MOST = 1.25, 2.5
"""The scale reaches at least and at most so far, in shares of the level: the line is inside, and can be told from 1."""


@dataclass(frozen=True)
class WatchedPoint:
    """Where a detector stood: ``value`` is log(evidence) / log(level)."""

    at: datetime
    seen: int
    value: float
    colour: Colour


@dataclass(frozen=True)
class WatchedPath:
    """A detector's points, oldest first, and the evidence at which it takes the colour ``high``."""

    name: str
    points: Sequence[WatchedPoint]
    high: Colour
    level: float | None = None
    """None: the scale has no evidence of its own, and shares of the level are written."""


def watch_path_chart(path: WatchedPath, language: Language) -> str:
    """Return the path as SVG, by how much was read; "" for one that has read nothing."""
    if not path.points:
        return ""
    last, high = path.points[-1], Text(code=f"colour.{path.high}").render(language)
    title = text("chart.watch.title", detector=path.name).render(language)
    described = text(
        "chart.watch.description", seen=last.seen, value=f"{last.value:.2f}", colour=Text(code=f"colour.{last.colour}")
    )
    drawing = Drawing(WIDTH, HEIGHT, title, described.render(language))
    across = Scale(0, max(last.seen, 1), LEFT, RIGHT)
    highest = max(point.value for point in path.points)
    up = Scale(0, min(max(_LEAST, highest), _MOST), BOTTOM, TOP)
    _draw_axes(drawing, path, across, up, language)
    drawing.line((LEFT, up(1)), (RIGHT, up(1)), FILLS[path.high], 2, "6 4")
    drawing.text((LEFT + 6, up(1) - 6), high, colour=FILLS[path.high], bold=True)
    points = [(across(point.seen), up(max(point.value, 0))) for point in path.points]
    drawing.path([(LEFT, up(0)), *points], BLUE)
    _draw_clipped(drawing, path, across, up, language)
    _draw_turns(drawing, path, across, up, language)
    return drawing.to_svg()


def _draw_axes(drawing: Drawing, path: WatchedPath, across: Scale, up: Scale, language: Language) -> None:
    ticks = across.ticks(4)
    drawing.bottom_axis([across(tick) for tick in ticks], [format_count(round(tick)) for tick in ticks], TOP, BOTTOM)
    drawing.line((LEFT, BOTTOM), (RIGHT, BOTTOM), LINE)
    for value in (0.0, 0.5, 1.0):
        label = format_number(value) if path.level is None else format_number(path.level**value)
        drawing.text((LEFT - 8, up(value) + 4), label, anchor="end", colour=MUTED)
    drawing.text((8, 16), _upright_name(path).render(language), colour=MUTED)
    first, last = _spelled(path)
    axis = text("chart.watch.axis", first=first, last=last).render(language)
    drawing.text(((LEFT + RIGHT) / 2, BOTTOM + 40), axis, anchor="middle", colour=MUTED)


def _upright_name(path: WatchedPath) -> Text:
    """Return what is measured upwards, and at which of it the line stands."""
    colour = Text(code=f"colour.{path.high}")
    if path.level is None:
        return text("chart.watch.share", colour=colour)
    return text("chart.watch.evidence", colour=colour, level=f"{path.level:.4g}", alpha=f"{1 / path.level:.4g}")


def _spelled(path: WatchedPath) -> tuple[str, str]:
    """Return the first and the last moment: days, or hours and seconds where all lies within one."""
    first, last = path.points[0].at, path.points[-1].at
    begins = format_second(first, zone=False) if _is_short(path) else format_day(first)
    return begins, _short(last, path)


def _short(at: datetime, path: WatchedPath) -> str:
    return f"{at:%H:%M:%S UTC}" if _is_short(path) else format_day(at)


def _is_short(path: WatchedPath) -> bool:
    return path.points[-1].at - path.points[0].at < _DAY


def _draw_clipped(drawing: Drawing, path: WatchedPath, across: Scale, up: Scale, language: Language) -> None:
    """Say how far a path goes on above the paper, where it does, with a mark at its first and its highest point."""
    above = [point for point in path.points if point.value > up.high]
    if not above:
        return
    highest = max(above, key=lambda point: point.value)
    for x in {across(point.seen) for point in (above[0], highest)}:
        drawing.polygon([(x - 6, TOP), (x + 6, TOP), (x, TOP - 9)], BLUE)
    reached = f"{highest.value:.1f}" if path.level is None else f"10^{highest.value * log10(path.level):.1f}"
    said = text("chart.watch.above", reached=reached).render(language)
    beyond = across(highest.seen) > (LEFT + RIGHT) / 2
    place = (across(highest.seen) + (-10 if beyond else 10), TOP - 12)
    drawing.text(place, said, anchor="end" if beyond else "start", colour=BLUE, bold=True)


def _draw_turns(drawing: Drawing, path: WatchedPath, across: Scale, up: Scale, language: Language) -> None:
    """Mark where the detector took another colour, with the word beside it."""
    beginning = WatchedPoint(path.points[0].at, 0, 0, Colour.GREEN)
    for before, point in pairwise([beginning, *path.points]):
        if point.colour is not before.colour:
            place = (across(point.seen), up(max(point.value, 0)))
            drawing.circle(place, 5, PAPER, FILLS[point.colour])
            word = Text(code=f"colour.{point.colour}").render(language)
            beyond = place[0] > (LEFT + RIGHT) / 2
            drawing.text(
                (place[0] + (-9 if beyond else 9), place[1] + 14),
                f"{word} · {_short(point.at, path)}",
                anchor="end" if beyond else "start",
                colour=FILLS[point.colour],
                bold=True,
            )
