"""Answers that are probabilities: whether they come true, and how often each was answered."""

from __future__ import annotations

from pilotbase.charts.drawing import Drawing, shortened
from pilotbase.charts.palette import LIGHT, Theme
from pilotbase.charts.scales import Scale, format_count, format_ticks
from pilotbase.documents.figures import Calibration, Probabilities
from pilotbase.documents.texts import Language, text

CALIBRATION_WIDTH, CALIBRATION_HEIGHT, CALIBRATION_LEFT, CALIBRATION_RIGHT, CALIBRATION_TOP, CALIBRATION_BOTTOM = (
    380,
    330,
    58,
    362,
    30,
    272,
)
_SMALLEST, _LARGEST = 3.5, 10.0


def calibration_chart(figure: Calibration, language: Language, theme: Theme = LIGHT) -> str:
    """Return the diagram as SVG: a disc a bin, as large as its cases are many, against the diagonal."""
    title = text("picture.calibration.title", label=figure.label).render(language)
    drawing = Drawing(CALIBRATION_WIDTH, CALIBRATION_HEIGHT, title, _calibration_described(figure), theme.paper)
    across, up = Scale(0, 1, CALIBRATION_LEFT, CALIBRATION_RIGHT), Scale(0, 1, CALIBRATION_BOTTOM, CALIBRATION_TOP)
    names = (text("picture.calibration.across").render(language), text("picture.calibration.up").render(language))
    draw_square(drawing, across, up, theme, names)
    drawing.line((across(0), up(0)), (across(1), up(1)), theme.muted, 1.5, "5 4")
    most = max((one.cases for one in figure.bins), default=1) or 1
    places = [
        (across(one.answered), up(one.hits / one.cases), one.cases)
        for one in figure.bins
        if one.cases and one.answered is not None
    ]
    drawing.path([(x, y) for x, y, _ in places], theme.strong, 1.5)
    for x, y, cases in places:
        drawing.circle((x, y), max(_SMALLEST, _LARGEST * (cases / most) ** 0.5), theme.strong, theme.paper, 1.5)
    return drawing.to_svg()


def draw_square(drawing: Drawing, across: Scale, up: Scale, theme: Theme, names: tuple[str, str]) -> None:
    """Draw a plot of two like axes, each with its name."""
    ticks = across.ticks(4)
    left, right, top, bottom = across.start, across.end, up.end, up.start
    for tick, label in zip(ticks, format_ticks(ticks), strict=True):
        drawing.line((across(tick), top), (across(tick), bottom), theme.line)
        drawing.text((across(tick), bottom + 16), label, anchor="middle", colour=theme.muted, size=11)
    upwards = up.ticks(4)
    for tick, label in zip(upwards, format_ticks(upwards), strict=True):
        drawing.line((left, up(tick)), (right, up(tick)), theme.line)
        drawing.text((left - 6, up(tick) + 4), label, anchor="end", colour=theme.muted, size=11)
    drawing.text((4, 14), f"↑ {names[1]}", colour=theme.muted)
    drawing.text((right, bottom + 38), f"{names[0]} →", anchor="end", colour=theme.muted)


def _calibration_described(figure: Calibration) -> str:
    return "; ".join(
        f"{one.answered:.3g} → {one.hits / one.cases:.3g} ({format_count(one.cases)})"
        for one in figure.bins
        if one.cases and one.answered is not None
    )


(
    PROBABILITY_WIDTH,
    PROBABILITY_HEIGHT,
    PROBABILITY_LEFT,
    PROBABILITY_RIGHT,
    PROBABILITY_TOP,
    MIDDLE,
    PROBABILITY_BOTTOM,
) = 380, 268, 14, 366, 34, 122, 210
_LABEL = 90.0
"""Room for the name of a class in a sentence."""


def probability_chart(figure: Probabilities, language: Language, theme: Theme = LIGHT) -> str:
    """Return both histograms as SVG, to one scale."""
    title = text("picture.probabilities.title", label=figure.label).render(language)
    drawing = Drawing(PROBABILITY_WIDTH, PROBABILITY_HEIGHT, title, _probability_described(figure), theme.paper)
    across = Scale(0, 1, PROBABILITY_LEFT, PROBABILITY_RIGHT)
    most = max(*figure.members, *figure.others, 1)
    ticks = across.ticks(4)
    for tick, label in zip(ticks, format_ticks(ticks), strict=True):
        drawing.line((across(tick), PROBABILITY_TOP), (across(tick), PROBABILITY_BOTTOM), theme.line)
        drawing.text((across(tick), PROBABILITY_BOTTOM + 16), label, anchor="middle", colour=theme.muted, size=11)
    for counts, fill, sign in ((figure.members, theme.strong, -1), (figure.others, theme.soft, 1)):
        for place, count in enumerate(counts):
            left, right = across(place / len(counts)), across((place + 1) / len(counts))
            height = (MIDDLE - PROBABILITY_TOP) * count / most
            corner = (left + 0.5, MIDDLE - height if sign < 0 else MIDDLE)
            drawing.rectangle(corner, (right - left - 1, height), fill, outline=theme.strong)
    drawing.line((PROBABILITY_LEFT, MIDDLE), (PROBABILITY_RIGHT, MIDDLE), theme.ink)
    for name, counts, y in (("members", figure.members, 18), ("others", figure.others, PROBABILITY_HEIGHT - 10)):
        words = {"label": shortened(figure.label, _LABEL), "cases": format_count(sum(counts))}
        said = text(f"picture.probabilities.{name}", **words, most=format_count(max(counts))).render(language)
        drawing.text((PROBABILITY_LEFT, y), said, colour=theme.ink)
    return drawing.to_svg()


def _probability_described(figure: Probabilities) -> str:
    size = len(figure.members)
    pairs = enumerate(zip(figure.members, figure.others, strict=True))
    return "; ".join(f"{place / size:.2f}: {above} / {below}" for place, (above, below) in pairs if above or below)
