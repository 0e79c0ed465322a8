"""How the bounds of a criterion closed in while case after case was scored, until the evidence sufficed."""

import math
from dataclasses import dataclass
from typing import TypeGuard

from pilotbase.charts.drawing import DEEP_BLUE, HAIR, INK, LINE, MUTED, PALE_BLUE, Drawing, Point, width_of
from pilotbase.charts.scales import Scale, around, format_bounds, format_count, format_score, format_ticks, named_once
from pilotbase.documents.report import CriterionResult
from pilotbase.documents.texts import Language, text

SIZE = (380, 232)
SETTLED = 0.15
"""Share of the scored cases after which the axis must show the bounds."""
LEFT, RIGHT, TOP, BOTTOM = 52, 366, 16, 184
UNDER_UNIT = 30
"""Top of the plot where the axis names its unit above."""


def confidence_sequence_chart(result: CriterionResult, language: Language) -> str:
    """Return the path of both bounds over scored cases as SVG, or an empty string where the report has none."""
    bounds = [bound for point in result.path for bound in (point.lower, point.upper) if bound is not None]
    if len(result.path) < 2 or not bounds:
        return ""
    title = text("chart.sequence.title", rule=result.rule).render(language)
    drawing = Drawing(*SIZE, title, _description(result, language))
    plot = _plot(result)
    _draw_axes(drawing, result, plot, language)
    _draw_bounds(drawing, result, plot)
    _draw_threshold(drawing, result, plot, language)
    return drawing.to_svg()


@dataclass(frozen=True)
class _Plot:
    """Where the bounds are drawn: labels on the left get the room that they need."""

    across: Scale
    up: Scale
    ticks: tuple[float, ...]
    labels: tuple[str, ...]


def _plot(result: CriterionResult) -> _Plot:
    up = Scale(*_shown_range(result), BOTTOM, UNDER_UNIT if named_once(result.unit_label) else TOP)
    ticks = up.ticks(4, result.unit_label)
    labels = tuple(format_ticks(ticks, result.unit_label))
    left = max(LEFT, 14 + max(map(width_of, labels), default=0.0))
    return _Plot(Scale(0, result.path[-1].cases, left, RIGHT), up, ticks, labels)


def _shown_range(result: CriterionResult) -> tuple[float, float]:
    """Return a range that shows where the bounds ended, not the wide ones of the first cases."""
    settled = [point for point in result.path if point.cases >= SETTLED * result.path[-1].cases]
    found = [bound for point in settled for bound in (point.lower, point.upper) if bound is not None]
    most = math.inf if result.unit_label or any(value > 1 for value in [*found, result.threshold]) else 1.0
    return around([*found, result.threshold], (0.0, most) if min([*found, result.threshold]) >= 0 else None)


def _draw_axes(drawing: Drawing, result: CriterionResult, plot: _Plot, language: Language) -> None:
    across, left = plot.across, plot.across.start
    drawing.bottom_axis(across, (plot.up.end, BOTTOM), lambda tick: format_count(round(tick)))
    for tick, label in zip(plot.ticks, plot.labels, strict=True):
        drawing.line((left, plot.up(tick)), (RIGHT, plot.up(tick)), HAIR)
        drawing.text((left - 8, plot.up(tick) + 4), label, anchor="end", colour=MUTED)
    drawing.line((left, BOTTOM), (RIGHT, BOTTOM), LINE)
    axis = text("chart.cases_scored").render(language)
    drawing.text(((left + RIGHT) / 2, BOTTOM + 38), axis, anchor="middle", colour=MUTED)
    if named_once(result.unit_label):
        drawing.text((6, 14), text("chart.unit", unit=result.unit_label).render(language), colour=MUTED)


def _draw_bounds(drawing: Drawing, result: CriterionResult, plot: _Plot) -> None:
    """Draw both bounds and the band between them, which reaches the edge where a bound is not known or off it."""
    across, up = plot.across, plot.up
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


def _draw_threshold(drawing: Drawing, result: CriterionResult, plot: _Plot, language: Language) -> None:
    left, y = plot.across.start, plot.up(result.threshold)
    drawing.line((left, y), (RIGHT, y), INK, 2, "6 4")
    label = text("chart.threshold", value=format_score(result.threshold, result, on_axis=True)).render(language)
    drawing.text((left + 6, y - 7 if y - 18 > plot.up.end else y + 16), label, bold=True)


def _description(result: CriterionResult, language: Language) -> str:
    last = result.path[-1]
    lower, upper = format_bounds((last.lower, last.upper), result)
    return text(
        "chart.sequence.description",
        cases=format_count(last.cases),
        lower=lower,
        upper=upper,
        threshold=format_score(result.threshold, result),
    ).render(language)
