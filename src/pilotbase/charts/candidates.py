"""Candidates on one criterion: each score with its interval against the one threshold, in the order that is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pilotbase.charts.drawing import Anchor, Drawing, width_of
from pilotbase.charts.marks import COLOURS
from pilotbase.charts.numbers import format_number, format_on_axis, format_ticks
from pilotbase.charts.palette import BLUE, DEEP_BLUE, INK, LINE, MUTED, PALE_GREEN, PAPER
from pilotbase.charts.scales import Scale, around
from pilotbase.documents.api.comparison import ComparedCriterion
from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.texts import Language, text

WIDTH, ROW, TOP, FOOT = 440, 64, 34, 28
LEFT, RIGHT = 28, 412
_NAME, _MIDDLE = 16, 46
"""How far below the top of its row the name of a candidate stands, and its dot: one above the other, for a phone."""
_LONGEST_NAME = 280


@dataclass(frozen=True)
class CandidateRow:
    """One candidate's line: its name and how it met the criterion."""

    name: str
    result: ComparedCriterion


def candidates_chart(rows: Sequence[CandidateRow], language: Language) -> str:
    """Return rows of one criterion as SVG: bounds as a bar, score as a dot, baseline on the same cases as a diamond.

    Nothing is drawn ("") where no candidate has a score.
    """
    values = [value for row in rows for value in _values(row.result)]
    if not values:
        return ""
    first = rows[0].result
    title = text("chart.candidates.title", rule=first.rule).render(language)
    bottom = TOP + ROW * len(rows)
    drawing = Drawing(WIDTH, bottom + FOOT, title, "; ".join(_told(row) for row in rows))
    span = around([*values, first.threshold], _limits(first, values))
    _draw_ground(drawing, first, Scale(*span, LEFT, RIGHT), bottom, language)
    for index, row in enumerate(rows):
        _draw_row(drawing, row, Scale(*span, LEFT, RIGHT), TOP + ROW * index)
    return drawing.to_svg()


def _limits(result: ComparedCriterion, values: list[float]) -> tuple[float, float] | None:
    return (0.0, 1.0) if not result.unit_label and all(0 <= value <= 1 for value in values) else None


def _values(result: ComparedCriterion) -> list[float]:
    found = (result.estimate, result.lower, result.upper, result.baseline)
    return [value for value in found if value is not None]


def _draw_ground(drawing: Drawing, first: ComparedCriterion, scale: Scale, bottom: float, language: Language) -> None:
    threshold, at_least = scale(first.threshold), parse_rule(first.rule).comparison == ">="
    start, end = (threshold, RIGHT) if at_least else (LEFT, threshold)
    drawing.rectangle((start, TOP), (end - start, bottom - TOP), PALE_GREEN)
    ticks = scale.ticks(5, first.unit_label)
    drawing.bottom_axis([scale(tick) for tick in ticks], format_ticks(ticks, first.unit_label), TOP, bottom)
    drawing.line((LEFT, bottom), (RIGHT, bottom), LINE)
    drawing.line((threshold, TOP - 6), (threshold, bottom), INK, 2)
    label = text("chart.threshold", value=format_on_axis(first.threshold, first.unit_label)).render(language)
    anchor: Anchor = "end" if threshold > (LEFT + RIGHT) / 2 else "start"
    drawing.text((threshold + (-4 if anchor == "end" else 4), TOP - 12), label, anchor=anchor, bold=True)


def _draw_row(drawing: Drawing, row: CandidateRow, scale: Scale, top: float) -> None:
    result, y = row.result, top + _MIDDLE
    drawing.text((LEFT, top + _NAME), _shortened(row.name))
    if result.lower is not None or result.upper is not None:
        start = scale.low if result.lower is None else result.lower
        end = scale.high if result.upper is None else result.upper
        drawing.line((scale(start), y), (scale(end), y), BLUE, 6)
        for bound in (result.lower, result.upper):
            if bound is not None:
                drawing.line((scale(bound), y - 8), (scale(bound), y + 8), DEEP_BLUE, 2)
    if result.baseline is not None:
        x = scale(result.baseline)
        drawing.polygon([(x, y - 5), (x + 5, y), (x, y + 5), (x - 5, y)], PAPER, MUTED)
    if result.estimate is None:
        drawing.text((LEFT + 8, y + 4), "–", colour=MUTED)
        return
    x = scale(result.estimate)
    drawing.circle((x, y), 6, PAPER, COLOURS[result.outcome], 3)
    anchor: Anchor = "start" if x < LEFT + 16 else "end" if x > RIGHT - 16 else "middle"
    drawing.text((x, y - 11), format_on_axis(result.estimate, result.unit_label), anchor=anchor, bold=True)


def _shortened(name: str) -> str:
    if width_of(name) <= _LONGEST_NAME:
        return name
    while name and width_of(f"{name}…") > _LONGEST_NAME:
        name = name[:-1]
    return f"{name}…"


def _told(row: CandidateRow) -> str:
    unit, result = row.result.unit_label, row.result
    bounds = f"[{format_number(result.lower, unit)}, {format_number(result.upper, unit)}]"
    return f"{row.name}: {format_number(result.estimate, unit)} {bounds}"
