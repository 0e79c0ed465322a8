"""What demand and supply lack, by sector and action."""

from functools import lru_cache

from pilotbase.charts.drawing import BLUE, INK, LINE, MUTED, Drawing, shortened, width_of
from pilotbase.documents.matching import GapCell
from pilotbase.documents.texts import Language, text

GAP_LEFT, CELL, ROW, GAP_TOP, GAP_INSET = 176, 116, 62, 76, 6
_BAR = 6


@lru_cache(maxsize=64)
def gap_chart(squares: tuple[GapCell, ...], language: Language) -> str:
    """Return the squares as SVG, sectors down and actions across in the order of their first square; "" for none.

    Sectors and actions are in the reader's words.
    """
    if not squares:
        return ""
    sectors = list(dict.fromkeys(square.sector for square in squares))
    actions = list(dict.fromkeys(square.action for square in squares))
    described = "; ".join(text("match.chart_cell", **vars(square)).render(language) for square in squares)
    title = text("match.gaps").render(language)
    width = max(GAP_LEFT + CELL * len(actions), GAP_LEFT + 320)
    drawing = Drawing(width, GAP_TOP + ROW * len(sectors) + 4, title, described)
    _draw_legend(drawing, language)
    for column, action in enumerate(actions):
        for line, part in enumerate(_lines(action)):
            drawing.text((GAP_LEFT + CELL * column + GAP_INSET, GAP_TOP - 24 + 16 * line), part, colour=MUTED)
    for row, sector in enumerate(sectors):
        said = shortened(sector, GAP_LEFT - 16)
        drawing.text((GAP_LEFT - 10, GAP_TOP + ROW * row + 34), said, anchor="end", colour=INK)
    for square in squares:
        corner = GAP_LEFT + CELL * actions.index(square.action), GAP_TOP + ROW * sectors.index(square.sector)
        _draw_square(drawing, square, corner)
    return drawing.to_svg()


def _draw_legend(drawing: Drawing, language: Language) -> None:
    for place, (code, colour) in enumerate((("match.chart_demand", BLUE), ("match.chart_supply", INK))):
        x, y = GAP_LEFT + GAP_INSET, 12 + 16 * place
        drawing.rectangle((x, y - 8), (10, 8), colour, rounding=2)
        drawing.text((x + 16, y), text(code).render(language), colour=MUTED)


def _draw_square(drawing: Drawing, square: GapCell, corner: tuple[float, float]) -> None:
    x, y, room = corner[0] + GAP_INSET, corner[1], CELL - 2 * GAP_INSET
    drawing.line((corner[0], y + ROW), (corner[0] + CELL, y + ROW), LINE)
    for offset, left_over, whole, colour in (
        (16, square.unmet, square.demand, BLUE),
        (42, square.unused, square.supply, INK),
    ):
        drawing.text((x, y + offset), f"{left_over} / {whole}", colour=INK, bold=left_over > 0)
        drawing.rectangle((x, y + offset + 4), (room, _BAR), LINE, rounding=2)
        drawing.rectangle((x, y + offset + 4), (room * left_over / whole if whole else 0, _BAR), colour, rounding=2)


def _lines(name: str) -> tuple[str, ...]:
    """Return a name in one line or two, broken at a space where there is one."""
    if width_of(name) <= CELL - 2 * GAP_INSET:
        return (name,)
    end = next(end for end in range(len(name), 0, -1) if width_of(name[:end]) <= CELL - 2 * GAP_INSET)
    end = name.rfind(" ", 0, end + 1) + 1 or end
    return name[:end], shortened(name[end:], CELL - 2 * GAP_INSET)
