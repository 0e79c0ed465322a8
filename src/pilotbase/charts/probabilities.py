"""Answers that are probabilities: whether they come true, and how often each was answered."""

from __future__ import annotations

from pilotbase.charts.drawing import Drawing, shortened
from pilotbase.charts.palette import LIGHT, Theme
from pilotbase.charts.scales import Frame, Scale, format_count
from pilotbase.documents.figures import Calibration, Probabilities
from pilotbase.documents.texts import Language, text

_CALIBRATION = Frame(380, 330, left=58, right=362, top=30, bottom=272)
_HISTOGRAMS, _MIDDLE = Frame(380, 268, left=14, right=366, top=34, bottom=210), 122
_SMALLEST, _LARGEST = 3.5, 10.0


def calibration_chart(figure: Calibration, language: Language, theme: Theme = LIGHT) -> str:
    """Return the diagram as SVG: a disc a bin, as large as its cases are many, against the diagonal."""
    title = text("picture.calibration.title", label=figure.label).render(language)
    drawing = Drawing(_CALIBRATION.width, _CALIBRATION.height, title, _calibration_described(figure), theme.paper)
    across, up = _CALIBRATION.across(0, 1), _CALIBRATION.up(0, 1)
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
    drawing.across_ticks(across, (up.end, up.start), theme)
    drawing.up_ticks(up, (across.start, across.end), theme)
    drawing.text((4, 14), f"↑ {names[1]}", colour=theme.muted)
    drawing.text((across.end, up.start + 38), f"{names[0]} →", anchor="end", colour=theme.muted)


def _calibration_described(figure: Calibration) -> str:
    return "; ".join(
        f"{one.answered:.3g} → {one.hits / one.cases:.3g} ({format_count(one.cases)})"
        for one in figure.bins
        if one.cases and one.answered is not None
    )


_LABEL = 90.0
"""Room for the name of a class in a sentence."""


def probability_chart(figure: Probabilities, language: Language, theme: Theme = LIGHT) -> str:
    """Return both histograms as SVG, to one scale."""
    title = text("picture.probabilities.title", label=figure.label).render(language)
    drawing = Drawing(_HISTOGRAMS.width, _HISTOGRAMS.height, title, _probability_described(figure), theme.paper)
    across = _HISTOGRAMS.across(0, 1)
    most = max(*figure.members, *figure.others, 1)
    drawing.across_ticks(across, (_HISTOGRAMS.top, _HISTOGRAMS.bottom), theme)
    for counts, fill, sign in ((figure.members, theme.strong, -1), (figure.others, theme.soft, 1)):
        for place, count in enumerate(counts):
            left, right = across(place / len(counts)), across((place + 1) / len(counts))
            height = (_MIDDLE - _HISTOGRAMS.top) * count / most
            corner = (left + 0.5, _MIDDLE - height if sign < 0 else _MIDDLE)
            drawing.rectangle(corner, (right - left - 1, height), fill, outline=theme.strong)
    drawing.line((_HISTOGRAMS.left, _MIDDLE), (_HISTOGRAMS.right, _MIDDLE), theme.ink)
    for name, counts, y in (("members", figure.members, 18), ("others", figure.others, _HISTOGRAMS.height - 10)):
        words = {"label": shortened(figure.label, _LABEL), "cases": format_count(sum(counts))}
        said = text(f"picture.probabilities.{name}", **words, most=format_count(max(counts))).render(language)
        drawing.text((_HISTOGRAMS.left, y), said, colour=theme.ink)
    return drawing.to_svg()


def _probability_described(figure: Probabilities) -> str:
    size = len(figure.members)
    pairs = enumerate(zip(figure.members, figure.others, strict=True))
    return "; ".join(f"{place / size:.2f}: {above} / {below}" for place, (above, below) in pairs if above or below)
