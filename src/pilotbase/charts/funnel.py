"""A funnel: how many of those that entered came through each stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pilotbase.charts.drawing import Drawing
from pilotbase.charts.numbers import format_count
from pilotbase.charts.scales import Scale
from pilotbase.charts.themes import LIGHT, Theme
from pilotbase.documents.texts import Language, text

WIDTH, ROW, BAR = 520, 60, 34
LEFT, RIGHT = 8, 440


@dataclass(frozen=True)
class FunnelStage:
    """One stage and how many came to it."""

    name: str
    count: int


def funnel_chart(stages: Sequence[FunnelStage], language: Language, theme: Theme = LIGHT) -> str:
    """Return the stages as SVG, one bar below the other on one scale, each with its share of the one before."""
    return _drawn(tuple(stages), language, theme)


@lru_cache(maxsize=64)
def _drawn(stages: tuple[FunnelStage, ...], language: Language, theme: Theme) -> str:
    title = text("chart.funnel.title").render(language)
    description = "; ".join(f"{stage.name}: {format_count(stage.count)}" for stage in stages)
    drawing = Drawing(WIDTH, ROW * len(stages) + 4, title, description, theme.paper)
    scale = Scale(0, max([1, *(stage.count for stage in stages)]), LEFT, RIGHT)
    for index, stage in enumerate(stages):
        before = stages[index - 1].count if index else 0
        _draw_stage(drawing, stage, _share(stage, before, language), scale, ROW * index, theme)
    return drawing.to_svg()


def _share(stage: FunnelStage, before: int, language: Language) -> str:
    if not before:
        return ""
    return text("chart.funnel.share", percent=f"{stage.count / before:.0%}").render(language)


def _draw_stage(drawing: Drawing, stage: FunnelStage, share: str, scale: Scale, top: float, theme: Theme) -> None:
    y = top + 20
    drawing.text((LEFT, top + 14), stage.name, colour=theme.muted, size=14)
    if share:
        drawing.text((RIGHT, top + 14), share, anchor="end", colour=theme.muted, size=13)
    drawing.rectangle((LEFT, y), (RIGHT - LEFT, BAR), theme.line, rounding=4)
    drawing.rectangle((LEFT, y), (scale(stage.count) - LEFT, BAR), theme.strong, rounding=4)
    drawing.text((WIDTH - 8, y + 25), format_count(stage.count), anchor="end", colour=theme.ink, bold=True, size=22)
