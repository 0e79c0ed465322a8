"""Latencies: their distribution with its quantiles, and a load test block by block."""

from collections.abc import Sequence

from pilotbase.charts.drawing import BLUE, INK, LINE, MUTED, Drawing, unbroken
from pilotbase.charts.scales import Scale
from pilotbase.documents.probes import LoadFigures
from pilotbase.documents.quantities import format_seconds
from pilotbase.documents.report import Performance
from pilotbase.documents.texts import Language, text

SIZE = (380, 220)
LATENCY_LEFT, LATENCY_RIGHT, LATENCY_TOP, LATENCY_BOTTOM = 16, 366, 58, 172
MARKED = ("p50", "p95", "p99")
NARROW = 4.0
"""Width of a bar whose bin has none."""
_TINY = 1e-3
"""Share of its end below which a range is drawn as one value."""
_WIDE = 30.0
"""Range over which the axis turns logarithmic."""


def latency_chart(performance: Performance, language: Language) -> str:
    """Return the histogram as SVG, or an empty string where the report has none (a supplier's view)."""
    bars = _shown_bars(performance)
    if not bars:
        return ""
    title = text("chart.latency.title", rows=performance.batch_rows).render(language)
    described = "; ".join(f"{name} {format_seconds(value)}" for name, value in performance.latency_quantiles.items())
    drawing = Drawing(*SIZE, title, described)
    scale = _scale(bars)
    tallest = max(count for _, _, count in bars) or 1
    drawing.bottom_axis(scale, (LATENCY_TOP, LATENCY_BOTTOM), format_seconds)
    for low, high, count in bars:
        height = (LATENCY_BOTTOM - LATENCY_TOP) * count / tallest
        left, width = _place(scale(low), scale(high))
        drawing.rectangle((left, LATENCY_BOTTOM - height), (width, height), BLUE)
    drawing.line((LATENCY_LEFT, LATENCY_BOTTOM), (LATENCY_RIGHT, LATENCY_BOTTOM), LINE)
    _draw_quantiles(drawing, performance, scale)
    label = text("chart.latency.axis", rows=performance.batch_rows).render(language)
    drawing.text(((LATENCY_LEFT + LATENCY_RIGHT) / 2, LATENCY_BOTTOM + 38), label, anchor="middle", colour=MUTED)
    return drawing.to_svg()


def _shown_bars(performance: Performance) -> Sequence[tuple[float, float, int]]:
    """Return the bars; if all values are equal, a single bar without width, whatever the report's bins."""
    bars = performance.latency_histogram
    longest = performance.latency_quantiles.get("max")
    if not bars or longest is None:
        return bars
    low, high = min(bar[0] for bar in bars), max(bar[1] for bar in bars)
    if high - longest <= 0.01 * (high - low):  # bins end at the longest time unless there is but one value
        return bars
    return ((longest, longest, sum(count for _, _, count in bars)),)


def _place(left: float, right: float) -> tuple[float, float]:
    """Return where a bar begins and its width: bins without width are drawn narrow, around their value."""
    if right - left >= NARROW:
        return left, right - left - 1
    return (left + right - NARROW) / 2, NARROW


def _scale(bars: Sequence[tuple[float, float, int]]) -> Scale:
    low, high = min(bar[0] for bar in bars), max(bar[1] for bar in bars)
    if high - low <= _TINY * high or high <= 0:
        middle = max(low, 0.0)
        return Scale(0.5 * middle, 1.5 * middle or 1e-6, LATENCY_LEFT, LATENCY_RIGHT)
    wide = low > 0 and high / low > _WIDE
    return Scale(low if wide else max(0.0, low - 0.05 * (high - low)), high, LATENCY_LEFT, LATENCY_RIGHT, wide)


def _draw_quantiles(drawing: Drawing, performance: Performance, scale: Scale) -> None:
    """Draw one line per quantile, each label at a separate height, so that close quantiles stay readable."""
    found = [(name, performance.latency_quantiles[name]) for name in MARKED if name in performance.latency_quantiles]
    for level, (name, seconds) in enumerate(reversed(found)):
        x, y = scale(seconds), LATENCY_TOP - 40 + 16 * level
        drawing.line((x, y - 8), (x, LATENCY_BOTTOM), INK, 1.5, "3 3")
        left = x > (LATENCY_LEFT + LATENCY_RIGHT) / 2
        said = f"{name} {format_seconds(seconds)}"
        drawing.text((x + (-5 if left else 5), y), said, anchor="end" if left else "start")


LOAD_LEFT, LOAD_RIGHT, LOAD_TOP, LOAD_BOTTOM = 62, 366, 44, 176
_LABELS = 4
_ROOM = 1.25
"""Factor that is left above and below."""


def load_blocks_chart(figures: LoadFigures, language: Language) -> str:
    """Return both lines as SVG, or an empty string where no block has an answer."""
    medians = [block.p50 for block in figures.blocks]
    tails = [block.p99 for block in figures.blocks]
    known = [value for value in (*medians, *tails) if value is not None and value > 0]
    if len(medians) < 2 or not known:
        return ""
    title = text("chart.load_blocks.title", blocks=len(medians)).render(language)
    drawing = Drawing(*SIZE, title, _load_description(figures, language))
    scale = Scale(min(known) / _ROOM, max(known) * _ROOM, LOAD_BOTTOM, LOAD_TOP, logarithmic=True)
    for level in range(_LABELS):
        value = min(known) * (max(known) / min(known)) ** (level / (_LABELS - 1))
        height = scale(value)
        drawing.line((LOAD_LEFT, height), (LOAD_RIGHT, height), LINE)
        drawing.text((LOAD_LEFT - 6, height + 4), format_seconds(value), anchor="end", colour=MUTED, size=11)
    for values, colour, dashes in ((tails, INK, "4 3"), (medians, BLUE, "")):
        wide = (LOAD_RIGHT - LOAD_LEFT) / (len(values) - 1)
        places = [(LOAD_LEFT + wide * at, scale(one)) if one else None for at, one in enumerate(values)]
        for run in unbroken(places):
            drawing.path(run, colour, 2, dashes)
    drawing.line((LOAD_LEFT, LOAD_BOTTOM), (LOAD_RIGHT, LOAD_BOTTOM), LINE)
    drawing.labels_within(LOAD_LEFT, LOAD_RIGHT, ["1", str(len(medians))], LOAD_BOTTOM + 16)
    axis = text("chart.load_blocks.axis").render(language)
    drawing.text(((LOAD_LEFT + LOAD_RIGHT) / 2, LOAD_BOTTOM + 34), axis, anchor="middle")
    for place, name, colour, dashes in ((LOAD_LEFT, "p50", BLUE, ""), (LOAD_LEFT + 70, "p99", INK, "4 3")):
        drawing.path([(place, LOAD_TOP - 22), (place + 24, LOAD_TOP - 22)], colour, 2, dashes)
        drawing.text((place + 30, LOAD_TOP - 18), name)
    return drawing.to_svg()


def _load_description(figures: LoadFigures, language: Language) -> str:
    told = {"p50": figures.p50, "p95": figures.p95, "p99": figures.p99}
    spelled = "; ".join(f"{name} {format_seconds(value)}" for name, value in told.items() if value is not None)
    return spelled or text("chart.load_blocks.no_answer").render(language)
