"""Recall and precision of each class as two bars, one below the other."""

from __future__ import annotations

from pilotbase.charts.drawing import Drawing, width_of
from pilotbase.charts.numbers import format_count
from pilotbase.charts.ranked_bars import shortened
from pilotbase.charts.scales import Scale
from pilotbase.charts.themes import LIGHT, Theme
from pilotbase.documents.figures import ByClass, ClassRow
from pilotbase.documents.texts import Language, text

WIDTH, END, TOP, ROW, BAR = 380, 290, 30, 46, 13
_NARROWEST, _WIDEST = 60, 120


def class_chart(figure: ByClass, language: Language, theme: Theme = LIGHT) -> str:
    """Return the bars as SVG in the order of the classes; "" without one."""
    if not figure.rows:
        return ""
    names = [class_name(row, language) for row in figure.rows]
    title = text(f"picture.by_class.{figure.counted}").render(language)
    bottom = TOP + ROW * len(names)
    drawing = Drawing(WIDTH, bottom + 24, title, _described(figure, names), theme.paper)
    left = min(max(_NARROWEST, *(width_of(name) + 20 for name in names)), _WIDEST)
    scale = Scale(0, 1, left, END)
    for tick in scale.ticks(2):
        drawing.line((scale(tick), TOP - 4), (scale(tick), bottom), theme.line)
        drawing.text((scale(tick), bottom + 16), f"{tick:g}", anchor="middle", colour=theme.muted, size=11)
    _draw_legend(drawing, language, theme)
    for place, (name, row) in enumerate(zip(names, figure.rows, strict=True)):
        y = TOP + ROW * place
        drawing.text((left - 10, y + 24), shortened(name, left - 14), anchor="end", colour=theme.ink)
        for whole, fill, top in ((row.wanted, theme.strong, y + 6), (row.answered, theme.soft, y + 9 + BAR)):
            length = scale(row.hits / whole) - left if whole else 0
            drawing.rectangle((left, top), (length, BAR), fill, rounding=2, outline=theme.strong)
            said = f"{_ratio(row.hits, whole)} · {format_count(whole)}"
            drawing.text((WIDTH - 4, top + BAR - 2), said, anchor="end", colour=theme.ink, size=11)
    return drawing.to_svg()


def class_name(row: ClassRow, language: Language) -> str:
    """Return the name of a class, or of all further ones."""
    return row.name if row.name is not None else text("picture.further").render(language)


def _draw_legend(drawing: Drawing, language: Language, theme: Theme) -> None:
    x = 4.0
    for name, fill in (("recall", theme.strong), ("precision", theme.soft)):
        said = text(f"picture.by_class.{name}").render(language)
        drawing.rectangle((x, 6), (12, 12), fill, rounding=2, outline=theme.strong)
        drawing.text((x + 18, 16), said, colour=theme.muted)
        x += 18 + width_of(said) + 22


def _ratio(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "–"


def _described(figure: ByClass, names: list[str]) -> str:
    return "; ".join(
        f"{name}: {_ratio(row.hits, row.wanted)} / {_ratio(row.hits, row.answered)}"
        for name, row in zip(names, figure.rows, strict=True)
    )
