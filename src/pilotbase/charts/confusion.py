"""What was true against what was answered: rows and columns of classes, right ones framed."""

from __future__ import annotations

from pilotbase.charts.drawing import Drawing, width_of
from pilotbase.charts.numbers import format_count
from pilotbase.charts.ranked_bars import shortened
from pilotbase.charts.themes import LIGHT, Theme, shaded
from pilotbase.documents.figures import Confusion
from pilotbase.documents.texts import Language, text

TOP, WIDE, HIGH, GAP, NARROWEST, WIDEST = 48, 62, 44, 4, 60, 130
NARROWEST_PAPER = 380
"""Of few classes letters are no larger than elsewhere."""
_PERCENT = 0.995
"""A share from here on that is not whole is not told as 100 %."""


def confusion_chart(figure: Confusion, language: Language, theme: Theme = LIGHT) -> str:
    """Return the matrix as SVG: counts, shares of their row, and grounds as deep as the share is large."""
    names = confusion_names(figure, language)
    left = min(max(NARROWEST, *(width_of(name) + 24 for name in names)), WIDEST)
    width, height = max(left + WIDE * len(names) + GAP, NARROWEST_PAPER), TOP + HIGH * len(names) + GAP
    title = text("picture.confusion.title").render(language)
    drawing = Drawing(width, height, title, _described(figure, names), theme.paper)
    axis = text("picture.confusion.axes").render(language)
    drawing.text((4, 16), axis, colour=theme.muted, size=11)
    for place, name in enumerate(names):
        middle = left + WIDE * (place + 0.5)
        said = shortened(name, WIDE + 4)
        drawing.text((middle, TOP - 8), said, anchor="middle", colour=theme.muted, size=11)
        y = TOP + HIGH * (place + 0.5) + 4
        drawing.text((left - 10, y), shortened(name, left - 14), anchor="end", colour=theme.ink)
        total = sum(figure.counts[place])
        for column, count in enumerate(figure.counts[place]):
            right = place == column and place < len(figure.classes)
            _draw_cell(drawing, (left + WIDE * column, TOP + HIGH * place), (count, total), right, theme)
    return drawing.to_svg()


def confusion_names(figure: Confusion, language: Language) -> list[str]:
    """Return the names of rows and columns."""
    folded = [text("picture.folded", count=figure.folded).render(language)] if figure.folded else []
    none = [text("picture.none").render(language)] if figure.none else []
    return [*figure.classes, *folded, *none]


def format_share(part: int, whole: int) -> str:
    """Return ``part`` of ``whole`` in percent, never rounded to none or all; "–" of nothing."""
    if not whole:
        return "–"
    share = part / whole
    if 0 < share < 0.005:
        return "< 1 %"
    return "> 99 %" if _PERCENT <= share < 1 else f"{100 * share:.0f} %"


def _draw_cell(
    drawing: Drawing, corner: tuple[float, float], counts: tuple[int, int], right: bool, theme: Theme
) -> None:
    count, total = counts
    ground = shaded(theme, count / total if total else 0)
    place, size = (corner[0] + GAP / 2, corner[1] + GAP / 2), (WIDE - GAP, HIGH - GAP)
    drawing.rectangle(place, size, ground, rounding=4, outline=theme.ink if right else theme.line)
    middle = corner[0] + WIDE / 2
    with drawing.ground(ground):
        if not count:
            drawing.text((middle, corner[1] + HIGH / 2 + 4), "0", anchor="middle", colour=theme.muted)
            return
        drawing.text((middle, corner[1] + 19), format_count(count), anchor="middle", colour=theme.ink, bold=True)
        share = format_share(count, total)
        drawing.text((middle, corner[1] + 34), share, anchor="middle", colour=theme.ink, size=11)


def _described(figure: Confusion, names: list[str]) -> str:
    """Return every count that is not 0: row → column."""
    return "; ".join(
        f"{row} → {column}: {count}"
        for row, line in zip(names, figure.counts, strict=True)
        for column, count in zip(names, line, strict=True)
        if count
    )
