"""Groups side by side: a part of a whole each, and the target where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pilotbase.charts.drawing import Drawing, width_of
from pilotbase.charts.numbers import format_count
from pilotbase.charts.scales import Scale
from pilotbase.charts.themes import LIGHT, Theme
from pilotbase.documents.texts import Language, text

WIDTH, ROW, BAR, TOP = 560, 36, 18, 34
LEFT, RIGHT, END = 212, 470, 552
_BOLD = 1.2
"""How much wider the bold numbers are than `width_of` says of text of the usual size."""


@dataclass(frozen=True)
class Bar:
    """One group: how many, how many of them came through, and what was aimed at."""

    name: str
    whole: int
    part: int
    target: int | None = None


@dataclass(frozen=True)
class Legend:
    """What whole, part and the chart itself are called."""

    title: str
    whole: str
    part: str


def bar_chart(bars: Sequence[Bar], legend: Legend, language: Language, theme: Theme = LIGHT) -> str:
    """Return the groups as SVG in the order given: the part over the whole, a mark at the target."""
    return _drawn(tuple(bars), legend, language, theme)


@lru_cache(maxsize=64)
def _drawn(bars: tuple[Bar, ...], legend: Legend, language: Language, theme: Theme) -> str:
    described = "; ".join(_described(bar, legend, language) for bar in bars)
    drawing = Drawing(WIDTH, TOP + ROW * len(bars) + 4, legend.title, described, theme.paper)
    _draw_legend(drawing, bars, legend, language, theme)
    most = max([1, *(max(bar.whole, bar.part, bar.target or 0) for bar in bars)])
    widest = max((width_of(_numbers(bar)) for bar in bars), default=0)
    scale = Scale(0, most, LEFT, min(RIGHT, END - _BOLD * widest - 12))
    for index, bar in enumerate(bars):
        _draw_bar(drawing, bar, scale, TOP + ROW * index, theme)
    return drawing.to_svg()


def _described(bar: Bar, legend: Legend, language: Language) -> str:
    said = f"{bar.name}: {legend.whole} {format_count(bar.whole)}, {legend.part} {format_count(bar.part)}"
    aim = text("chart.bars.target").render(language)
    return said if bar.target is None else f"{said}, {aim} {format_count(bar.target)}"


def _draw_legend(drawing: Drawing, bars: tuple[Bar, ...], legend: Legend, language: Language, theme: Theme) -> None:
    x = float(LEFT)
    for name, colour in ((legend.whole, theme.soft), (legend.part, theme.strong)):
        drawing.rectangle((x, 6), (12, 12), colour, rounding=2)
        drawing.text((x + 18, 16), name, colour=theme.muted)
        x += 38 + width_of(name)
    if any(bar.target is not None for bar in bars):
        drawing.line((x + 4, 4), (x + 4, 20), theme.goal, 3)
        drawing.text((x + 14, 16), text("chart.bars.target").render(language), colour=theme.muted)


def _draw_bar(drawing: Drawing, bar: Bar, scale: Scale, top: float, theme: Theme) -> None:
    y = top + (ROW - BAR) / 2
    drawing.text((LEFT - 12, y + 14), bar.name, anchor="end", colour=theme.ink, size=13)
    drawing.line((LEFT, top + ROW), (END, top + ROW), theme.line)
    drawing.rectangle((LEFT, y), (scale(bar.whole) - LEFT, BAR), theme.soft, rounding=3)
    drawing.rectangle((LEFT, y), (scale(bar.part) - LEFT, BAR), theme.strong, rounding=3)
    if bar.target is not None:
        drawing.line((scale(bar.target), y - 5), (scale(bar.target), y + BAR + 5), theme.goal, 3)
    drawing.text((END, y + 14), _numbers(bar), anchor="end", colour=theme.ink, bold=True, size=13)


def _numbers(bar: Bar) -> str:
    return f"{format_count(bar.part)} / {format_count(bar.whole)}"
