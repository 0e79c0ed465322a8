"""Grouped bars: the same names in every group, one below the other, with an optional extension and maximum.

For waiting times, the bar is the median, the extension reaches to the 90th percentile and the mark is the longest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pilotbase.charts.drawing import BLUE, HAIR, INK, LINE, MUTED, PALE_BLUE, Drawing, shortened, width_of
from pilotbase.charts.scales import Scale

WIDTH, LEFT, END, TOP, HEAD, ROW, BAR, FOOT = 860, 206, 852, 6, 26, 22, 13, 24


@dataclass(frozen=True)
class GroupedBar:
    """One bar: its value, how far it reaches further, the most, and how all of it is spelled; positions 0 to 1."""

    name: str
    value: float
    said: str
    further: float | None = None
    most: float | None = None


@dataclass(frozen=True)
class BarGroup:
    """A group by its name."""

    name: str
    bars: tuple[GroupedBar, ...]


@dataclass(frozen=True)
class Tick:
    """A label and its position on the axis, 0 to 1."""

    at: float
    said: str


def grouped_chart(groups: Sequence[BarGroup], title: str, ticks: Sequence[Tick]) -> str:
    """Return the groups as SVG in the order given; "" without one."""
    if not groups:
        return ""
    bottom = TOP + sum(HEAD + ROW * len(group.bars) for group in groups)
    described = "; ".join(
        f"{group.name}: " + ", ".join(f"{bar.name} {bar.said}" for bar in group.bars) for group in groups
    )
    drawing = Drawing(WIDTH, bottom + FOOT, title, described)
    widest = max((width_of(bar.said) for group in groups for bar in group.bars), default=0)
    scale = Scale(0, 1, LEFT, END - 1.15 * widest - 12)
    for tick in ticks:
        drawing.line((scale(tick.at), TOP), (scale(tick.at), bottom), HAIR)
        drawing.text((scale(tick.at), bottom + 16), tick.said, anchor="middle", colour=MUTED, size=11)
    top = float(TOP)
    for group in groups:
        drawing.line((0, top + 4), (END, top + 4), LINE)
        drawing.text((0, top + HEAD - 4), group.name, colour=INK, bold=True, size=13)
        top += HEAD
        for bar in group.bars:
            _draw(drawing, bar, scale, top)
            top += ROW
    return drawing.to_svg()


def _draw(drawing: Drawing, bar: GroupedBar, scale: Scale, top: float) -> None:
    y = top + (ROW - BAR) / 2
    drawing.text((LEFT - 10, y + BAR - 2), shortened(bar.name, LEFT - 16), anchor="end", colour=MUTED)
    if bar.further is not None:
        drawing.rectangle((LEFT, y), (scale(bar.further) - LEFT, BAR), PALE_BLUE, rounding=2)
    drawing.rectangle((LEFT, y), (max(scale(bar.value) - LEFT, 1.5 if bar.value else 0), BAR), BLUE, rounding=2)
    if bar.most is not None:
        drawing.line((scale(bar.most), y - 2), (scale(bar.most), y + BAR + 2), INK, 2)
    drawing.text((END, y + BAR - 2), bar.said, anchor="end", colour=INK)
