"""The way from demand to use: how many days each step takes, one beginning where the one before it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pilotbase.charts.drawing import Drawing, width_of
from pilotbase.charts.numbers import format_count
from pilotbase.charts.scales import Scale
from pilotbase.charts.themes import LIGHT, Theme
from pilotbase.documents.quantities import format_days
from pilotbase.documents.texts import Language, text

WIDTH, ROW, BAR, TOP = 560, 32, 18, 6
LEFT, RIGHT, COUNT = 152, 440, 552


@dataclass(frozen=True)
class Leg:
    """One step: the median of its days, over how many trials; None where nobody may know or nobody has come by."""

    name: str
    days: float | None
    count: int = 0


def way_chart(legs: Sequence[Leg], language: Language, theme: Theme = LIGHT) -> str:
    """Return the steps as SVG, one bar a step along a common line of days."""
    return _drawn(tuple(legs), language, theme)


@lru_cache(maxsize=64)
def _drawn(legs: tuple[Leg, ...], language: Language, theme: Theme) -> str:
    title = text("chart.way.title").render(language)
    description = "; ".join(f"{leg.name}: {format_days(leg.days)} (n = {format_count(leg.count)})" for leg in legs)
    drawing = Drawing(WIDTH, TOP + ROW * len(legs) + 4, title, description, theme.paper)
    scale = Scale(0, sum(leg.days or 0 for leg in legs) or 1, LEFT, RIGHT)
    start = 0.0
    for index, leg in enumerate(legs):
        _draw_leg(drawing, leg, (start, scale), TOP + ROW * index, language, theme)
        start += leg.days or 0
    return drawing.to_svg()


def _draw_leg(
    drawing: Drawing, leg: Leg, begins: tuple[float, Scale], top: float, language: Language, theme: Theme
) -> None:
    start, scale = begins
    y = top + (ROW - BAR) / 2
    drawing.text((LEFT - 12, y + 15), leg.name, anchor="end", colour=theme.ink, size=13)
    drawing.line((LEFT, top + ROW), (COUNT, top + ROW), theme.line)
    if leg.days is None:
        drawing.text((LEFT, y + 15), "–", colour=theme.muted, size=13)
        return
    left, right = scale(start), scale(start + leg.days)
    drawing.rectangle((left, y), (max(right - left, 3), BAR), theme.strong, rounding=3)
    days = text("chart.way.days", days=format_days(leg.days)).render(language)
    outside = right + 8 + width_of(days, 13) < COUNT - 56
    at, anchor = (right + 8, "start") if outside else (left - 8, "end")
    drawing.text((at, y + 15), days, anchor=anchor, colour=theme.ink, bold=True, size=13)  # type: ignore[arg-type]
    drawing.text((COUNT, y + 15), f"n = {format_count(leg.count)}", anchor="end", colour=theme.muted)
