"""A grid: how many stand where a row meets a column; an empty cell is drawn as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pilotbase.charts.drawing import Drawing
from pilotbase.charts.numbers import format_count
from pilotbase.charts.themes import LIGHT, Theme
from pilotbase.documents.texts import Language, text

LEFT, TOP, WIDE, HIGH, GAP = 190, 64, 78, 44, 4
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


def grid_chart(grid: Grid, language: Language, theme: Theme = LIGHT) -> str:
    """Return the grid as SVG: each cell with its counts, darker the more its first count is."""
    return _drawn(grid, language, theme)


@lru_cache(maxsize=32)
def _drawn(grid: Grid, language: Language, theme: Theme) -> str:
    width, height = LEFT + WIDE * len(grid.columns) + GAP, TOP + HIGH * len(grid.rows) + GAP
    drawing = Drawing(width, height, grid.title, _described(grid, language), theme.paper)
    most = max((cell[0] for row in grid.cells for cell in row), default=0)
    for place, name in enumerate(grid.columns):
        for line, part in enumerate(_broken(name)):
            drawing.text((LEFT + WIDE * (place + 0.5), 20 + 16 * line), part, anchor="middle", colour=theme.muted)
    for place, name in enumerate(grid.rows):
        y = TOP + HIGH * place
        drawing.text((LEFT - 12, y + HIGH / 2 + 4), name, anchor="end", colour=theme.ink, size=13)
        for column, cell in enumerate(grid.cells[place]):
            _draw_cell(drawing, (LEFT + WIDE * column, y), cell, most, theme)
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


def _draw_cell(drawing: Drawing, corner: tuple[float, float], counts: Sequence[int], most: int, theme: Theme) -> None:
    x, y = corner[0] + GAP / 2, corner[1] + GAP / 2
    size = (WIDE - GAP, HIGH - GAP)
    if not any(counts):
        drawing.rectangle((x, y), size, theme.paper, rounding=4, outline=theme.line)
        drawing.text((corner[0] + WIDE / 2, corner[1] + HIGH / 2 + 4), "–", anchor="middle", colour=theme.muted)
        return
    shade = -(-counts[0] * _SHADES // most) if most else 0
    drawing.rectangle((x, y), size, theme.paper, rounding=4, outline=theme.strong)
    drawing.rectangle((x, y + size[1] - 5), (size[0] * shade / _SHADES, 5), theme.strong, rounding=2)
    drawing.text(
        (corner[0] + WIDE / 2, corner[1] + HIGH / 2 + 2), _spelled(counts), anchor="middle", colour=theme.ink, bold=True
    )


def _broken(name: str) -> list[str]:
    """Return a name over two lines where it has words, or signs, for them."""
    words = name.split() if " " in name else [name[: (len(name) + 1) // 2], name[(len(name) + 1) // 2 :]]
    if len(name) <= 6 or len(words) < 2:
        return [name]
    half = (len(words) + 1) // 2
    joiner = " " if " " in name else ""
    return [joiner.join(words[:half]), joiner.join(words[half:])]
