"""Tasks of a plan over its phases: a bar for each, and where the plan in force has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from pilotbase.charts.drawing import BLUE, GREEN, HAIR, INK, LINE, MUTED, PAPER, Drawing, paint, shortened
from pilotbase.charts.scales import Scale
from pilotbase.documents.texts import Language, text

GANTT_WIDTH, GANTT_ROW, GANTT_TOP = 900, 42, 66
_BAR, _GHOST, _NARROWEST, _NAME = 10, 16, 3, 340
_CHANGED = paint("amber-mark")


@dataclass(frozen=True)
class PlannedBar:
    """A task from start to end, and where it was before, if that is another time."""

    name: str
    start: date
    end: date
    before: tuple[date, date] | None = None
    is_new: bool = False


@lru_cache(maxsize=32)
def gantt_chart(bars: tuple[PlannedBar, ...], phases: tuple[tuple[str, date], ...], language: Language) -> str:
    """Return the bars as SVG, one a row; ``phases``: names with their last days, in order. "" for no bars."""
    if not bars:
        return ""
    title = text("chart.gantt.title").render(language)
    described = "; ".join(f"{one.name}: {one.start} – {one.end}" for one in bars)
    bottom = GANTT_TOP + GANTT_ROW * len(bars)
    drawing = Drawing(GANTT_WIDTH, bottom + 6, title, described)
    days = [day for one in bars for day in (one.start, one.end, *(one.before or ()))]
    scale = Scale(min(days).toordinal(), max(days).toordinal(), 0, GANTT_WIDTH)
    _draw_legend(drawing, bars, language)
    _draw_years(drawing, scale, (min(days).year, max(days).year), bottom)
    for name, last in phases:
        if min(days) <= last < max(days):
            at = scale(last.toordinal())
            drawing.line((at, GANTT_TOP - 24), (at, bottom), MUTED, 1, "4 3")
            drawing.text((at - 4, GANTT_TOP - 16), name, anchor="end", colour=MUTED)
    for row, one in enumerate(bars):
        _draw_bar(drawing, one, scale, GANTT_TOP + GANTT_ROW * row)
    return drawing.to_svg()


def _draw_legend(drawing: Drawing, bars: Sequence[PlannedBar], language: Language) -> None:
    """Draw what the colours mean, as far as there is more than one."""
    new, moved = any(one.is_new for one in bars), any(one.before is not None for one in bars)
    keys = [("kept", BLUE)] if new or moved else []
    keys += [("new", GREEN)] if new else []
    keys += [("moved", _CHANGED), ("before", "")] if moved else []
    for place, (code, colour) in enumerate(keys):
        x, y = GANTT_WIDTH / 2 * (place % 2), 18 * (place // 2)
        drawing.rectangle((x, y + 1), (12, 10), colour or PAPER, rounding=2, outline="" if colour else MUTED)
        drawing.text((x + 50, y + 11), text(f"chart.gantt.{code}").render(language), colour=MUTED)


def _draw_years(drawing: Drawing, scale: Scale, years: Sequence[int], bottom: float) -> None:
    for year in range(years[0] + 1, years[1] + 1):
        at = scale(date(year, 1, 1).toordinal())
        drawing.line((at, GANTT_TOP), (at, bottom), HAIR)
        drawing.text((at + 3, GANTT_TOP - 3), str(year), colour=MUTED)


def _draw_bar(drawing: Drawing, one: PlannedBar, scale: Scale, top: float) -> None:
    drawing.text((0, top + 16), shortened(one.name, _NAME), colour=INK)
    drawing.line((0, top + GANTT_ROW), (GANTT_WIDTH, top + GANTT_ROW), LINE)
    middle = top + GANTT_ROW - _GHOST / 2 - 4
    if one.before is not None:
        left, right = (scale(day.toordinal()) for day in one.before)
        size = (max(right - left, _NARROWEST), _GHOST)
        drawing.rectangle((left, middle - _GHOST / 2), size, PAPER, rounding=4, outline=MUTED)
    left, right = scale(one.start.toordinal()), scale(one.end.toordinal())
    colour = GREEN if one.is_new else _CHANGED if one.before is not None else BLUE
    drawing.rectangle((left, middle - _BAR / 2), (max(right - left, _NARROWEST), _BAR), colour, rounding=3)
