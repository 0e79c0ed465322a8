"""The stages from demand to use: how many came through each, and how many days each step takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pilotbase.charts.drawing import BLUE, INK, LINE, MUTED, PALE_BLUE, Drawing
from pilotbase.charts.scales import Scale, format_count
from pilotbase.documents.quantities import format_days
from pilotbase.documents.texts import Language, percent, text

FUNNEL_WIDTH, FUNNEL_ROW, FUNNEL_HEIGHT = 520, 60, 34
FUNNEL_LEFT, FUNNEL_RIGHT = 8, 440


@dataclass(frozen=True)
class FunnelStage:
    """One stage and how many came to it."""

    name: str
    count: int


@lru_cache(maxsize=64)
def funnel_chart(stages: tuple[FunnelStage, ...], language: Language) -> str:
    """Return the stages as SVG, one bar below the other on one scale, each with its share of the one before."""
    title = text("chart.funnel.title").render(language)
    description = "; ".join(f"{stage.name}: {format_count(stage.count)}" for stage in stages)
    drawing = Drawing(FUNNEL_WIDTH, FUNNEL_ROW * len(stages) + 4, title, description)
    scale = Scale(0, max([1, *(stage.count for stage in stages)]), FUNNEL_LEFT, FUNNEL_RIGHT)
    for index, stage in enumerate(stages):
        before = stages[index - 1].count if index else 0
        said = text("chart.funnel.share", percent=percent(stage.count / before)) if before else None
        share = "" if said is None else said.render(language)
        _draw_stage(drawing, stage, share, scale, FUNNEL_ROW * index)
    return drawing.to_svg()


def _draw_stage(drawing: Drawing, stage: FunnelStage, share: str, scale: Scale, top: float) -> None:
    y = top + 20
    drawing.text((FUNNEL_LEFT, top + 14), stage.name, colour=MUTED, size=14)
    if share:
        drawing.text((FUNNEL_RIGHT, top + 14), share, anchor="end", colour=MUTED, size=13)
    drawing.rectangle((FUNNEL_LEFT, y), (FUNNEL_RIGHT - FUNNEL_LEFT, FUNNEL_HEIGHT), LINE, rounding=4)
    drawing.rectangle((FUNNEL_LEFT, y), (scale(stage.count) - FUNNEL_LEFT, FUNNEL_HEIGHT), BLUE, rounding=4)
    count = format_count(stage.count)
    drawing.text((FUNNEL_WIDTH - 8, y + 25), count, anchor="end", colour=INK, bold=True, size=22)


WAY_WIDTH, WAY_ROW, WAY_HEIGHT, WAY_LEAST = 560, 34, 9, 3


@dataclass(frozen=True)
class Leg:
    """One step: the median of its days, over how many trials; None if it is confidential or no trial passed it."""

    name: str
    days: float | None
    count: int = 0


@lru_cache(maxsize=64)
def way_chart(legs: tuple[Leg, ...], language: Language) -> str:
    """Return the steps as SVG, one bar a step along a common line of days."""
    title = text("chart.way.title").render(language)
    description = "; ".join(f"{leg.name}: {format_days(leg.days)} (n = {format_count(leg.count)})" for leg in legs)
    drawing = Drawing(WAY_WIDTH, WAY_ROW * len(legs) + 2, title, description)
    scale = Scale(0, sum(leg.days or 0 for leg in legs) or 1, 0, WAY_WIDTH - WAY_LEAST)
    start = 0.0
    for index, leg in enumerate(legs):
        _draw_leg(drawing, leg, (start, scale), WAY_ROW * index, language)
        start += leg.days or 0
    return drawing.to_svg()


def _draw_leg(drawing: Drawing, leg: Leg, begins: tuple[float, Scale], top: float, language: Language) -> None:
    start, scale = begins
    drawing.text((0, top + 15), leg.name, colour=INK, size=13)
    drawing.line((0, top + WAY_ROW), (WAY_WIDTH, top + WAY_ROW), LINE)
    if leg.days is None:
        drawing.text((WAY_WIDTH, top + 15), "–", anchor="end", colour=MUTED, size=13)
        return
    left, right = scale(start), scale(start + leg.days)
    size = (max(right - left, WAY_LEAST), WAY_HEIGHT)
    drawing.rectangle((left, top + WAY_ROW - WAY_HEIGHT - 5), size, BLUE, rounding=3)
    days = text("chart.way.days", days=format_days(leg.days)).render(language)
    drawing.text((WAY_WIDTH, top + 15), f"{days} · n = {format_count(leg.count)}", anchor="end", colour=INK, size=13)


SPARK_WIDTH, SPARK_HEIGHT, _SPARK_EDGE = 120, 32, 3


def sparkline(values: Sequence[float | None], title: str) -> str:
    """Return some months of one figure as a small line above its ground, the last one marked; "" for fewer than two.

    What is missing interrupts nothing: the line joins the months that are known.
    """
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return ""
    drawing = Drawing(SPARK_WIDTH, SPARK_HEIGHT, title, "; ".join(format_days(value) for _, value in known))
    across = Scale(0, len(values) - 1, _SPARK_EDGE, SPARK_WIDTH - _SPARK_EDGE)
    most = max(value for _, value in known)
    up = Scale(0, most or 1, SPARK_HEIGHT - _SPARK_EDGE, _SPARK_EDGE)
    points = [(across(place), up(value)) for place, value in known]
    ground = [(points[0][0], SPARK_HEIGHT), *points, (points[-1][0], SPARK_HEIGHT)]
    drawing.polygon(ground, PALE_BLUE)
    drawing.path(points, BLUE, 2)
    drawing.circle(points[-1], 3, BLUE)
    return drawing.to_svg()
