"""Counts as columns: by name, with the share reached so far, or by bin, with the part that is compared."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pilotbase.charts.bars import RankedBar, ranked_chart
from pilotbase.charts.drawing import BLUE, INK, LINE, MUTED, PALE_BLUE, Drawing, shortened
from pilotbase.charts.scales import Frame, Scale, format_count
from pilotbase.documents.contract import DataType
from pilotbase.documents.moments import format_day, format_minute
from pilotbase.documents.quality import FieldProfile

COLUMN_WIDTH, COLUMN_LEFT, COLUMN_RIGHT, COLUMN_TOP, COLUMN_BOTTOM, NAMES = 380, 8, 372, 24, 150, 30


@dataclass(frozen=True)
class ChartColumn:
    """A count by its name, of two words two lines; ``apart``: it is in no order with the others."""

    name: str
    count: int
    apart: bool = False
    reached: str = ""
    """The share reached with it, as it is spelled."""


def column_chart(columns: Sequence[ChartColumn], title: str, reached: str = "") -> str:
    """Return the columns as SVG; ``reached``: the name of the line of shares."""
    described = "; ".join(f"{one.name}: {format_count(one.count)}" for one in columns)
    height = COLUMN_BOTTOM + NAMES + (40 if reached else 4)
    drawing = Drawing(COLUMN_WIDTH, height, title, described)
    most = max((one.count for one in columns), default=0) or 1
    wide = (COLUMN_RIGHT - COLUMN_LEFT) / max(len(columns), 1)
    for place, one in enumerate(columns):
        middle, tall = COLUMN_LEFT + wide * (place + 0.5), (COLUMN_BOTTOM - COLUMN_TOP) * one.count / most
        fill = PALE_BLUE if one.apart else BLUE
        top, said = COLUMN_BOTTOM - tall, format_count(one.count)
        drawing.rectangle((middle - wide * 0.4, top), (wide * 0.8, tall), fill, rounding=2, outline=BLUE)
        drawing.text((middle, top - 5), said, anchor="middle", colour=INK, size=10)
        for line, word in enumerate(one.name.split(" ", 1)):
            said = shortened(word, 1.2 * wide)
            drawing.text((middle, COLUMN_BOTTOM + 14 + 12 * line), said, anchor="middle", colour=MUTED, size=10)
        if reached and one.reached:
            drawing.text((middle, COLUMN_BOTTOM + NAMES + 32), one.reached, anchor="middle", colour=INK, size=10)
    drawing.line((COLUMN_LEFT, COLUMN_BOTTOM), (COLUMN_RIGHT, COLUMN_BOTTOM), MUTED)
    if reached:
        drawing.text((COLUMN_LEFT, COLUMN_BOTTOM + NAMES + 16), reached, colour=MUTED, size=11)
    return drawing.to_svg()


_HISTOGRAM = Frame(380, 150, left=12, right=368, top=22, bottom=116)
_SHORT = 3 * 86_400
"""Seconds up to which a time axis shows minutes."""
_TIMES = (DataType.DATE, DataType.DATETIME)
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
    drawing = Drawing(_HISTOGRAM.width, _HISTOGRAM.height, title, _described(bins, times))
    air = 0.0 if high > low else abs(low) * 0.05 + 0.5
    scale = _HISTOGRAM.across(low - air, high + air)
    tallest = max((one.count or 0 for one in bins), default=0) or 1
    _draw_axis(drawing, scale, unit, times)
    whole = PALE_BLUE if any(one.part for one in bins) else BLUE
    for one in bins:
        left, width = scale(one.low), max(scale(one.high) - scale(one.low) - 1, 3)
        for count, colour in ((one.count or 0, whole), (one.part, BLUE)):
            height = (_HISTOGRAM.bottom - _HISTOGRAM.top) * count / tallest
            drawing.rectangle((left, _HISTOGRAM.bottom - height), (width, height), colour)
    drawing.line((_HISTOGRAM.left, _HISTOGRAM.bottom), (_HISTOGRAM.right, _HISTOGRAM.bottom), LINE)
    drawing.text((_HISTOGRAM.left, 12), f"{format_count(tallest)}", colour=MUTED, size=11)
    return drawing.to_svg()


def profile_chart(one: FieldProfile, others: str, spell: Callable[[int | None], str] = format_count) -> str:
    """Return the values of a field as SVG: in bins, or the most frequent and ``others``; "" if not counted.

    Those of the later part are drawn darker. ``spell``: how a count reads.
    """
    if one.histogram:
        bins = [Bin(each.low, each.high, each.count, each.later) for each in one.histogram]
        return histogram_chart(bins, one.field, times=one.data_type in _TIMES)
    divided = any(each.later for each in one.values)
    bars = [
        RankedBar(
            others if each.value is None else each.value,
            float(each.count or 0),
            spell(each.count),
            float(each.later) if divided else None,
        )
        for each in one.values
    ]
    return ranked_chart(bars, one.field)


def _draw_axis(drawing: Drawing, scale: Scale, unit: str, times: bool) -> None:
    if times:
        short = scale.high - scale.low <= _SHORT
        low, high = (format_time(end, short) for end in (scale.low, scale.high))
        drawing.text((_HISTOGRAM.left, _HISTOGRAM.bottom + 16), low, colour=MUTED)
        drawing.text((_HISTOGRAM.right, _HISTOGRAM.bottom + 16), high, anchor="end", colour=MUTED)
        return
    drawing.bottom_axis(scale, (_HISTOGRAM.top, _HISTOGRAM.bottom))
    if unit:
        drawing.text((_HISTOGRAM.right, _HISTOGRAM.bottom + 31), unit, anchor="end", colour=MUTED)


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
