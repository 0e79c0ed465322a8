"""Policies of a replay side by side: a share over time, one strip per name on the same axes; and grouped bars.

Grouped bars show the same names in every group, one below the other, with an optional extension and maximum. For
waiting times, the bar is the median, the extension reaches to the 90th percentile and the mark is the longest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pilotbase.charts.drawing import BLUE, HAIR, INK, LINE, MUTED, PALE_BLUE, Drawing, shortened, width_of
from pilotbase.charts.scales import Scale

WIDTH, LEFT, RIGHT, END, TOP, ROW, TALL, FOOT = 860, 250, 780, 852, 10, 62, 46, 26
BARS_WIDTH, BARS_LEFT, BARS_END, BARS_TOP, BARS_HEAD, BARS_ROW, BARS_HIGH, BARS_FOOT = 860, 206, 852, 6, 26, 22, 13, 24


@dataclass(frozen=True)
class Strip:
    """A name, its share at moments (position 0 to 1, share 0 to 1) and its mean as text."""

    name: str
    points: tuple[tuple[float, float], ...]
    said: str


def strips_chart(strips: Sequence[Strip], title: str, labels: Sequence[str]) -> str:
    """Return the strips as SVG, ``labels`` evenly below; a share holds until the next point. "" without a point."""
    drawn = [strip for strip in strips if strip.points]
    if not drawn:
        return ""
    bottom = TOP + ROW * len(drawn)
    drawing = Drawing(WIDTH, bottom + FOOT, title, "; ".join(f"{strip.name}: {strip.said}" for strip in drawn))
    across = Scale(0, 1, LEFT, RIGHT)
    for number in range(len(labels)):
        position = across(number / max(len(labels) - 1, 1))
        drawing.line((position, TOP), (position, bottom), HAIR)
    drawing.labels_within(LEFT, RIGHT, labels, bottom + 16)
    for place, strip in enumerate(drawn):
        _draw(drawing, strip, across, TOP + ROW * place)
    return drawing.to_svg()


def _draw(drawing: Drawing, strip: Strip, across: Scale, top: float) -> None:
    floor = top + TALL + (ROW - TALL) / 2
    up = Scale(0, 1, floor, floor - TALL)
    drawing.line((LEFT, up(1)), (RIGHT, up(1)), HAIR)
    drawing.text((LEFT - 44, floor - TALL / 2 + 4), shortened(strip.name, LEFT - 52), anchor="end", size=13)
    drawing.text((LEFT - 8, up(1) + 8), "100%", anchor="end", colour=MUTED, size=11)
    drawing.text((LEFT - 8, floor), "0", anchor="end", colour=MUTED, size=11)
    ends = [*(across(at) for at, _ in strip.points[1:]), RIGHT]
    outline = [(across(strip.points[0][0]), floor)]
    for (at, share), end in zip(strip.points, ends, strict=True):
        outline += [(across(at), up(share)), (end, up(share))]
    drawing.polygon([*outline, (ends[-1], floor)], PALE_BLUE)
    drawing.path(outline[1:], BLUE, 1)
    drawing.line((LEFT, floor), (RIGHT, floor), LINE)
    drawing.text((END, floor - TALL / 2 + 4), strip.said, anchor="end", colour=INK, bold=True, size=13)


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
    bottom = BARS_TOP + sum(BARS_HEAD + BARS_ROW * len(group.bars) for group in groups)
    described = "; ".join(
        f"{group.name}: " + ", ".join(f"{bar.name} {bar.said}" for bar in group.bars) for group in groups
    )
    drawing = Drawing(BARS_WIDTH, bottom + BARS_FOOT, title, described)
    widest = max((width_of(bar.said) for group in groups for bar in group.bars), default=0)
    scale = Scale(0, 1, BARS_LEFT, BARS_END - 1.15 * widest - 12)
    for tick in ticks:
        drawing.line((scale(tick.at), BARS_TOP), (scale(tick.at), bottom), HAIR)
        drawing.text((scale(tick.at), bottom + 16), tick.said, anchor="middle", colour=MUTED, size=11)
    top = float(BARS_TOP)
    for group in groups:
        drawing.line((0, top + 4), (BARS_END, top + 4), LINE)
        drawing.text((0, top + BARS_HEAD - 4), group.name, colour=INK, bold=True, size=13)
        top += BARS_HEAD
        for bar in group.bars:
            _draw_bar(drawing, bar, scale, top)
            top += BARS_ROW
    return drawing.to_svg()


def _draw_bar(drawing: Drawing, bar: GroupedBar, scale: Scale, top: float) -> None:
    y = top + (BARS_ROW - BARS_HIGH) / 2
    drawing.text((BARS_LEFT - 10, y + BARS_HIGH - 2), shortened(bar.name, BARS_LEFT - 16), anchor="end", colour=MUTED)
    if bar.further is not None:
        drawing.rectangle((BARS_LEFT, y), (scale(bar.further) - BARS_LEFT, BARS_HIGH), PALE_BLUE, rounding=2)
    drawing.rectangle(
        (BARS_LEFT, y), (max(scale(bar.value) - BARS_LEFT, 1.5 if bar.value else 0), BARS_HIGH), BLUE, rounding=2
    )
    if bar.most is not None:
        drawing.line((scale(bar.most), y - 2), (scale(bar.most), y + BARS_HIGH + 2), INK, 2)
    drawing.text((BARS_END, y + BARS_HIGH - 2), bar.said, anchor="end", colour=INK)
