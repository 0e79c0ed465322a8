"""Grids: how many there are where a row meets a column, and what demand and supply lack by sector and action."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pilotbase.charts.drawing import BLUE, INK, LINE, MUTED, PAPER, Drawing, shortened, width_of
from pilotbase.charts.scales import format_count
from pilotbase.documents.matching import GapCell
from pilotbase.documents.texts import Language, text

GRID_LEFT, GRID_TOP, WIDE, HIGH, GRID_INSET = 190, 64, 78, 44, 4
_SHADES = 4


@dataclass(frozen=True)
class Grid:
    """Names of the rows and columns, and the numbers row by row: for each cell the counts that stand in it, in order.

    The first count shades the cell.
    """

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[tuple[int, ...], ...], ...]


@lru_cache(maxsize=32)
def grid_chart(grid: Grid, language: Language) -> str:
    """Return the grid as SVG: each cell with its counts, darker the more its first count is."""
    width, height = GRID_LEFT + WIDE * len(grid.columns) + GRID_INSET, GRID_TOP + HIGH * len(grid.rows) + GRID_INSET
    drawing = Drawing(width, height, grid.title, _described(grid, language))
    most = max((cell[0] for row in grid.cells for cell in row), default=0)
    for place, name in enumerate(grid.columns):
        for line, part in enumerate(_broken(name)):
            drawing.text((GRID_LEFT + WIDE * (place + 0.5), 20 + 16 * line), part, anchor="middle", colour=MUTED)
    for place, name in enumerate(grid.rows):
        y = GRID_TOP + HIGH * place
        drawing.text((GRID_LEFT - 12, y + HIGH / 2 + 4), name, anchor="end", colour=INK, size=13)
        for column, cell in enumerate(grid.cells[place]):
            _draw_cell(drawing, (GRID_LEFT + WIDE * column, y), cell, most)
    return drawing.to_svg()


def _described(grid: Grid, language: Language) -> str:
    """Return every number that is drawn, and how many cells hold none, for readers."""
    cells = [
        (f"{row}, {column}", counts)
        for row, line in zip(grid.rows, grid.cells, strict=True)
        for column, counts in zip(grid.columns, line, strict=True)
    ]
    said = [f"{name}: {_spelled(counts)}" for name, counts in cells if any(counts)]
    empty = text("chart.grid.description", empty=len(cells) - len(said), cells=len(cells)).render(language)
    return "; ".join([*said, empty])


def _spelled(counts: Sequence[int]) -> str:
    return " · ".join(map(format_count, counts))


def _draw_cell(drawing: Drawing, corner: tuple[float, float], counts: Sequence[int], most: int) -> None:
    x, y = corner[0] + GRID_INSET / 2, corner[1] + GRID_INSET / 2
    size = (WIDE - GRID_INSET, HIGH - GRID_INSET)
    if not any(counts):
        drawing.rectangle((x, y), size, PAPER, rounding=4, outline=LINE)
        drawing.text((corner[0] + WIDE / 2, corner[1] + HIGH / 2 + 4), "–", anchor="middle", colour=MUTED)
        return
    shade = -(-counts[0] * _SHADES // most) if most else 0
    drawing.rectangle((x, y), size, PAPER, rounding=4, outline=BLUE)
    drawing.rectangle((x, y + size[1] - 5), (size[0] * shade / _SHADES, 5), BLUE, rounding=2)
    middle = (corner[0] + WIDE / 2, corner[1] + HIGH / 2 + 2)
    drawing.text(middle, _spelled(counts), anchor="middle", colour=INK, bold=True)


def _broken(name: str) -> list[str]:
    """Return a name over two lines where it has words, or signs, for them."""
    words = name.split() if " " in name else [name[: (len(name) + 1) // 2], name[(len(name) + 1) // 2 :]]
    if len(name) <= 6 or len(words) < 2:
        return [name]
    half = (len(words) + 1) // 2
    joiner = " " if " " in name else ""
    return [joiner.join(words[:half]), joiner.join(words[half:])]


GAP_LEFT, CELL, ROW, GAP_TOP, GAP_INSET = 132, 116, 62, 76, 6
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
