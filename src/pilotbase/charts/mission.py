"""Lanes of a thread on one axis of time: when each record had which state, and when something is due."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pilotbase.charts.drawing import BLUE, HAIR, LINE, MUTED, PAPER, Drawing, paint, width_of
from pilotbase.charts.scales import Scale

WIDTH, LANE, AXIS = 1000, 26, 20
_LEFT, _RIGHT, _BAR = 8, 992, 10
_NARROWEST = 4
_MARKED = ("green", "red", "amber", "violet", "yellow", "orange")
_PAINTS: Mapping[str, str] = {
    "plan": paint("edge"),
    "wait": paint("ink3"),
    "run": BLUE,
    "blue": BLUE,
    "pass": paint("green-mark"),
    "fail": paint("red-mark"),
    "open": paint("amber-mark"),
    "hold": paint("violet-mark"),
    "end": paint("edge"),
    **{name: paint(f"{name}-mark") for name in _MARKED},
}
"""Look of a state, as its mark on pages has it → colour."""
_STEPS = (
    *(timedelta(minutes=one) for one in (1, 5, 15, 30, 60, 180, 360, 720)),
    *(timedelta(days=one) for one in (1, 2, 7, 14)),
)
_MONTHS = (1, 3, 6, 12, 24, 60)
_TICKS = 6


@dataclass(frozen=True)
class LaneSpell:
    """A time in one state; of an end ``ends`` is ``begins``."""

    begins: datetime
    ends: datetime
    look: str


@dataclass(frozen=True)
class Axis:
    """From when to when the lanes run, and where now is."""

    begins: datetime
    ends: datetime
    now: datetime

    def scale(self) -> Scale:
        """Return where a moment (seconds since 1970) is drawn."""
        return Scale(self.begins.timestamp(), self.ends.timestamp(), _LEFT, _RIGHT)


def lane_chart(
    spells: Sequence[LaneSpell], moments: Sequence[datetime], due: datetime | None, axis: Axis, words: tuple[str, str]
) -> str:
    """Return one lane as SVG; ``words`` are its title and its description, which say all that it shows."""
    drawing, scale, middle = Drawing(WIDTH, LANE, *words), axis.scale(), LANE / 2
    now = scale(axis.now.timestamp())
    drawing.line((_LEFT, middle), (_RIGHT, middle), HAIR)
    drawing.line((now, 0), (now, LANE), LINE, 1, "2 3")
    for spell in spells:
        left, right = scale(spell.begins.timestamp()), scale(spell.ends.timestamp())
        wide = max(right - left, _NARROWEST)
        drawing.rectangle((left, middle - _BAR / 2), (wide, _BAR), _PAINTS[spell.look], rounding=3)
    for moment in moments:
        at = scale(moment.timestamp())
        drawing.line((at, middle - _BAR / 2), (at, middle + _BAR / 2), PAPER, 1.5)
    if spells:
        last = spells[-1]
        drawing.circle((scale(last.begins.timestamp()), middle), 6, _PAINTS[last.look], PAPER, 2)
    if due is not None:
        drawing.line((now, middle), (scale(due.timestamp()), middle), MUTED, 2, "3 3")
        drawing.circle((scale(due.timestamp()), middle), 5, PAPER, MUTED, 2)
    return drawing.to_svg()


def axis_chart(axis: Axis, words: tuple[str, str]) -> str:
    """Return the times below the lanes as SVG; ``words``: what it is called, and what now is called."""
    title, now = words
    drawing, scale = Drawing(WIDTH, AXIS, title, title), axis.scale()
    at = scale(axis.now.timestamp())
    for moment, label in _ticks(axis.begins, axis.ends):
        place = scale(moment.timestamp())
        if abs(place - at) > 190 and 50 < place < _RIGHT - 50:
            drawing.line((place, 0), (place, 4), LINE)
            drawing.text((place, AXIS - 4), label, anchor="middle", colour=MUTED)
    anchor = "end" if at + 3 * width_of(now) > WIDTH else "middle"
    drawing.text((at, AXIS - 4), now, anchor=anchor, bold=True)  # type: ignore[arg-type]
    return drawing.to_svg()


def _ticks(begins: datetime, ends: datetime) -> Iterator[tuple[datetime, str]]:
    """Yield round moments between two, about `_TICKS`, with how they are labelled: a time, a day or a month."""
    begins, whole = begins.astimezone(UTC), ends - begins
    step = next((one for one in _STEPS if whole / one <= _TICKS), None)
    if step is None:
        yield from _months(begins, ends)
        return
    form = "%m-%d" if step >= timedelta(days=1) else "%H:%M"
    start = datetime(begins.year, begins.month, begins.day, tzinfo=UTC)
    moment = start + step * -((start - begins) // step)
    while moment <= ends:
        yield moment, f"{moment:{form}}"
        moment += step


def _months(begins: datetime, ends: datetime) -> Iterator[tuple[datetime, str]]:
    months = (ends.year - begins.year) * 12 + ends.month - begins.month
    step = next((one for one in _MONTHS if months / one <= _TICKS), _MONTHS[-1])
    number = -(-(begins.year * 12 + begins.month) // step) * step
    while (moment := datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)) <= ends:
        yield moment, f"{moment:%Y}" if step >= 12 else f"{moment:%Y-%m}"
        number += step
