"""Names and a figure each as bars below each other, with lines at which a figure begins to mean something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pilotbase.charts.drawing import Drawing, width_of
from pilotbase.charts.palette import HAIR, INK, MUTED
from pilotbase.charts.scales import Scale
from pilotbase.charts.themes import LIGHT

WIDTH, LEFT, END, TOP, ROW, BAR = 380, 124, 372, 8, 22, 13


@dataclass(frozen=True)
class RankedBar:
    """A name, its figure and how it is spelled; ``part`` of it is drawn darker."""

    name: str
    value: float
    said: str
    part: float | None = None


def ranked_chart(bars: Sequence[RankedBar], title: str, lines: Sequence[float] = (), most: float = 0.0) -> str:
    """Return the bars as SVG in the order given; "" without one. The longest is the largest figure, or ``most``."""
    if not bars:
        return ""
    described = "; ".join(f"{bar.name}: {bar.said}" for bar in bars)
    drawing = Drawing(WIDTH, TOP + ROW * len(bars) + (22 if lines else 6), title, described)
    widest = max(width_of(bar.said) for bar in bars)
    largest = max(most, *(bar.value for bar in bars), *lines) or 1.0
    scale = Scale(0, largest, LEFT, END - widest - 14)
    bottom = TOP + ROW * len(bars)
    for line in lines:
        drawing.line((scale(line), TOP - 4), (scale(line), bottom), MUTED, 1, "3 3")
        drawing.text((scale(line), bottom + 14), f"{line:g}", anchor="middle", colour=MUTED)
    for place, bar in enumerate(bars):
        _draw(drawing, bar, scale, TOP + ROW * place)
    return drawing.to_svg()


def _draw(drawing: Drawing, bar: RankedBar, scale: Scale, top: float) -> None:
    y = top + (ROW - BAR) / 2
    whole, part = (LIGHT.strong, None) if bar.part is None else (LIGHT.soft, bar.part)
    drawing.line((LEFT, top + ROW), (END, top + ROW), HAIR)
    drawing.text((LEFT - 10, y + BAR - 2), shortened(bar.name, LEFT - 20), anchor="end")
    drawing.rectangle((LEFT, y), (max(scale(bar.value) - LEFT, 1.5 if bar.value else 0), BAR), whole, rounding=2)
    if part is not None:
        drawing.rectangle((LEFT, y), (scale(part) - LEFT, BAR), LIGHT.strong, rounding=2)
    drawing.text((scale(bar.value) + 8, y + BAR - 2), bar.said, colour=INK)


def shortened(name: str, room: float) -> str:
    """Return ``name``, or as much of it as there is room for and an ellipsis."""
    if width_of(name) <= room:
        return name
    while name and width_of(name + "…") > room:
        name = name[:-1]
    return name + "…"
