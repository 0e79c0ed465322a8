"""Intervals against truth by groups of cases, and the share that holds its truth while cases were scored."""

from __future__ import annotations

from pilotbase.charts.drawing import Drawing
from pilotbase.charts.numbers import format_count, format_ticks
from pilotbase.charts.scales import Scale, around
from pilotbase.charts.themes import LIGHT, Theme
from pilotbase.documents.figures import Intervals
from pilotbase.documents.texts import Language, text

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 380, 260, 64, 366, 34, 212


def interval_chart(figure: Intervals, language: Language, theme: Theme = LIGHT) -> str:
    """Return a bar a group from mean lower to mean upper end with the mean truth across it; "" without a group."""
    if not figure.groups:
        return ""
    title = text("picture.intervals.title").render(language)
    described = "; ".join(f"{one.truth:.4g}: {one.lower:.4g} … {one.upper:.4g}" for one in figure.groups)
    drawing = Drawing(WIDTH, HEIGHT, title, described, theme.paper)
    values = [value for one in figure.groups for value in (one.truth, one.lower, one.upper)]
    up = Scale(*around(values), BOTTOM, TOP)
    _draw_heights(drawing, up, theme)
    wide = (RIGHT - LEFT) / len(figure.groups)
    for place, one in enumerate(figure.groups):
        left, bar = LEFT + wide * place + wide * 0.2, wide * 0.6
        top, tall = up(max(one.lower, one.upper)), abs(up(one.lower) - up(one.upper))
        drawing.rectangle((left, top), (bar, max(tall, 1)), theme.soft, outline=theme.strong)
        drawing.line((left - wide * 0.12, up(one.truth)), (left + bar + wide * 0.12, up(one.truth)), theme.ink, 2.5)
    drawing.text((4, 16), text("picture.intervals.key").render(language), colour=theme.muted)
    ordered = text("picture.intervals.across").render(language) + " →"
    drawing.text((RIGHT, BOTTOM + 20), ordered, anchor="end", colour=theme.muted)
    return drawing.to_svg()


def coverage_chart(figure: Intervals, language: Language, theme: Theme = LIGHT) -> str:
    """Return the share of covered cases after so many as SVG."""
    last = figure.coverage[-1]
    title = text("picture.coverage.title").render(language)
    described = text("picture.coverage.description", cases=last.cases, share=f"{last.covered / last.cases:.3f}")
    drawing = Drawing(WIDTH, HEIGHT, title, described.render(language), theme.paper)
    shares = [one.covered / one.cases for one in figure.coverage]
    across, up = Scale(0, last.cases, LEFT, RIGHT), Scale(*around([*shares, 1.0], (0, 1)), BOTTOM, TOP)
    _draw_heights(drawing, up, theme)
    ticks = across.ticks(4)
    for tick in ticks:
        drawing.text(
            (across(tick), BOTTOM + 16), format_count(round(tick)), anchor="middle", colour=theme.muted, size=11
        )
    points = [(across(one.cases), up(share)) for one, share in zip(figure.coverage, shares, strict=True)]
    drawing.path(points, theme.strong, 2)
    drawing.circle(points[-1], 4, theme.strong, theme.paper)
    drawing.text((points[-1][0], points[-1][1] - 10), f"{shares[-1]:.3f}", anchor="end", colour=theme.ink, bold=True)
    drawing.text((4, 16), "↑ " + text("picture.coverage.up").render(language), colour=theme.muted)
    axis = text("chart.cases_scored").render(language) + " →"
    drawing.text((RIGHT, BOTTOM + 38), axis, anchor="end", colour=theme.muted)
    return drawing.to_svg()


def _draw_heights(drawing: Drawing, up: Scale, theme: Theme) -> None:
    ticks = up.ticks(6)
    for tick, label in zip(ticks, format_ticks(ticks), strict=True):
        drawing.line((LEFT, up(tick)), (RIGHT, up(tick)), theme.line)
        drawing.text((LEFT - 6, up(tick) + 4), label, anchor="end", colour=theme.muted, size=11)
