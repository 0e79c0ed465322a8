"""Answers that are classes: true against answered classes, and recall and precision of each class."""

from pilotbase.charts.drawing import BLUE, DEEPEST, INK, LINE, MUTED, PALE_BLUE, PAPER, Drawing, shortened, width_of
from pilotbase.charts.scales import Scale, format_count
from pilotbase.documents.figures import ByClass, ClassRow, Confusion
from pilotbase.documents.texts import Language, percent, text

CONFUSION_TOP, WIDE, HIGH, GAP, NARROWEST, WIDEST = 48, 62, 44, 4, 60, 130
NARROWEST_PAPER = 380
"""Of few classes letters are no larger than elsewhere."""
_PERCENT = 0.995
"""A share from this value up that isn't the whole isn't shown as 100 %."""


def confusion_chart(figure: Confusion, language: Language) -> str:
    """Return the matrix as SVG: counts, shares of their row, and grounds as deep as the share is large."""
    names = confusion_names(figure, language)
    left = min(max(NARROWEST, *(width_of(name) + 24 for name in names)), WIDEST)
    width, height = max(left + WIDE * len(names) + GAP, NARROWEST_PAPER), CONFUSION_TOP + HIGH * len(names) + GAP
    title = text("picture.confusion.title").render(language)
    drawing = Drawing(width, height, title, _confusion_described(figure, names))
    axis = text("picture.confusion.axes").render(language)
    drawing.text((4, 16), axis, colour=MUTED, size=11)
    for place, name in enumerate(names):
        middle = left + WIDE * (place + 0.5)
        said = shortened(name, WIDE + 4)
        drawing.text((middle, CONFUSION_TOP - 8), said, anchor="middle", colour=MUTED, size=11)
        y = CONFUSION_TOP + HIGH * (place + 0.5) + 4
        drawing.text((left - 10, y), shortened(name, left - 14), anchor="end", colour=INK)
        total = sum(figure.counts[place])
        for column, count in enumerate(figure.counts[place]):
            right = place == column and place < len(figure.classes)
            _draw_cell(drawing, (left + WIDE * column, CONFUSION_TOP + HIGH * place), (count, total), right, language)
    return drawing.to_svg()


def confusion_names(figure: Confusion, language: Language) -> list[str]:
    """Return the names of rows and columns."""
    folded = [text("picture.folded", count=figure.folded).render(language)] if figure.folded else []
    none = [text("picture.none").render(language)] if figure.none else []
    return [*figure.classes, *folded, *none]


def format_share(part: int, whole: int, language: Language) -> str:
    """Return ``part`` of ``whole`` in percent, never rounded to none or all; "–" if ``whole`` is zero."""
    if not whole:
        return "–"
    share = part / whole
    if 0 < share < 0.005:
        return text("counted.percent", value="< 1").render(language)
    almost = text("counted.percent", value="> 99")
    return (almost if _PERCENT <= share < 1 else percent(share)).render(language)


def _draw_cell(
    drawing: Drawing, corner: tuple[float, float], counts: tuple[int, int], right: bool, language: Language
) -> None:
    count, total = counts
    place, size = (corner[0] + GAP / 2, corner[1] + GAP / 2), (WIDE - GAP, HIGH - GAP)
    drawing.rectangle(place, size, PAPER, rounding=4, outline=INK if right else LINE)
    drawing.rectangle(place, size, BLUE, rounding=4, deep=DEEPEST * count / total if total else 0)
    middle = corner[0] + WIDE / 2
    with drawing.bare():
        if not count:
            drawing.text((middle, corner[1] + HIGH / 2 + 4), "0", anchor="middle", colour=MUTED)
            return
        drawing.text((middle, corner[1] + 19), format_count(count), anchor="middle", colour=INK, bold=True)
        share = format_share(count, total, language)
        drawing.text((middle, corner[1] + 34), share, anchor="middle", colour=INK, size=11)


def _confusion_described(figure: Confusion, names: list[str]) -> str:
    """Return every count that is not 0: row → column."""
    return "; ".join(
        f"{row} → {column}: {count}"
        for row, line in zip(names, figure.counts, strict=True)
        for column, count in zip(names, line, strict=True)
        if count
    )


WIDTH, END, CLASS_TOP, ROW, BAR = 380, 290, 30, 46, 13
_NARROWEST, _WIDEST = 60, 120


def class_chart(figure: ByClass, language: Language) -> str:
    """Return the bars as SVG in the order of the classes; "" without one."""
    if not figure.rows:
        return ""
    names = [class_name(row, language) for row in figure.rows]
    title = text(f"picture.by_class.{figure.counted}").render(language)
    bottom = CLASS_TOP + ROW * len(names)
    drawing = Drawing(WIDTH, bottom + 24, title, _class_described(figure, names))
    left = min(max(_NARROWEST, *(width_of(name) + 20 for name in names)), _WIDEST)
    scale = Scale(0, 1, left, END)
    for tick in scale.ticks(2):
        drawing.line((scale(tick), CLASS_TOP - 4), (scale(tick), bottom), LINE)
        drawing.text((scale(tick), bottom + 16), f"{tick:g}", anchor="middle", colour=MUTED, size=11)
    _draw_legend(drawing, language)
    for place, (name, row) in enumerate(zip(names, figure.rows, strict=True)):
        y = CLASS_TOP + ROW * place
        drawing.text((left - 10, y + 24), shortened(name, left - 14), anchor="end", colour=INK)
        for whole, fill, top in ((row.wanted, BLUE, y + 6), (row.answered, PALE_BLUE, y + 9 + BAR)):
            length = scale(row.hits / whole) - left if whole else 0
            drawing.rectangle((left, top), (length, BAR), fill, rounding=2, outline=BLUE)
            said = f"{_ratio(row.hits, whole)} · {format_count(whole)}"
            drawing.text((WIDTH - 4, top + BAR - 2), said, anchor="end", colour=INK, size=11)
    return drawing.to_svg()


def class_name(row: ClassRow, language: Language) -> str:
    """Return the name of a class, or of all further ones."""
    return row.name if row.name is not None else text("picture.further").render(language)


def _draw_legend(drawing: Drawing, language: Language) -> None:
    x = 4.0
    for name, fill in (("recall", BLUE), ("precision", PALE_BLUE)):
        said = text(f"picture.by_class.{name}").render(language)
        drawing.rectangle((x, 6), (12, 12), fill, rounding=2, outline=BLUE)
        drawing.text((x + 18, 16), said, colour=MUTED)
        x += 18 + width_of(said) + 22


def _ratio(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "–"


def _class_described(figure: ByClass, names: list[str]) -> str:
    return "; ".join(
        f"{name}: {_ratio(row.hits, row.wanted)} / {_ratio(row.hits, row.answered)}"
        for name, row in zip(names, figure.rows, strict=True)
    )
