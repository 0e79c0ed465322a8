"""What demand and supply lack, by sector and action; scenarios by potential and maturity; who uses which component."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pilotbase.charts.drawing import (
    BLUE,
    DEEP_BLUE,
    INK,
    LINE,
    MUTED,
    PALE_BLUE,
    PAPER,
    RED,
    Drawing,
    shortened,
    width_of,
)
from pilotbase.charts.scales import format_count
from pilotbase.documents.api.trials import ReuseLink
from pilotbase.documents.matching import GapCell
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import Language, text


@dataclass(frozen=True)
class RatedSpot:
    """Scenarios of one potential, maturity and driving effect, each 1 to 5."""

    potential: int
    maturity: int
    driving_effect: int
    scenarios: int


_STEP, _LEFT, _TOP, _NAMED, _NUMBERS = 92, 54, 28, 24, range(1, 6)


@lru_cache(maxsize=32)
def quadrant_chart(spots: tuple[RatedSpot, ...], language: Language) -> str:
    """Return potential across, maturity up, a circle the wider the driving effect, with the number of scenarios in it.

    The number stands once where circles have one centre: it is their sum.
    """
    if not spots:
        return ""
    side = _STEP * len(_NUMBERS)
    said = "; ".join(text("chart.quadrant.spot", **vars(spot)).render(language) for spot in spots)
    title = text("chart.quadrant.title").render(language)
    drawing = Drawing(_LEFT + side + 8, _TOP + side + 2 * _NAMED + 44, title, said)
    _draw_quadrants(drawing, side, language)
    for spot in sorted(spots, key=lambda spot: -spot.driving_effect):
        drawing.circle(_centre(spot), 8 + 6 * spot.driving_effect, PALE_BLUE, BLUE, 1.5)
    sums = Counter[tuple[float, float]]()
    for spot in spots:
        sums[_centre(spot)] += spot.scenarios
    for (x, y), scenarios in sums.items():
        drawing.text((x, y + 4), format_count(scenarios), anchor="middle", colour=INK, bold=True)
    return drawing.to_svg()


def _centre(spot: RatedSpot) -> tuple[float, float]:
    return _LEFT + _STEP * (spot.potential - 0.5), _TOP + _NAMED + _STEP * (len(_NUMBERS) - spot.maturity + 0.5)


def _draw_quadrants(drawing: Drawing, side: float, language: Language) -> None:
    """Draw the frame with a strip above and below for the names of the quadrants, where no circle comes."""
    right, bottom = _LEFT + side, _TOP + side + 2 * _NAMED
    drawing.rectangle((_LEFT, _TOP), (side, bottom - _TOP), PAPER, outline=LINE)
    drawing.line((_LEFT + side / 2, _TOP), (_LEFT + side / 2, bottom), LINE)
    drawing.line((_LEFT, (_TOP + bottom) / 2), (right, (_TOP + bottom) / 2), LINE)
    for number in _NUMBERS:
        along = _STEP * (number - 0.5)
        drawing.text((_LEFT + along, bottom + 16), str(number), anchor="middle", colour=MUTED)
        drawing.text((_LEFT - 10, bottom - _NAMED - along + 4), str(number), anchor="end", colour=MUTED)
    drawing.text((right, bottom + 36), _word("roadmap.potential", language), anchor="end", colour=MUTED)
    drawing.text((_LEFT, _TOP - 12), _word("roadmap.maturity", language), colour=MUTED)
    for y, left, in_right in ((_TOP + 17, "ready", "first"), (bottom - 8, "later", "prepare")):
        drawing.text((_LEFT + 8, y), _word(f"chart.quadrant.{left}", language), colour=DEEP_BLUE)
        drawing.text((right - 8, y), _word(f"chart.quadrant.{in_right}", language), anchor="end", colour=DEEP_BLUE)


def _word(code: str, language: Language) -> str:
    return text(code).render(language)


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


MOST_DRAWN = 12
"""Components in the picture of reuse: those that the most applications have."""
_NODE, _SIDES = 22, (0, 300, 600)
_WIDE = 200


def reuse_chart(links: Sequence[ReuseLink], warned: Collection[str], language: Language) -> str:
    """Return components, applications and services in three columns, a line for each use; "" where there are none.

    ``warned``: components that an advisory meets; they and their lines are red.
    """
    applications = Counter({one: len(of) for one, of in _grouped((x.component, x.application) for x in links).items()})
    components = [name for name, _ in applications.most_common(MOST_DRAWN)]
    uses = dict.fromkeys((one.component, one.application) for one in links if one.component in components)
    answers = dict.fromkeys((one.application, one.service) for one in links if one.service)
    middle = _in_order(components, uses)
    columns = components, middle, _in_order(middle, answers)
    if not components:
        return ""
    title, shown = text("chart.reuse.title").render(language), [(a, b) for a, b in uses if b in middle]
    described = "; ".join(f"{name}: {', '.join(name_of(b) for a, b in shown if a == name)}" for name in components)
    drawing = Drawing(_SIDES[2] + _WIDE, 40 + _NODE * max(map(len, columns)), title, described)
    marked = {b for a, b in shown if a in warned}
    for pairs, side, marks in ((shown, 0, warned), (list(answers), 1, marked)):
        for a, b in pairs:
            if a in columns[side] and b in columns[side + 1]:
                start = _SIDES[side] + _WIDE, _row(columns[side].index(a))
                end = _SIDES[side + 1], _row(columns[side + 1].index(b))
                drawing.line(start, end, RED if a in marks else LINE, 1.5 if a in marks else 1)
    for side, code in enumerate(("component.name", "component.applications", "component.services")):
        drawing.text((_SIDES[side], 14), text(code).render(language), colour=MUTED)
        for place, name in enumerate(columns[side]):
            colour = RED if name in (warned if side == 0 else marked if side == 1 else ()) else INK
            said = name_of(name) if side == 1 or ":" in name else name
            drawing.text((_SIDES[side], _row(place) + 4), shortened(said, _WIDE - 8), colour=colour)
    return drawing.to_svg()


def _row(place: int) -> float:
    return 36 + _NODE * place


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for left, right in pairs:
        found.setdefault(left, set()).add(right)
    return found


def _in_order(left: Sequence[str], pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Return what the names on the left lead to, nearest to them, so that few lines cross."""
    places = {
        right: [left.index(one) for one in of if one in left]
        for right, of in _grouped((b, a) for a, b in pairs).items()
    }
    return sorted((one for one in places if places[one]), key=lambda one: (sum(places[one]) / len(places[one]), one))
