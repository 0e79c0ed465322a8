"""Scores by group with their intervals: descriptive, never a verdict, hence in one neutral colour."""

from __future__ import annotations

from collections.abc import Sequence

from pilotbase.charts.drawing import Drawing
from pilotbase.charts.numbers import format_count, format_number, format_ticks
from pilotbase.charts.palette import BLUE, DEEP_BLUE, LINE, MUTED, PAPER
from pilotbase.charts.scales import Scale, around
from pilotbase.documents.report import GroupScore
from pilotbase.documents.texts import Language, text

WIDTH, ROW = 380, 30
LEFT, RIGHT, TOP = 118, 300, 8
_LONGEST_LABEL = 15


def group_chart(scores: Sequence[GroupScore], language: Language) -> str:
    """Return the groups of one column and measure as SVG, one row each in the order given."""
    bottom = TOP + ROW * len(scores)
    title = text("chart.groups.title", measure=scores[0].measure, column=scores[0].column).render(language)
    description = "; ".join(f"{score.group}: {format_number(score.score)}" for score in scores)
    drawing = Drawing(WIDTH, bottom + 28, title, description)
    scale = _scale(scores)
    ticks = scale.ticks(4)
    drawing.bottom_axis([scale(tick) for tick in ticks], format_ticks(ticks), TOP, bottom)
    drawing.line((LEFT, bottom), (RIGHT, bottom), LINE)
    for index, score in enumerate(scores):
        _draw_row(drawing, score, scale, TOP + ROW * index + ROW / 2, language)
    return drawing.to_svg()


def _scale(scores: Sequence[GroupScore]) -> Scale:
    found = [bound for score in scores for bound in (score.score, score.lower, score.upper) if bound is not None]
    share = all(0 <= bound <= 1 for bound in found)
    low, high = around(found or [0.0, 1.0], (0.0, 1.0) if share else None)
    return Scale(low, high, LEFT, RIGHT)


def _draw_row(drawing: Drawing, score: GroupScore, scale: Scale, y: float, language: Language) -> None:
    drawing.text((LEFT - 10, y + 4), _shortened(score.group), anchor="end")
    cases = text("chart.groups.cases", cases=format_count(score.cases)).render(language)
    drawing.text((WIDTH - 2, y + 4), cases, anchor="end", colour=MUTED)
    if score.score is None:
        drawing.text(((LEFT + RIGHT) / 2, y + 4), "–", anchor="middle", colour=MUTED)
        return
    if score.lower is not None and score.upper is not None:
        drawing.line((scale(score.lower), y), (scale(score.upper), y), BLUE, 4)
    drawing.circle((scale(score.score), y), 5, PAPER, DEEP_BLUE, 2.5)


def _shortened(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"
