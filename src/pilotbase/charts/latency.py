"""The distribution of latencies per batch, with the quantiles that criteria speak of."""

from __future__ import annotations

from collections.abc import Sequence

from pilotbase.charts.drawing import Drawing
from pilotbase.charts.palette import BLUE, INK, LINE, MUTED
from pilotbase.charts.scales import Scale
from pilotbase.documents.quantities import format_seconds
from pilotbase.documents.report import Performance
from pilotbase.documents.texts import Language, text

SIZE = (380, 220)
LEFT, RIGHT, TOP, BOTTOM = 16, 366, 58, 172
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
    drawing = Drawing(*SIZE, title, _description(performance))
    scale = _scale(bars)
    tallest = max(count for _, _, count in bars) or 1
    ticks = scale.ticks(4)
    drawing.bottom_axis([scale(tick) for tick in ticks], [format_seconds(tick) for tick in ticks], TOP, BOTTOM)
    for low, high, count in bars:
        height = (BOTTOM - TOP) * count / tallest
        left, width = _place(scale(low), scale(high))
        drawing.rectangle((left, BOTTOM - height), (width, height), BLUE)
    drawing.line((LEFT, BOTTOM), (RIGHT, BOTTOM), LINE)
    _draw_quantiles(drawing, performance, scale)
    label = text("chart.latency.axis", rows=performance.batch_rows).render(language)
    drawing.text(((LEFT + RIGHT) / 2, BOTTOM + 38), label, anchor="middle", colour=MUTED)
    return drawing.to_svg()


def _shown_bars(performance: Performance) -> Sequence[tuple[float, float, int]]:
    """Return the bars; of values that are all the same one without width, wherever the bins of the report end."""
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
        return Scale(0.5 * middle, 1.5 * middle or 1e-6, LEFT, RIGHT)
    wide = low > 0 and high / low > _WIDE
    return Scale(low if wide else max(0.0, low - 0.05 * (high - low)), high, LEFT, RIGHT, wide)


def _draw_quantiles(drawing: Drawing, performance: Performance, scale: Scale) -> None:
    """Draw one line a quantile, each label on a level of its own, so that close quantiles stay readable."""
    found = [(name, performance.latency_quantiles[name]) for name in MARKED if name in performance.latency_quantiles]
    for level, (name, seconds) in enumerate(reversed(found)):
        x, y = scale(seconds), TOP - 40 + 16 * level
        drawing.line((x, y - 8), (x, BOTTOM), INK, 1.5, "3 3")
        left = x > (LEFT + RIGHT) / 2
        drawing.text(
            (x + (-5 if left else 5), y), f"{name} {format_seconds(seconds)}", anchor="end" if left else "start"
        )


def _description(performance: Performance) -> str:
    return "; ".join(f"{name} {format_seconds(value)}" for name, value in performance.latency_quantiles.items())
