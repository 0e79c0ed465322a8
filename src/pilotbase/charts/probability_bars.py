"""How often each probability was answered: cases of the class above the line, the others below it."""

from __future__ import annotations

from pilotbase.charts.drawing import Drawing
from pilotbase.charts.numbers import format_count, format_ticks
from pilotbase.charts.ranked_bars import shortened
from pilotbase.charts.scales import Scale
from pilotbase.charts.themes import LIGHT, Theme
from pilotbase.documents.figures import Probabilities
from pilotbase.documents.texts import Language, text

WIDTH, HEIGHT, LEFT, RIGHT, TOP, MIDDLE, BOTTOM = 380, 268, 14, 366, 34, 122, 210
_LABEL = 90.0
"""Room for the name of a class in a sentence."""


def probability_chart(figure: Probabilities, language: Language, theme: Theme = LIGHT) -> str:
    """Return both histograms as SVG, to one scale."""
    title = text("picture.probabilities.title", label=figure.label).render(language)
    drawing = Drawing(WIDTH, HEIGHT, title, _described(figure), theme.paper)
    across = Scale(0, 1, LEFT, RIGHT)
    most = max(*figure.members, *figure.others, 1)
    ticks = across.ticks(4)
    for tick, label in zip(ticks, format_ticks(ticks), strict=True):
        drawing.line((across(tick), TOP), (across(tick), BOTTOM), theme.line)
        drawing.text((across(tick), BOTTOM + 16), label, anchor="middle", colour=theme.muted, size=11)
    for counts, fill, sign in ((figure.members, theme.strong, -1), (figure.others, theme.soft, 1)):
        for place, count in enumerate(counts):
            left, right = across(place / len(counts)), across((place + 1) / len(counts))
            height = (MIDDLE - TOP) * count / most
            corner = (left + 0.5, MIDDLE - height if sign < 0 else MIDDLE)
            drawing.rectangle(corner, (right - left - 1, height), fill, outline=theme.strong)
    drawing.line((LEFT, MIDDLE), (RIGHT, MIDDLE), theme.ink)
    for name, counts, y in (("members", figure.members, 18), ("others", figure.others, HEIGHT - 10)):
        words = {"label": shortened(figure.label, _LABEL), "cases": format_count(sum(counts))}
        said = text(f"picture.probabilities.{name}", **words, most=format_count(max(counts))).render(language)
        drawing.text((LEFT, y), said, colour=theme.ink)
    return drawing.to_svg()


def _described(figure: Probabilities) -> str:
    size = len(figure.members)
    pairs = enumerate(zip(figure.members, figure.others, strict=True))
    return "; ".join(f"{place / size:.2f}: {above} / {below}" for place, (above, below) in pairs if above or below)
