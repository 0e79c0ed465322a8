"""Whether probabilities mean what they say: the share that came true against the mean that was answered, by bins."""

from __future__ import annotations

from pilotbase.charts.drawing import Drawing
from pilotbase.charts.numbers import format_count, format_ticks
from pilotbase.charts.scales import Scale
from pilotbase.charts.themes import LIGHT, Theme
from pilotbase.documents.figures import Calibration
from pilotbase.documents.texts import Language, text

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 380, 330, 58, 362, 30, 272
_SMALLEST, _LARGEST = 3.5, 10.0


def calibration_chart(figure: Calibration, language: Language, theme: Theme = LIGHT) -> str:
    """Return the diagram as SVG: a disc a bin, as large as its cases are many, against the diagonal."""
    title = text("picture.calibration.title", label=figure.label).render(language)
    drawing = Drawing(WIDTH, HEIGHT, title, _described(figure), theme.paper)
    across, up = Scale(0, 1, LEFT, RIGHT), Scale(0, 1, BOTTOM, TOP)
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


def _described(figure: Calibration) -> str:
    return "; ".join(
        f"{one.answered:.3g} → {one.hits / one.cases:.3g} ({format_count(one.cases)})"
        for one in figure.bins
        if one.cases and one.answered is not None
    )
