"""How often values fall into each bin, and how many of these are of the part that is compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pilotbase.charts.drawing import Drawing
from pilotbase.charts.numbers import format_count, format_ticks
from pilotbase.charts.palette import LINE, MUTED
from pilotbase.charts.scales import Scale
from pilotbase.charts.themes import LIGHT
from pilotbase.documents.moments import format_day, format_minute

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 380, 150, 12, 368, 22, 116
_SHORT = 3 * 86_400
"""Seconds up to which an axis of times tells the minute."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Bin:
    """Values from ``low`` to ``high``; ``part`` of them is drawn darker. None: too few to be told."""

    low: float
    high: float
    count: int | None
    part: int = 0


def histogram_chart(bins: Sequence[Bin], title: str, unit: str = "", times: bool = False) -> str:
    """Return the histogram as SVG; "" without a bin. ``times``: ends are seconds since 1970."""
    if not bins:
        return ""
    low, high = bins[0].low, bins[-1].high
    drawing = Drawing(WIDTH, HEIGHT, title, _described(bins, times))
    air = (high - low) / 2 if high > low else abs(low) * 0.05 + 0.5
    scale = Scale(low, high, LEFT, RIGHT) if high > low else Scale(low - air, high + air, LEFT, RIGHT)
    tallest = max((one.count or 0 for one in bins), default=0) or 1
    _draw_axis(drawing, scale, unit, times)
    for one in bins:
        left, width = scale(one.low), max(scale(one.high) - scale(one.low) - 1, 3)
        for count, colour in (
            (one.count or 0, LIGHT.soft if _divided(bins) else LIGHT.strong),
            (one.part, LIGHT.strong),
        ):
            height = (BOTTOM - TOP) * count / tallest
            drawing.rectangle((left, BOTTOM - height), (width, height), colour)
    drawing.line((LEFT, BOTTOM), (RIGHT, BOTTOM), LINE)
    drawing.text((LEFT, 12), f"{format_count(tallest)}", colour=MUTED, size=11)
    return drawing.to_svg()


def _divided(bins: Sequence[Bin]) -> bool:
    return any(one.part for one in bins)


def _draw_axis(drawing: Drawing, scale: Scale, unit: str, times: bool) -> None:
    if times:
        short = scale.high - scale.low <= _SHORT
        drawing.text((LEFT, BOTTOM + 16), format_time(scale.low, short), colour=MUTED)
        drawing.text((RIGHT, BOTTOM + 16), format_time(scale.high, short), anchor="end", colour=MUTED)
        return
    ticks = scale.ticks(4)
    drawing.bottom_axis([scale(tick) for tick in ticks], format_ticks(ticks), TOP, BOTTOM)
    if unit:
        drawing.text((RIGHT, BOTTOM + 31), unit, anchor="end", colour=MUTED)


def format_time(seconds: float, short: bool = False) -> str:
    """Return seconds since 1970 as a day, in a ``short`` range with the minute; years beyond reach as seconds."""
    try:
        moment = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return f"{seconds:.3g} s"
    return format_minute(moment, zone=False) if short else format_day(moment)


def _described(bins: Sequence[Bin], times: bool) -> str:
    short = bins[-1].high - bins[0].low <= _SHORT
    ends = [(format_time(one.low, short) if times else f"{one.low:.4g}", one.count) for one in bins]
    return "; ".join(f"{low}: {format_count(count)}" for low, count in ends)
