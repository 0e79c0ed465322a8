"""A board's leader over time: each step is a submission that beat all before it by at least the board's step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pilotbase.charts.drawing import Drawing
from pilotbase.charts.palette import BLUE, DEEP_BLUE, LINE, MUTED, PAPER
from pilotbase.charts.scales import Scale, around, format_number, format_ticks
from pilotbase.documents.texts import Language, text

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 56, 600, 24, 180


@dataclass(frozen=True)
class LeaderStep:
    """One leader: the day on which it took the lead, and the score that the board released."""

    day: str
    score: float


def leader_chart(steps: Sequence[LeaderStep], language: Language) -> str:
    """Return the steps, oldest first, as SVG: evenly spaced, because the board only shows leaders ("" without one)."""
    if not steps:
        return ""
    title = text("chart.leader.title").render(language)
    described = "; ".join(f"{step.day}: {format_number(step.score)}" for step in steps)
    drawing = Drawing(WIDTH, HEIGHT, title, described)
    low, high = around([step.score for step in steps])
    across = Scale(0, len(steps), LEFT, RIGHT)
    up = Scale(low, high, BOTTOM, TOP)
    ticks = up.ticks(4)
    for tick, label in zip(ticks, format_ticks(ticks), strict=True):
        drawing.line((LEFT, up(tick)), (RIGHT, up(tick)), LINE)
        drawing.text((LEFT - 8, up(tick) + 4), label, anchor="end", colour=MUTED)
    path = []
    for index, step in enumerate(steps):
        path += [(across(index), up(step.score)), (across(index + 1), up(step.score))]
    drawing.path(path, BLUE, 3)
    for index in dict.fromkeys((0, len(steps) - 1)):
        drawing.text((across(index), BOTTOM + 20), steps[index].day, colour=MUTED)
    for index, step in enumerate(steps):
        drawing.circle((across(index), up(step.score)), 5, PAPER, DEEP_BLUE)
    drawing.text((RIGHT, up(steps[-1].score) - 10), format_number(steps[-1].score), anchor="end", bold=True)
    return drawing.to_svg()
