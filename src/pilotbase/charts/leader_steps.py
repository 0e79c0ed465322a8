"""A board's leader over time, each step a better submission, and the power of a trial over its number of cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pilotbase.charts.drawing import Drawing
from pilotbase.charts.palette import BLUE, DEEP_BLUE, LINE, MUTED, PAPER
from pilotbase.charts.scales import Scale, around, format_count, format_number, format_ticks
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


def power_chart(rule: str, points: Sequence[tuple[int, float]], planned: int, power: float, language: Language) -> str:
    """Return the probability that a trial meets ``rule`` over its number of cases as SVG; ``planned`` is marked."""
    described = "; ".join(f"{format_count(cases)}: {share:.0%}" for cases, share in points)
    drawing = Drawing(WIDTH, HEIGHT + 20, text("chart.power.title", rule=rule).render(language), described)
    across, up = Scale(0, max([planned, *(cases for cases, _ in points)]), LEFT, RIGHT), Scale(0, 1, BOTTOM, TOP)
    for tick in (0.0, 0.5, 1.0):
        drawing.line((LEFT, up(tick)), (RIGHT, up(tick)), LINE)
        drawing.text((LEFT - 8, up(tick) + 4), f"{tick:.0%}", anchor="end", colour=MUTED)
    ticks = across.ticks(6)
    drawing.bottom_axis([across(tick) for tick in ticks], format_ticks(ticks), TOP, BOTTOM)
    drawing.text((RIGHT, BOTTOM + 36), text("chart.power.cases").render(language), anchor="end", colour=MUTED)
    drawing.path([(across(cases), up(share)) for cases, share in points], BLUE, 3)
    drawing.line((across(planned), BOTTOM), (across(planned), up(power)), DEEP_BLUE, dashes="4 3")
    drawing.circle((across(planned), up(power)), 5, PAPER, DEEP_BLUE)
    drawing.text((across(planned) + 10, up(power) + 18), f"{format_count(planned)} · {power:.0%}", bold=True)
    return drawing.to_svg()
