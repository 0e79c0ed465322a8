"""A load test block by block: median and 99th percentile of latency over time, on a scale of factors."""

from __future__ import annotations

from collections.abc import Sequence

from pilotbase.charts.drawing import Drawing
from pilotbase.charts.palette import BLUE, INK, LINE, MUTED
from pilotbase.charts.scales import Scale
from pilotbase.documents.load_test import LoadFigures
from pilotbase.documents.quantities import format_seconds
from pilotbase.documents.texts import Language, text

SIZE = (380, 220)
LEFT, RIGHT, TOP, BOTTOM = 62, 366, 44, 176
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
    drawing = Drawing(*SIZE, title, _description(figures, language))
    scale = Scale(min(known) / _ROOM, max(known) * _ROOM, BOTTOM, TOP, logarithmic=True)
    for level in range(_LABELS):
        value = min(known) * (max(known) / min(known)) ** (level / (_LABELS - 1))
        height = scale(value)
        drawing.line((LEFT, height), (RIGHT, height), LINE)
        drawing.text((LEFT - 6, height + 4), format_seconds(value), anchor="end", colour=MUTED, size=11)
    for values, colour, dashes in ((tails, INK, "4 3"), (medians, BLUE, "")):
        for run in _runs(values, scale):
            drawing.path(run, colour, 2, dashes)
    drawing.line((LEFT, BOTTOM), (RIGHT, BOTTOM), LINE)
    drawing.labels_within(LEFT, RIGHT, ["1", str(len(medians))], BOTTOM + 16)
    drawing.text(((LEFT + RIGHT) / 2, BOTTOM + 34), text("chart.load_blocks.axis").render(language), anchor="middle")
    for place, name, colour, dashes in ((LEFT, "p50", BLUE, ""), (LEFT + 70, "p99", INK, "4 3")):
        drawing.path([(place, TOP - 22), (place + 24, TOP - 22)], colour, 2, dashes)
        drawing.text((place + 30, TOP - 18), name)
    return drawing.to_svg()


def _runs(values: Sequence[float | None], scale: Scale) -> list[list[tuple[float, float]]]:
    """Return the points of each stretch without a gap."""
    runs: list[list[tuple[float, float]]] = [[]]
    for number, value in enumerate(values):
        if value is None or value <= 0:
            runs.append([])
        else:
            x = LEFT + (RIGHT - LEFT) * number / (len(values) - 1)
            runs[-1].append((x, scale(value)))
    return [run for run in runs if run]


def _description(figures: LoadFigures, language: Language) -> str:
    told = {"p50": figures.p50, "p95": figures.p95, "p99": figures.p99}
    spelled = "; ".join(f"{name} {format_seconds(value)}" for name, value in told.items() if value is not None)
    return spelled or text("chart.load_blocks.no_answer").render(language)
