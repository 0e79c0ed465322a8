"""How the bounds of a criterion closed in while case after case was scored, until the evidence sufficed."""

from __future__ import annotations

import math
from typing import TypeGuard

from pilotbase.charts.criterion import spell_tick
from pilotbase.charts.drawing import Drawing, Point
from pilotbase.charts.numbers import spell_count, spell_number
from pilotbase.charts.palette import DEEP_BLUE, HAIR, INK, LINE, MUTED, PALE_BLUE
from pilotbase.charts.scales import Scale, around
from pilotbase.documents.report import CriterionResult
from pilotbase.documents.texts import Language, text

SIZE = (380, 232)
SETTLED = 0.15
"""Share of the scored cases after which the axis must show the bounds."""
LEFT, RIGHT, TOP, BOTTOM = 52, 366, 16, 184


def confidence_sequence_chart(result: CriterionResult, language: Language) -> str:
    """Return the path of both bounds over scored cases as SVG, or an empty string where the report has none."""
    bounds = [bound for point in result.path for bound in (point.lower, point.upper) if bound is not None]
    if len(result.path) < 2 or not bounds:
        return ""
    title = text("chart.sequence.title", rule=result.rule).render(language)
    drawing = Drawing(*SIZE, title, _description(result, language))
    across = Scale(0, result.path[-1].cases, LEFT, RIGHT)
    up = Scale(*_shown_range(result), BOTTOM, TOP)
    _draw_axes(drawing, result, across, up, language)
    _draw_bounds(drawing, result, across, up)
    _draw_threshold(drawing, result, up, language)
    return drawing.to_svg()


def _shown_range(result: CriterionResult) -> tuple[float, float]:
    """Return a range that shows where the bounds ended, not the wide ones of the first cases."""
    settled = [point for point in result.path if point.cases >= SETTLED * result.path[-1].cases]
    found = [bound for point in settled for bound in (point.lower, point.upper) if bound is not None]
    most = math.inf if result.unit_label or any(value > 1 for value in [*found, result.threshold]) else 1.0
    return around([*found, result.threshold], (0.0, most) if min([*found, result.threshold]) >= 0 else None)


def _draw_axes(drawing: Drawing, result: CriterionResult, across: Scale, up: Scale, language: Language) -> None:
    ticks = across.ticks(4)
    drawing.bottom_axis([across(tick) for tick in ticks], [spell_count(round(tick)) for tick in ticks], TOP, BOTTOM)
    for tick in up.ticks(4, result.unit_label):
        drawing.line((LEFT, up(tick)), (RIGHT, up(tick)), HAIR)
        drawing.text((LEFT - 8, up(tick) + 4), spell_tick(tick, result.unit_label), anchor="end", colour=MUTED)
    drawing.line((LEFT, BOTTOM), (RIGHT, BOTTOM), LINE)
    label = text("chart.cases_scored").render(language)
    drawing.text(((LEFT + RIGHT) / 2, BOTTOM + 38), label, anchor="middle", colour=MUTED)


def _draw_bounds(drawing: Drawing, result: CriterionResult, across: Scale, up: Scale) -> None:
    """Draw both bounds and the band between them, which reaches the edge where a bound is not known or off it."""
    lower: list[Point] = [(across(p.cases), up(p.lower)) for p in result.path if _inside(p.lower, up)]
    upper: list[Point] = [(across(p.cases), up(p.upper)) for p in result.path if _inside(p.upper, up)]
    floor = [(across(p.cases), up(up.low if p.lower is None else p.lower)) for p in result.path]
    ceiling = [(across(p.cases), up(up.high if p.upper is None else p.upper)) for p in result.path]
    drawing.polygon([*floor, *reversed(ceiling)], PALE_BLUE)
    for side in (lower, upper):
        if side:
            drawing.path(side, DEEP_BLUE, 2)
            drawing.circle(side[-1], 3.5, DEEP_BLUE)


def _inside(bound: float | None, up: Scale) -> TypeGuard[float]:
    return bound is not None and up.low <= bound <= up.high


def _draw_threshold(drawing: Drawing, result: CriterionResult, up: Scale, language: Language) -> None:
    y = up(result.threshold)
    drawing.line((LEFT, y), (RIGHT, y), INK, 2, "6 4")
    label = text("chart.threshold", value=spell_number(result.threshold, result.unit_label)).render(language)
    drawing.text((LEFT + 6, y - 7 if y - 18 > TOP else y + 16), label, bold=True)


def _description(result: CriterionResult, language: Language) -> str:
    last, unit = result.path[-1], result.unit_label
    return text(
        "chart.sequence.description",
        cases=spell_count(last.cases),
        lower=spell_number(last.lower, unit),
        upper=spell_number(last.upper, unit),
        threshold=spell_number(result.threshold, unit),
    ).render(language)
