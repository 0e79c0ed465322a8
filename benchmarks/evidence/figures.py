"""Figures of the evidence page, drawn with the product's own tools: light, labelled, the same on every machine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.evidence.contract import Row, Way
from pilotbase.charts.drawing import AMBER, BLUE, GREEN, HAIR, INK, LINE, MUTED, PALE_BLUE, RED, Drawing, width_of
from pilotbase.charts.scales import Scale

WIDTH = 760.0
COLOURS: dict[Way, str] = {"wrong": RED, "ours": BLUE, "fact": MUTED}
SERIES = (BLUE, RED, GREEN, AMBER, MUTED, INK)
_LEFT, _RIGHT, _ROW = 292.0, 560.0, 26.0
_TICKS = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0)


def shares_figure(title: str, rows: Sequence[Row], level: float | None) -> str:
    """Return the shares of runs with their simulation intervals against the promised ``level``."""
    shown = [row for row in rows if row.low is not None]
    top, bottom = 46.0, 46.0 + _ROW * len(shown)
    described = "; ".join(f"{row.label}: {row.value:.4f} of {row.runs} runs" for row in shown)
    drawing = Drawing(WIDTH, bottom + 66, title, described)
    drawing.text((0, 16), title, bold=True, size=13)
    _bottom_axis(drawing, [_at(tick) for tick in _TICKS], [f"{tick:g}" for tick in _TICKS], top, bottom)
    drawing.text((_RIGHT, bottom + 32), "share of runs (square-root scale)", anchor="end", colour=MUTED, size=11)
    if level is not None:
        drawing.line((_at(level), top - 4), (_at(level), bottom), INK, 1, "4 3")
        drawing.text((_at(level), top - 8), f"α = {level:g}", anchor="middle", size=11)
    for number, row in enumerate(shown):
        _share_row(drawing, top + _ROW * (number + 0.5), row)
    _legend(drawing, bottom + 56)
    return drawing.to_svg() + "\n"


def _bottom_axis(drawing: Drawing, places: Sequence[float], labels: Sequence[str], top: float, bottom: float) -> None:
    """Draw lines at places of our own choice, which are no ticks of a scale, and their labels below."""
    for place, label in zip(places, labels, strict=True):
        drawing.line((place, top), (place, bottom), HAIR)
        drawing.text((place, bottom + 16), label, anchor="middle", colour=MUTED)


def _at(share: float) -> float:
    return _LEFT + (_RIGHT - _LEFT) * math.sqrt(min(max(share, 0.0), 1.0))


def _share_row(drawing: Drawing, y: float, row: Row) -> None:
    assert row.low is not None
    assert row.high is not None
    drawing.text((_LEFT - 10, y + 4), row.label, anchor="end", colour=INK)
    drawing.line((_at(row.low), y), (_at(row.high), y), COLOURS[row.way], 2)
    if row.target is not None:
        diamond(drawing, (_at(row.target), y), 6)
    mark(drawing, (_at(row.value), y), row.way)
    end = f"{spell_share(row.value)} in {row.runs:,} runs"
    drawing.text((_RIGHT + 12, y + 4), end, colour=COLOURS[row.way] if row.way != "fact" else INK)


def mark(drawing: Drawing, at: tuple[float, float], way: Way) -> None:
    """Draw the mark of ``way``: a square for the tempting way, a dot for ours, a small grey dot for a fact."""
    if way == "wrong":
        drawing.rectangle((at[0] - 4.5, at[1] - 4.5), (9, 9), RED)
    else:
        drawing.circle(at, 5 if way == "ours" else 4, COLOURS[way])


def diamond(drawing: Drawing, at: tuple[float, float], size: float) -> None:
    """Draw the hollow mark of a published figure."""
    x, y = at
    drawing.polygon([(x, y - size), (x + size, y), (x, y + size), (x - size, y)], "none", AMBER)


def _legend(drawing: Drawing, y: float) -> None:
    x = 0.0
    for way, words in (("wrong", "the tempting way"), ("ours", "the product"), ("fact", "for comparison")):
        mark(drawing, (x + 6, y - 4), way)  # type: ignore[arg-type]
        drawing.text((x + 16, y), words, colour=MUTED, size=11)
        x += 30 + width_of(words, 11)
    diamond(drawing, (x + 6, y - 4), 5)
    drawing.text((x + 16, y), "figure of the reference", colour=MUTED, size=11)
    x += 30 + width_of("figure of the reference", 11)
    drawing.line((x, y - 4), (x + 16, y - 4), MUTED, 2)
    drawing.text((x + 22, y), "99.7 % interval of the simulation", colour=MUTED, size=11)


@dataclass(frozen=True)
class Line:
    """One curve: points (x, y), or only marks if ``marks`` says so."""

    name: str
    points: tuple[tuple[float, float], ...]
    colour: str
    marks: bool = False


@dataclass(frozen=True)
class Axis:
    """An axis: its name, its range, its ticks with their labels."""

    name: str
    low: float
    high: float
    ticks: tuple[float, ...]
    logarithmic: bool = False
    labels: tuple[str, ...] = ()

    def spelled(self) -> Sequence[str]:
        return self.labels or [f"{tick:,.15g}" for tick in self.ticks]


def lines_figure(title: str, lines: Sequence[Line], across: Axis, up: Axis, level: float | None = None) -> str:
    """Return curves with their names at the right end, and a dashed ``level``."""
    left, right, top, bottom = 64.0, 560.0, 40.0, 300.0
    x = Scale(across.low, across.high, left, right, across.logarithmic)
    y = Scale(up.low, up.high, bottom, top, up.logarithmic)
    described = "; ".join(f"{line.name}: last {line.points[-1][1]:.4g}" for line in lines)
    drawing = Drawing(WIDTH, bottom + 44, title, described)
    drawing.text((0, 16), title, bold=True, size=13)
    _bottom_axis(drawing, [x(tick) for tick in across.ticks], list(across.spelled()), top, bottom)
    for tick, label in zip(up.ticks, up.spelled(), strict=True):
        drawing.line((left, y(tick)), (right, y(tick)), HAIR)
        drawing.text((left - 8, y(tick) + 4), label, anchor="end", colour=MUTED)
    drawing.line((left, bottom), (right, bottom), LINE)
    drawing.text((left, top - 10), up.name, colour=MUTED, size=11)
    drawing.text((right, bottom + 34), across.name, anchor="end", colour=MUTED, size=11)
    if level is not None:
        drawing.line((left, y(level)), (right, y(level)), INK, 1, "4 3")
    for line in lines:
        placed = [(x(a), y(b)) for a, b in line.points]
        if line.marks:
            for point in placed:
                diamond(drawing, point, 5)
        else:
            drawing.path(placed, line.colour)
    _names(drawing, [(line, y(line.points[-1][1])) for line in lines], right, bottom - 8)
    return drawing.to_svg() + "\n"


def _names(drawing: Drawing, ends: Sequence[tuple[Line, float]], right: float, lowest: float) -> None:
    """Write the names at the right, moved apart where the curves end close together."""
    ordered = sorted(ends, key=lambda end: end[1])
    places = [height for _, height in ordered]
    for number in range(1, len(places)):
        places[number] = max(places[number], places[number - 1] + 16)
    places = [min(place, lowest - 16 * (len(places) - 1 - number)) for number, place in enumerate(places)]
    for (line, _), last in zip(ordered, places, strict=True):
        if line.marks:
            diamond(drawing, (right + 14, last), 5)
        else:
            drawing.line((right + 6, last), (right + 20, last), line.colour, 3)
        drawing.text((right + 26, last + 4), line.name, size=11)


@dataclass(frozen=True)
class Bar:
    """A median with a range, a published figure beside it, and words at the right."""

    label: str
    value: float
    low: float
    high: float
    target: float | None
    words: str
    colour: str = BLUE


def ranges_figure(title: str, groups: Sequence[tuple[str, Sequence[Bar]]], across: Axis) -> str:
    """Return medians with ranges by group, on one axis."""
    left, right, top = 250.0, 570.0, 40.0
    count = sum(len(bars) for _, bars in groups)
    bottom = top + 20 * count + 26 * len(groups)
    x = Scale(across.low, across.high, left, right, across.logarithmic)
    drawing = Drawing(WIDTH, bottom + 44, title, "; ".join(f"{name}" for name, _ in groups))
    drawing.text((0, 16), title, bold=True, size=13)
    _bottom_axis(drawing, [x(tick) for tick in across.ticks], list(across.spelled()), top - 6, bottom)
    drawing.text((right, bottom + 34), across.name, anchor="end", colour=MUTED, size=11)
    y = top
    for name, bars in groups:
        drawing.text((0, y + 14), name, bold=True)
        y += 24
        for bar in bars:
            drawing.text((left - 10, y + 8), bar.label, anchor="end", size=11)
            drawing.line((x(bar.low), y + 4), (x(bar.high), y + 4), PALE_BLUE if bar.colour == BLUE else LINE, 8)
            if bar.target is not None:
                diamond(drawing, (x(bar.target), y + 4), 6)
            drawing.circle((x(bar.value), y + 4), 4, bar.colour)
            drawing.text((right + 12, y + 8), bar.words, size=11)
            y += 20
        y += 2
    return drawing.to_svg() + "\n"


def spell_share(value: float) -> str:
    """Return a share with as many digits as matter: 0, 0.0043, 0.18, 1."""
    if value == 0.0:
        return "0"
    return f"{value:.4f}" if value < 0.1 else f"{value:.3f}"
