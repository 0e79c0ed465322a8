"""Drift by column: a strip a column over time, in the colour that its detector had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pilotbase.charts.drawing import Drawing, width_of
from pilotbase.charts.palette import LINE, MUTED
from pilotbase.charts.warning_colours import FILLS
from pilotbase.documents.moments import format_minute
from pilotbase.documents.texts import Language, Text, text
from pilotbase.documents.vocabularies import Colour

LEFT, RIGHT, TOP, ROW = 168, 616, 22, 22
_STRIP, _NARROWEST = 12, 3.0


@dataclass(frozen=True)
class Spell:
    """How long a column had a colour."""

    begins: datetime
    ends: datetime
    colour: Colour


@dataclass(frozen=True)
class DriftStrip:
    """A column and the spells in which it was not green, oldest first."""

    column: str
    spells: Sequence[Spell]


def drift_chart(strips: Sequence[DriftStrip], begins: datetime, ends: datetime, language: Language) -> str:
    """Return the strips as SVG from ``begins`` to ``ends``; "" without a column."""
    if not strips:
        return ""
    title = text("chart.drift.title").render(language)
    bottom = TOP + ROW * len(strips)
    drawing = Drawing(640, bottom + 34, title, _description(strips, language))
    whole = max((ends - begins).total_seconds(), 1.0)
    for row, strip in enumerate(strips):
        top = TOP + ROW * row
        drawing.text((LEFT - 10, top + _STRIP), _cut(strip.column), anchor="end")
        drawing.rectangle((LEFT, top + 2), (RIGHT - LEFT, _STRIP), LINE, rounding=2)
        for spell in strip.spells:
            left = LEFT + (RIGHT - LEFT) * (spell.begins - begins).total_seconds() / whole
            right = LEFT + (RIGHT - LEFT) * (spell.ends - begins).total_seconds() / whole
            place = (max(min(left, RIGHT - _NARROWEST), LEFT), top + 2)
            drawing.rectangle(place, (max(right - place[0], _NARROWEST), _STRIP), FILLS[spell.colour], rounding=2)
        _draw_word(drawing, strip, top, language)
    drawing.text((LEFT, bottom + 20), format_minute(begins, zone=False), colour=MUTED)
    drawing.text((RIGHT, bottom + 20), format_minute(ends), anchor="end", colour=MUTED)
    return drawing.to_svg()


def _draw_word(drawing: Drawing, strip: DriftStrip, top: float, language: Language) -> None:
    """Write the colour of the last spell on the strip: a colour alone says nothing to who cannot tell it."""
    if strip.spells:
        last = strip.spells[-1].colour
        word = Text(code=f"colour.{last}").render(language)
        drawing.text((LEFT + 6, top + _STRIP), word, colour=FILLS[last], bold=True)


def _description(strips: Sequence[DriftStrip], language: Language) -> str:
    told = [
        text("chart.drift.column", column=strip.column, colour=Text(code=f"colour.{strip.spells[-1].colour}"))
        for strip in strips
        if strip.spells
    ]
    return "; ".join(one.render(language) for one in told) or text("chart.drift.none").render(language)


def _cut(name: str, room: float = LEFT - 20) -> str:
    while name and width_of(name) > room:
        name = name[:-1]
    return name
