"""Answers against truth: squares as deep as the cases in them are many; on the diagonal both are the same."""

from __future__ import annotations

import math

from pilotbase.charts.calibration import draw_square
from pilotbase.charts.drawing import Drawing
from pilotbase.charts.numbers import format_count
from pilotbase.charts.scales import Scale
from pilotbase.charts.themes import LIGHT, Theme, shaded
from pilotbase.documents.figures import AgainstTruth
from pilotbase.documents.texts import Language, text

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 380, 346, 72, 366, 30, 288
_LEAST = 0.25
"""Depth of a square with one case: it is seen."""


def answer_grid(figure: AgainstTruth, language: Language, theme: Theme = LIGHT) -> str:
    """Return the grid as SVG."""
    title = text("picture.against_truth.title").render(language)
    drawing = Drawing(WIDTH, HEIGHT, title, _described(figure), theme.paper)
    high = figure.low + figure.step * figure.size
    across, up = Scale(figure.low, high, LEFT, RIGHT), Scale(figure.low, high, BOTTOM, TOP)
    names = (text("picture.against_truth.across").render(language), text("picture.against_truth.up").render(language))
    draw_square(drawing, across, up, theme, names)
    most = max((count for _, _, count in figure.cells), default=1)
    wide, tall = (RIGHT - LEFT) / figure.size, (BOTTOM - TOP) / figure.size
    for true, answered, count in figure.cells:
        share = _LEAST + (1 - _LEAST) * math.log(count) / (math.log(most) or 1)
        corner = (LEFT + wide * true, BOTTOM - tall * (answered + 1))
        drawing.rectangle(corner, (wide, tall), shaded(theme, share), outline=theme.strong)
    drawing.line((LEFT, BOTTOM), (RIGHT, TOP), theme.ink, 1.5, "5 4")
    key = text("picture.against_truth.deepest", cases=format_count(most)).render(language)
    drawing.text((LEFT, HEIGHT - 6), key, colour=theme.muted, size=11)
    return drawing.to_svg()


def _described(figure: AgainstTruth) -> str:
    """Return the fullest squares, first the fullest."""
    fullest = sorted(figure.cells, key=lambda cell: -cell[2])[:20]
    begins = [f"{figure.low + figure.step * place:.4g}" for place in range(figure.size)]
    return "; ".join(f"{begins[true]} → {begins[answered]}: {count}" for true, answered, count in fullest)
