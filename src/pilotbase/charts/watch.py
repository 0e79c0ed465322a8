"""Charts of a watch: a detector's evidence against the line of its colour, and drift by column over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import log10

from pilotbase.charts.drawing import BLUE, DEEP_BLUE, FILLS, INKS, LINE, MUTED, PAPER, Drawing, width_of
from pilotbase.charts.scales import Scale, format_count, format_number
from pilotbase.documents.moments import format_day, format_minute, format_second
from pilotbase.documents.texts import Language, Text, text
from pilotbase.documents.vocabularies import Colour

WIDTH, HEIGHT = 640, 250
PATH_LEFT, PATH_RIGHT, PATH_TOP, BOTTOM = 64, 616, 46, 198
_DAY = timedelta(days=1)
_LEAST, _MOST = 1.25, 2.5
"""Smallest and largest extent of the scale, in shares of the level: the line is inside, and distinguishable from 1."""


@dataclass(frozen=True)
class WatchedPoint:
    """Where a detector stood: ``value`` is log(evidence) / log(level)."""

    at: datetime
    seen: int
    value: float
    colour: Colour


@dataclass(frozen=True)
class WatchedPath:
    """A detector's points, oldest first, and the evidence at which it turns ``high``."""

    name: str
    points: Sequence[WatchedPoint]
    high: Colour
    level: float | None = None
    """None: the scale has no evidence of its own, so it shows shares of the level."""


def watch_path_chart(path: WatchedPath, language: Language) -> str:
    """Return the path as SVG, by number of observations; "" for a detector that has read none."""
    if not path.points:
        return ""
    last, high = path.points[-1], Text(code=f"colour.{path.high}").render(language)
    title = text("chart.watch.title", detector=path.name).render(language)
    described = text(
        "chart.watch.description", seen=last.seen, value=f"{last.value:.2f}", colour=Text(code=f"colour.{last.colour}")
    )
    drawing = Drawing(WIDTH, HEIGHT, title, described.render(language))
    across = Scale(0, max(last.seen, 1), PATH_LEFT, PATH_RIGHT)
    highest = max(point.value for point in path.points)
    up = Scale(0, min(max(_LEAST, highest), _MOST), BOTTOM, PATH_TOP)
    _draw_axes(drawing, path, across, up, language)
    drawing.line((PATH_LEFT, up(1)), (PATH_RIGHT, up(1)), FILLS[path.high], 2, "6 4")
    drawing.text((PATH_LEFT + 6, up(1) - 6), high, colour=INKS[path.high], bold=True)
    points = [(across(point.seen), up(max(point.value, 0))) for point in path.points]
    drawing.path([(PATH_LEFT, up(0)), *points], BLUE)
    _draw_clipped(drawing, path, across, up, language)
    _draw_turns(drawing, path, across, up, language)
    return drawing.to_svg()


def _draw_axes(drawing: Drawing, path: WatchedPath, across: Scale, up: Scale, language: Language) -> None:
    drawing.bottom_axis(across, (PATH_TOP, BOTTOM), lambda tick: format_count(round(tick)))
    drawing.line((PATH_LEFT, BOTTOM), (PATH_RIGHT, BOTTOM), LINE)
    for value in (0.0, 0.5, 1.0):
        label = format_number(value) if path.level is None else format_number(path.level**value)
        drawing.text((PATH_LEFT - 8, up(value) + 4), label, anchor="end", colour=MUTED)
    drawing.text((8, 16), _upright_name(path).render(language), colour=MUTED)
    begins = path.points[0].at
    first = format_second(begins, zone=False) if _is_short(path) else format_day(begins)
    axis = text("chart.watch.axis", first=first, last=_short(path.points[-1].at, path)).render(language)
    drawing.text(((PATH_LEFT + PATH_RIGHT) / 2, BOTTOM + 40), axis, anchor="middle", colour=MUTED)


def _upright_name(path: WatchedPath) -> Text:
    """Return the name of the vertical axis, and the value of the line on it."""
    colour = Text(code=f"colour.{path.high}")
    if path.level is None:
        return text("chart.watch.share", colour=colour)
    return text("chart.watch.evidence", colour=colour, level=f"{path.level:.4g}", alpha=f"{1 / path.level:.4g}")


def _short(at: datetime, path: WatchedPath) -> str:
    """Return a moment as its day, or as hours and seconds if all are within one day."""
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
        drawing.polygon([(x - 6, PATH_TOP), (x + 6, PATH_TOP), (x, PATH_TOP - 9)], BLUE)
    reached = f"{highest.value:.1f}" if path.level is None else f"10^{highest.value * log10(path.level):.1f}"
    said = text("chart.watch.above", reached=reached).render(language)
    beyond = across(highest.seen) > (PATH_LEFT + PATH_RIGHT) / 2
    place = (across(highest.seen) + (-10 if beyond else 10), PATH_TOP - 12)
    drawing.text(place, said, anchor="end" if beyond else "start", colour=DEEP_BLUE, bold=True)


def _draw_turns(drawing: Drawing, path: WatchedPath, across: Scale, up: Scale, language: Language) -> None:
    """Mark where the detector took another colour, with the word beside it."""
    beginning = WatchedPoint(path.points[0].at, 0, 0, Colour.GREEN)
    for before, point in pairwise([beginning, *path.points]):
        if point.colour is not before.colour:
            place = (across(point.seen), up(max(point.value, 0)))
            drawing.circle(place, 5, PAPER, FILLS[point.colour])
            said = f"{Text(code=f'colour.{point.colour}').render(language)} · {_short(point.at, path)}"
            beyond = place[0] > (PATH_LEFT + PATH_RIGHT) / 2
            beside, colour = (place[0] + (-9 if beyond else 9), place[1] + 14), INKS[point.colour]
            drawing.text(beside, said, anchor="end" if beyond else "start", colour=colour, bold=True)


DRIFT_LEFT, DRIFT_RIGHT, DRIFT_TOP, ROW = 168, 616, 22, 22
_STRIP, _NARROWEST = 12, 3.0


@dataclass(frozen=True)
class Spell:
    """How long a column had a colour."""

    begins: datetime
    ends: datetime
    colour: Colour


@dataclass(frozen=True)
class DriftStrip:
    """A column and the periods in which it wasn't green, oldest first."""

    column: str
    spells: Sequence[Spell]


def drift_chart(strips: Sequence[DriftStrip], begins: datetime, ends: datetime, language: Language) -> str:
    """Return the strips as SVG from ``begins`` to ``ends``; "" without a column."""
    if not strips:
        return ""
    title = text("chart.drift.title").render(language)
    bottom = DRIFT_TOP + ROW * len(strips)
    drawing = Drawing(640, bottom + 34, title, _description(strips, language))
    whole = max((ends - begins).total_seconds(), 1.0)
    for row, strip in enumerate(strips):
        top = DRIFT_TOP + ROW * row
        drawing.text((DRIFT_LEFT - 10, top + _STRIP), _cut(strip.column), anchor="end")
        drawing.rectangle((DRIFT_LEFT, top + 2), (DRIFT_RIGHT - DRIFT_LEFT, _STRIP), LINE, rounding=2)
        for spell in strip.spells:
            left = DRIFT_LEFT + (DRIFT_RIGHT - DRIFT_LEFT) * (spell.begins - begins).total_seconds() / whole
            right = DRIFT_LEFT + (DRIFT_RIGHT - DRIFT_LEFT) * (spell.ends - begins).total_seconds() / whole
            place = (max(min(left, DRIFT_RIGHT - _NARROWEST), DRIFT_LEFT), top + 2)
            drawing.rectangle(place, (max(right - place[0], _NARROWEST), _STRIP), FILLS[spell.colour], rounding=2)
        _draw_word(drawing, strip, top, language)
    drawing.text((DRIFT_LEFT, bottom + 20), format_minute(begins, zone=False), colour=MUTED)
    drawing.text((DRIFT_RIGHT, bottom + 20), format_minute(ends), anchor="end", colour=MUTED)
    return drawing.to_svg()


def _draw_word(drawing: Drawing, strip: DriftStrip, top: float, language: Language) -> None:
    """Write the colour of the last period on the strip as a word: some readers can't distinguish colours."""
    if strip.spells:
        last = strip.spells[-1].colour
        word = Text(code=f"colour.{last}").render(language)
        drawing.text((DRIFT_LEFT + 6, top + _STRIP), word, colour=INKS[last], bold=True)


def _description(strips: Sequence[DriftStrip], language: Language) -> str:
    told = [
        text("chart.drift.column", column=strip.column, colour=Text(code=f"colour.{strip.spells[-1].colour}"))
        for strip in strips
        if strip.spells
    ]
    return "; ".join(one.render(language) for one in told) or text("chart.drift.none").render(language)


def _cut(name: str, room: float = DRIFT_LEFT - 20) -> str:
    while name and width_of(name) > room:
        name = name[:-1]
    return name
