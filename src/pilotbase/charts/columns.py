"""Columns with a name below and a count above each; where they add up, the share reached so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pilotbase.charts.drawing import Drawing
from pilotbase.charts.numbers import format_count
from pilotbase.charts.ranked_bars import shortened
from pilotbase.charts.themes import LIGHT, Theme

WIDTH, LEFT, RIGHT, TOP, BOTTOM, NAMES = 380, 8, 372, 24, 150, 30


@dataclass(frozen=True)
class ChartColumn:
    """A count by its name, of two words two lines; ``apart``: it is in no order with the others."""

    name: str
    count: int
    apart: bool = False
    reached: str = ""
    """The share reached with it, as it is spelled."""


def column_chart(columns: Sequence[ChartColumn], title: str, reached: str = "", theme: Theme = LIGHT) -> str:
    """Return the columns as SVG; ``reached``: what the line of shares is called."""
    described = "; ".join(f"{one.name}: {format_count(one.count)}" for one in columns)
    height = BOTTOM + NAMES + (40 if reached else 4)
    drawing = Drawing(WIDTH, height, title, described, theme.paper)
    most, wide = max((one.count for one in columns), default=0) or 1, (RIGHT - LEFT) / max(len(columns), 1)
    for place, one in enumerate(columns):
        middle, tall = LEFT + wide * (place + 0.5), (BOTTOM - TOP) * one.count / most
        fill = theme.soft if one.apart else theme.strong
        drawing.rectangle(
            (middle - wide * 0.4, BOTTOM - tall), (wide * 0.8, tall), fill, rounding=2, outline=theme.strong
        )
        drawing.text((middle, BOTTOM - tall - 5), format_count(one.count), anchor="middle", colour=theme.ink, size=10)
        for line, word in enumerate(one.name.split(" ", 1)):
            said = shortened(word, 1.2 * wide)
            drawing.text((middle, BOTTOM + 14 + 12 * line), said, anchor="middle", colour=theme.muted, size=10)
        if reached and one.reached:
            drawing.text((middle, BOTTOM + NAMES + 32), one.reached, anchor="middle", colour=theme.ink, size=10)
    drawing.line((LEFT, BOTTOM), (RIGHT, BOTTOM), theme.muted)
    if reached:
        drawing.text((LEFT, BOTTOM + NAMES + 16), reached, colour=theme.muted, size=11)
    return drawing.to_svg()
