"""A share over time, one strip per name on the same axes, one under the other for comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pilotbase.charts.drawing import BLUE, HAIR, INK, LINE, MUTED, PALE_BLUE, Drawing, shortened
from pilotbase.charts.scales import Scale

WIDTH, LEFT, RIGHT, END, TOP, ROW, TALL, FOOT = 860, 250, 780, 852, 10, 62, 46, 26


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
