"""A grid of sectors and actions: demand without supply as a bar above, supply without demand as one below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pilotbase.charts.drawing import Drawing, width_of
from pilotbase.charts.themes import LIGHT, Theme
from pilotbase.documents.texts import Language, text

LEFT, CELL, ROW, TOP, GAP = 132, 116, 62, 76, 6
_BAR = 6


@dataclass(frozen=True)
class GapSquare:
    """One sector and action by name, with how many there are of each side and how many of them are left over."""

    sector: str
    action: str
    demand: int
    unmet: int
    supply: int
    unused: int


def gap_chart(squares: Sequence[GapSquare], language: Language, theme: Theme = LIGHT) -> str:
    """Return the squares as SVG, sectors down and actions across in the order of their first square; "" for none."""
    return _drawn(tuple(squares), language, theme) if squares else ""


@lru_cache(maxsize=64)
def _drawn(squares: tuple[GapSquare, ...], language: Language, theme: Theme) -> str:
    sectors = list(dict.fromkeys(square.sector for square in squares))
    actions = list(dict.fromkeys(square.action for square in squares))
    described = "; ".join(text("match.chart_cell", **vars(square)).render(language) for square in squares)
    title = text("match.gaps").render(language)
    width = max(LEFT + CELL * len(actions), LEFT + 320)
    drawing = Drawing(width, TOP + ROW * len(sectors) + 4, title, described, theme.paper)
    _draw_legend(drawing, language, theme)
    for column, action in enumerate(actions):
        for line, part in enumerate(_lines(action)):
            drawing.text((LEFT + CELL * column + GAP, TOP - 24 + 16 * line), part, colour=theme.muted)
    for row, sector in enumerate(sectors):
        drawing.text((LEFT - 10, TOP + ROW * row + 34), _short(sector, LEFT - 16), anchor="end", colour=theme.ink)
    for square in squares:
        corner = LEFT + CELL * actions.index(square.action), TOP + ROW * sectors.index(square.sector)
        _draw_square(drawing, square, corner, theme)
    return drawing.to_svg()


def _draw_legend(drawing: Drawing, language: Language, theme: Theme) -> None:
    for place, (code, colour) in enumerate((("match.chart_demand", theme.strong), ("match.chart_supply", theme.goal))):
        x, y = LEFT + GAP, 12 + 16 * place
        drawing.rectangle((x, y - 8), (10, 8), colour, rounding=2)
        drawing.text((x + 16, y), text(code).render(language), colour=theme.muted)


def _draw_square(drawing: Drawing, square: GapSquare, corner: tuple[float, float], theme: Theme) -> None:
    x, y, room = corner[0] + GAP, corner[1], CELL - 2 * GAP
    drawing.line((corner[0], y + ROW), (corner[0] + CELL, y + ROW), theme.line)
    for offset, left_over, whole, colour in (
        (16, square.unmet, square.demand, theme.strong),
        (42, square.unused, square.supply, theme.goal),
    ):
        drawing.text((x, y + offset), f"{left_over} / {whole}", colour=theme.ink, bold=left_over > 0)
        drawing.rectangle((x, y + offset + 4), (room, _BAR), theme.line, rounding=2)
        drawing.rectangle((x, y + offset + 4), (room * left_over / whole if whole else 0, _BAR), colour, rounding=2)


def _lines(name: str) -> tuple[str, ...]:
    """Return a name in one line or two, broken at a space where there is one."""
    if width_of(name) <= CELL - 2 * GAP:
        return (name,)
    end = next(end for end in range(len(name), 0, -1) if width_of(name[:end]) <= CELL - 2 * GAP)
    end = name.rfind(" ", 0, end + 1) + 1 or end
    return name[:end], _short(name[end:], CELL - 2 * GAP)


def _short(name: str, room: float) -> str:
    """Return a name cut to its room."""
    if width_of(name) <= room:
        return name
    while name and width_of(name + "…") > room:
        name = name[:-1]
    return name + "…"
