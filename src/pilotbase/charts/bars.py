"""Horizontal bars: groups as parts of a whole with their targets, and names with one figure each."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pilotbase.charts.drawing import BLUE, HAIR, INK, LINE, MUTED, PALE_BLUE, Drawing, shortened, width_of
from pilotbase.charts.scales import Scale, format_count
from pilotbase.documents.texts import Language, text

BAR_WIDTH, BAR_ROW, BAR_HEIGHT, BAR_TOP = 560, 36, 18, 34
BAR_LEFT, RIGHT, BAR_END = 212, 470, 552
_BOLD = 1.2
"""How much wider the bold numbers are than `width_of` says of text of the usual size."""


@dataclass(frozen=True)
class Bar:
    """One group: its size, how many of it succeeded, and the target."""

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


@lru_cache(maxsize=64)
def bar_chart(bars: tuple[Bar, ...], legend: Legend, language: Language) -> str:
    """Return the groups as SVG in the order given: the part over the whole, a mark at the target."""
    described = "; ".join(_described(bar, legend, language) for bar in bars)
    drawing = Drawing(BAR_WIDTH, BAR_TOP + BAR_ROW * len(bars) + 4, legend.title, described)
    _draw_legend(drawing, bars, legend, language)
    most = max([1, *(max(bar.whole, bar.part, bar.target or 0) for bar in bars)])
    widest = max((width_of(_numbers(bar)) for bar in bars), default=0)
    scale = Scale(0, most, BAR_LEFT, min(RIGHT, BAR_END - _BOLD * widest - 12))
    for index, bar in enumerate(bars):
        _draw_bar(drawing, bar, scale, BAR_TOP + BAR_ROW * index)
    return drawing.to_svg()


def _described(bar: Bar, legend: Legend, language: Language) -> str:
    said = f"{bar.name}: {legend.whole} {format_count(bar.whole)}, {legend.part} {format_count(bar.part)}"
    aim = text("chart.bars.target").render(language)
    return said if bar.target is None else f"{said}, {aim} {format_count(bar.target)}"


def _draw_legend(drawing: Drawing, bars: tuple[Bar, ...], legend: Legend, language: Language) -> None:
    x = float(BAR_LEFT)
    for name, colour in ((legend.whole, PALE_BLUE), (legend.part, BLUE)):
        drawing.rectangle((x, 6), (12, 12), colour, rounding=2)
        drawing.text((x + 18, 16), name, colour=MUTED)
        x += 38 + width_of(name)
    if any(bar.target is not None for bar in bars):
        drawing.line((x + 4, 4), (x + 4, 20), INK, 3)
        drawing.text((x + 14, 16), text("chart.bars.target").render(language), colour=MUTED)


def _draw_bar(drawing: Drawing, bar: Bar, scale: Scale, top: float) -> None:
    y = top + (BAR_ROW - BAR_HEIGHT) / 2
    drawing.text((BAR_LEFT - 12, y + 14), bar.name, anchor="end", colour=INK, size=13)
    drawing.line((BAR_LEFT, top + BAR_ROW), (BAR_END, top + BAR_ROW), LINE)
    drawing.rectangle((BAR_LEFT, y), (scale(bar.whole) - BAR_LEFT, BAR_HEIGHT), PALE_BLUE, rounding=3)
    drawing.rectangle((BAR_LEFT, y), (scale(bar.part) - BAR_LEFT, BAR_HEIGHT), BLUE, rounding=3)
    if bar.target is not None:
        drawing.line((scale(bar.target), y - 5), (scale(bar.target), y + BAR_HEIGHT + 5), INK, 3)
    drawing.text((BAR_END, y + 14), _numbers(bar), anchor="end", colour=INK, bold=True, size=13)


def _numbers(bar: Bar) -> str:
    return f"{format_count(bar.part)} / {format_count(bar.whole)}"


RANKED_WIDTH, RANKED_LEFT, RANKED_END, RANKED_TOP, RANKED_ROW, RANKED_HEIGHT = 380, 124, 372, 8, 22, 13


@dataclass(frozen=True)
class RankedBar:
    """A name, its figure and how it is spelled; ``part`` of it is drawn darker."""

    name: str
    value: float
    said: str
    part: float | None = None


def ranked_chart(bars: Sequence[RankedBar], title: str, lines: Sequence[float] = (), most: float = 0.0) -> str:
    """Return the bars as SVG in the given order; "" without one. The longest is the largest figure, or ``most``."""
    if not bars:
        return ""
    described = "; ".join(f"{bar.name}: {bar.said}" for bar in bars)
    drawing = Drawing(RANKED_WIDTH, RANKED_TOP + RANKED_ROW * len(bars) + (22 if lines else 6), title, described)
    widest = max(width_of(bar.said) for bar in bars)
    largest = max(most, *(bar.value for bar in bars), *lines) or 1.0
    scale = Scale(0, largest, RANKED_LEFT, RANKED_END - widest - 14)
    bottom = RANKED_TOP + RANKED_ROW * len(bars)
    for line in lines:
        drawing.line((scale(line), RANKED_TOP - 4), (scale(line), bottom), MUTED, 1, "3 3")
        drawing.text((scale(line), bottom + 14), f"{line:g}", anchor="middle", colour=MUTED)
    for place, bar in enumerate(bars):
        _draw(drawing, bar, scale, RANKED_TOP + RANKED_ROW * place)
    return drawing.to_svg()


def _draw(drawing: Drawing, bar: RankedBar, scale: Scale, top: float) -> None:
    y = top + (RANKED_ROW - RANKED_HEIGHT) / 2
    whole, part = (BLUE, None) if bar.part is None else (PALE_BLUE, bar.part)
    drawing.line((RANKED_LEFT, top + RANKED_ROW), (RANKED_END, top + RANKED_ROW), HAIR)
    drawing.text((RANKED_LEFT - 10, y + RANKED_HEIGHT - 2), shortened(bar.name, RANKED_LEFT - 20), anchor="end")
    width = max(scale(bar.value) - RANKED_LEFT, 1.5 if bar.value else 0)
    drawing.rectangle((RANKED_LEFT, y), (width, RANKED_HEIGHT), whole, rounding=2)
    if part is not None:
        drawing.rectangle((RANKED_LEFT, y), (scale(part) - RANKED_LEFT, RANKED_HEIGHT), BLUE, rounding=2)
    drawing.text((scale(bar.value) + 8, y + RANKED_HEIGHT - 2), bar.said, colour=INK)
