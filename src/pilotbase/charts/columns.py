"""Counts as bars and columns: groups as parts of a whole with their targets, names with one figure each, and bins.

Columns are by name, with the share reached so far, or by bin, with the part that is compared.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from pilotbase.charts.drawing import BLUE, HAIR, INK, LINE, MUTED, PALE_BLUE, Drawing, shortened, width_of
from pilotbase.charts.scales import Frame, Scale, format_count
from pilotbase.documents.contract import DataType
from pilotbase.documents.moments import format_day, format_minute
from pilotbase.documents.quality import FieldProfile
from pilotbase.documents.texts import Language, text

BAR_WIDTH, BAR_ROW, BAR_HEIGHT, BAR_TOP = 560, 36, 18, 34
BAR_LEFT, RIGHT, BAR_END = 212, 470, 552
_BOLD = 1.2
"""How much wider the bold numbers are than `width_of` says of text of the usual size."""
COLUMN_WIDTH, COLUMN_LEFT, COLUMN_RIGHT, COLUMN_TOP, COLUMN_BOTTOM, NAMES = 380, 8, 372, 24, 150, 30


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
    described = "; ".join(_parts_described(bar, legend, language) for bar in bars)
    drawing = Drawing(BAR_WIDTH, BAR_TOP + BAR_ROW * len(bars) + 4, legend.title, described)
    _draw_legend(drawing, bars, legend, language)
    most = max([1, *(max(bar.whole, bar.part, bar.target or 0) for bar in bars)])
    widest = max((width_of(_numbers(bar)) for bar in bars), default=0)
    scale = Scale(0, most, BAR_LEFT, min(RIGHT, BAR_END - _BOLD * widest - 12))
    for index, bar in enumerate(bars):
        _draw_bar(drawing, bar, scale, BAR_TOP + BAR_ROW * index)
    return drawing.to_svg()


def _parts_described(bar: Bar, legend: Legend, language: Language) -> str:
    said = f"{bar.name}: {legend.whole} {format_count(bar.whole)}, {legend.part} {format_count(bar.part)}"
    aim = text("chart.bars.target").render(language)
    return said if bar.target is None else f"{said}, {aim} {format_count(bar.target)}"


def _draw_legend(drawing: Drawing, bars: tuple[Bar, ...], legend: Legend, language: Language) -> None:
    for place, (name, colour) in enumerate(((legend.whole, PALE_BLUE), (legend.part, BLUE))):
        x = BAR_WIDTH / 3 * place
        drawing.rectangle((x, 6), (12, 12), colour, rounding=2)
        drawing.text((x + 32, 16), name, colour=MUTED)
    if any(bar.target is not None for bar in bars):
        x = BAR_WIDTH / 3 * 2
        drawing.line((x + 4, 4), (x + 4, 20), INK, 3)
        drawing.text((x + 32, 16), text("chart.bars.target").render(language), colour=MUTED)


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


def profile_chart(one: FieldProfile, others: str, spell: Callable[[int | None], str]) -> str:
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
