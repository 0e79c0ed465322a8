"""Charts of a watch: a detector's evidence against the line of its colour, and drift by column over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import log10

from pilotbase.charts.drawing import (
    BLUE,
    DEEP_BLUE,
    FILLS,
    HAIR,
    INKS,
    LINE,
    MUTED,
    PALE_BLUE,
    PAPER,
    Drawing,
    shortened,
    unbroken,
    width_of,
)
from pilotbase.charts.scales import Scale, format_count, format_number
from pilotbase.documents.moments import format_day, format_minute, format_second
from pilotbase.documents.texts import Language, Text, percent, text
from pilotbase.documents.vocabularies import Colour

WIDTH, HEIGHT = 640, 250
PATH_LEFT, PATH_RIGHT, PATH_TOP, BOTTOM = 64, 616, 46, 198
_DAY = timedelta(days=1)
_LEAST, _MOST = 1.25, 2.5
"""Smallest and largest extent of the scale, in shares of the level: the line is inside, and distinguishable from 1."""


@dataclass(frozen=True)
class WatchedPoint:
    """Where a detector stood: ``value`` is log(evidence) / log(level)."""

    at: datetime
    seen: int
    value: float
    colour: Colour


@dataclass(frozen=True)
class WatchedPath:
    """A detector's points, oldest first, and the evidence at which it turns ``high``."""

    name: str
    points: Sequence[WatchedPoint]
    high: Colour
    level: float | None = None
    """None: the scale has no evidence of its own, so it shows shares of the level."""


def watch_path_chart(path: WatchedPath, language: Language) -> str:
    """Return the path as SVG, by number of observations; "" for a detector that has read none."""
    if not path.points:
        return ""
    last, high = path.points[-1], Text(code=f"colour.{path.high}").render(language)
    title = text("chart.watch.title", detector=path.name).render(language)
    described = text(
        "chart.watch.description", seen=last.seen, value=f"{last.value:.2f}", colour=Text(code=f"colour.{last.colour}")
    )
    drawing = Drawing(WIDTH, HEIGHT, title, described.render(language))
    across = Scale(0, max(last.seen, 1), PATH_LEFT, PATH_RIGHT)
    highest = max(point.value for point in path.points)
    up = Scale(0, min(max(_LEAST, highest), _MOST), BOTTOM, PATH_TOP)
    _draw_axes(drawing, path, across, up, language)
    drawing.line((PATH_LEFT, up(1)), (PATH_RIGHT, up(1)), FILLS[path.high], 2, "6 4")
    drawing.text((PATH_LEFT + 6, up(1) - 6), high, colour=INKS[path.high], bold=True)
    points = [(across(point.seen), up(max(point.value, 0))) for point in path.points]
    drawing.path([(PATH_LEFT, up(0)), *points], BLUE)
    _draw_clipped(drawing, path, across, up, language)
    _draw_turns(drawing, path, across, up, language)
    return drawing.to_svg()


def _draw_axes(drawing: Drawing, path: WatchedPath, across: Scale, up: Scale, language: Language) -> None:
    drawing.bottom_axis(across, (PATH_TOP, BOTTOM), lambda tick: format_count(round(tick)))
    drawing.line((PATH_LEFT, BOTTOM), (PATH_RIGHT, BOTTOM), LINE)
    for value in (0.0, 0.5, 1.0):
        label = format_number(value) if path.level is None else format_number(path.level**value)
        drawing.text((PATH_LEFT - 8, up(value) + 4), label, anchor="end", colour=MUTED)
    drawing.text((8, 16), _upright_name(path).render(language), colour=MUTED)
    begins = path.points[0].at
    first = format_second(begins, zone=False) if _is_short(path) else format_day(begins)
    axis = text("chart.watch.axis", first=first, last=_short(path.points[-1].at, path)).render(language)
    drawing.text(((PATH_LEFT + PATH_RIGHT) / 2, BOTTOM + 40), axis, anchor="middle", colour=MUTED)


def _upright_name(path: WatchedPath) -> Text:
    """Return the name of the vertical axis, and the value of the line on it."""
    colour = Text(code=f"colour.{path.high}")
    if path.level is None:
        return text("chart.watch.share", colour=colour)
    return text("chart.watch.evidence", colour=colour, level=f"{path.level:.4g}", alpha=f"{1 / path.level:.4g}")


def _short(at: datetime, path: WatchedPath) -> str:
    """Return a moment as its day, or as hours and seconds if all are within one day."""
    return f"{at:%H:%M:%S UTC}" if _is_short(path) else format_day(at)


def _is_short(path: WatchedPath) -> bool:
    return path.points[-1].at - path.points[0].at < _DAY


def _draw_clipped(drawing: Drawing, path: WatchedPath, across: Scale, up: Scale, language: Language) -> None:
    """Say how far a path goes on above the paper, where it does, with a mark at its first and its highest point."""
    above = [point for point in path.points if point.value > up.high]
    if not above:
        return
    highest = max(above, key=lambda point: point.value)
    for x in {across(point.seen) for point in (above[0], highest)}:
        drawing.polygon([(x - 6, PATH_TOP), (x + 6, PATH_TOP), (x, PATH_TOP - 9)], BLUE)
    reached = f"{highest.value:.1f}" if path.level is None else f"10^{highest.value * log10(path.level):.1f}"
    said = text("chart.watch.above", reached=reached).render(language)
    beyond = across(highest.seen) > (PATH_LEFT + PATH_RIGHT) / 2
    place = (across(highest.seen) + (-10 if beyond else 10), PATH_TOP - 12)
    drawing.text(place, said, anchor="end" if beyond else "start", colour=DEEP_BLUE, bold=True)


def _draw_turns(drawing: Drawing, path: WatchedPath, across: Scale, up: Scale, language: Language) -> None:
    """Mark where the detector took another colour, with the word beside it."""
    beginning = WatchedPoint(path.points[0].at, 0, 0, Colour.GREEN)
    for before, point in pairwise([beginning, *path.points]):
        if point.colour is not before.colour:
            place = (across(point.seen), up(max(point.value, 0)))
            drawing.circle(place, 5, PAPER, FILLS[point.colour])
            said = f"{Text(code=f'colour.{point.colour}').render(language)} · {_short(point.at, path)}"
            beyond = place[0] > (PATH_LEFT + PATH_RIGHT) / 2
            beside, colour = (place[0] + (-9 if beyond else 9), place[1] + 14), INKS[point.colour]
            drawing.text(beside, said, anchor="end" if beyond else "start", colour=colour, bold=True)


DRIFT_LEFT, DRIFT_RIGHT, DRIFT_TOP, ROW = 168, 616, 22, 22
_STRIP, _NARROWEST = 12, 3.0


@dataclass(frozen=True)
class Spell:
    """How long a column had a colour."""

    begins: datetime
    ends: datetime
    colour: Colour


@dataclass(frozen=True)
class DriftStrip:
    """A column and the periods in which it wasn't green, oldest first."""

    column: str
    spells: Sequence[Spell]


def drift_chart(strips: Sequence[DriftStrip], begins: datetime, ends: datetime, language: Language) -> str:
    """Return the strips as SVG from ``begins`` to ``ends``; "" without a column."""
    if not strips:
        return ""
    title = text("chart.drift.title").render(language)
    bottom = DRIFT_TOP + ROW * len(strips)
    drawing = Drawing(640, bottom + 34, title, _description(strips, language))
    whole = max((ends - begins).total_seconds(), 1.0)
    for row, strip in enumerate(strips):
        top = DRIFT_TOP + ROW * row
        drawing.text((DRIFT_LEFT - 10, top + _STRIP), _cut(strip.column), anchor="end")
        drawing.rectangle((DRIFT_LEFT, top + 2), (DRIFT_RIGHT - DRIFT_LEFT, _STRIP), LINE, rounding=2)
        for spell in strip.spells:
            left = DRIFT_LEFT + (DRIFT_RIGHT - DRIFT_LEFT) * (spell.begins - begins).total_seconds() / whole
            right = DRIFT_LEFT + (DRIFT_RIGHT - DRIFT_LEFT) * (spell.ends - begins).total_seconds() / whole
            place = (max(min(left, DRIFT_RIGHT - _NARROWEST), DRIFT_LEFT), top + 2)
            drawing.rectangle(place, (max(right - place[0], _NARROWEST), _STRIP), FILLS[spell.colour], rounding=2)
        _draw_word(drawing, strip, top, language)
    drawing.text((DRIFT_LEFT, bottom + 20), format_minute(begins, zone=False), colour=MUTED)
    drawing.text((DRIFT_RIGHT, bottom + 20), format_minute(ends), anchor="end", colour=MUTED)
    return drawing.to_svg()


def _draw_word(drawing: Drawing, strip: DriftStrip, top: float, language: Language) -> None:
    """Write the colour of the last period on the strip as a word: some readers can't distinguish colours."""
    if strip.spells:
        last = strip.spells[-1].colour
        word = Text(code=f"colour.{last}").render(language)
        drawing.text((DRIFT_LEFT + 6, top + _STRIP), word, colour=INKS[last], bold=True)


def _description(strips: Sequence[DriftStrip], language: Language) -> str:
    told = [
        text("chart.drift.column", column=strip.column, colour=Text(code=f"colour.{strip.spells[-1].colour}"))
        for strip in strips
        if strip.spells
    ]
    return "; ".join(one.render(language) for one in told) or text("chart.drift.none").render(language)


def _cut(name: str, room: float = DRIFT_LEFT - 20) -> str:
    while name and width_of(name) > room:
        name = name[:-1]
    return name


ALARM_WIDTH, ALARM_LEFT, ALARM_RIGHT = 760, 150, 738
_GAP, _LANE, _LANES, _STRIPS_SHOWN = 26, 17, 5, 4
_RISK_HEIGHT, _EVIDENCE_HEIGHT, _LABELS_HEIGHT = 104, 84, 34


@dataclass(frozen=True)
class CohortMean:
    """The mean loss of a cohort, what was accepted, and the level that the loss has exceeded at some time so far."""

    at: datetime
    mean: float
    accepted: float
    exceeded: float | None
    """None: nothing is certain yet."""
    cases: int
    """Those whose labels count."""
    labelled: int
    predicted: float | None = None
    """What the answers' own probabilities predict, without labels."""


@dataclass(frozen=True)
class AlarmMark:
    """Something that was done or said; with a ``colour``, a detector took it."""

    at: datetime
    said: str
    colour: Colour | None = None


@dataclass(frozen=True)
class Alarm:
    """What led to the colour of a criterion and what followed, over all versions and armings."""

    name: str
    means: Sequence[CohortMean]
    evidence: Sequence[WatchedPoint]
    alpha: float
    strips: Sequence[DriftStrip]
    marks: Sequence[AlarmMark]
    begins: datetime
    ends: datetime


def alarm_chart(alarm: Alarm, language: Language) -> str:
    """Return the alarm as SVG: risk, evidence, labels, inputs and acts over one axis of time; "" before any cohort."""
    if not alarm.means:
        return ""
    strips, lanes = alarm.strips[:_STRIPS_SHOWN], _in_lanes(alarm)
    heights = (_RISK_HEIGHT, _EVIDENCE_HEIGHT, _LABELS_HEIGHT, max(len(strips), 1) * _LANE, max(len(lanes), 1) * _LANE)
    tops = [20.0]
    for height in heights:
        tops.append(tops[-1] + height + _GAP)
    title = text("chart.alarm.title", name=alarm.name).render(language)
    drawing = Drawing(ALARM_WIDTH, tops[-1] + 18, title, _alarm_in_words(alarm).render(language))
    across = Scale(alarm.begins.timestamp(), alarm.ends.timestamp(), ALARM_LEFT, ALARM_RIGHT)
    for mark in alarm.marks:
        if mark.colour is not None:
            x = across(mark.at.timestamp())
            drawing.line((x, tops[0]), (x, tops[-1] - _GAP), FILLS[mark.colour], 1, "4 3")
    for top, band in zip(tops, ("risk", "evidence", "labels", "inputs", "acts"), strict=False):
        drawing.text((8, top + 12), text(f"chart.alarm.{band}").render(language), bold=True)
        drawing.text((8, top + 28), text(f"chart.alarm.{band}_help").render(language), colour=MUTED, size=11)
        if top > tops[0]:
            drawing.line((8, top - _GAP / 2), (ALARM_RIGHT, top - _GAP / 2), HAIR)
    _draw_risk(drawing, alarm, across, tops[0], language)
    _draw_evidence(drawing, alarm, across, tops[1], language)
    _draw_labels(drawing, alarm, across, tops[2])
    _draw_inputs(drawing, alarm, strips, across, tops[3])
    _draw_acts(drawing, lanes, across, tops[4])
    days = [format_day(alarm.begins + share * (alarm.ends - alarm.begins)) for share in (0, 1 / 3, 2 / 3, 1)]
    drawing.labels_within(ALARM_LEFT, ALARM_RIGHT, days, tops[-1] + 6)
    return drawing.to_svg()


def _draw_risk(drawing: Drawing, alarm: Alarm, across: Scale, top: float, language: Language) -> None:
    """Draw the mean of each cohort, the bound that it has exceeded for certain, and what was accepted."""
    means, last = alarm.means, alarm.means[-1]
    highest = max(max(one.mean, one.accepted) for one in means)
    up = Scale(0, min(1.15 * highest, 1.0), top + _RISK_HEIGHT, top)
    drawing.up_ticks(up, (ALARM_LEFT, ALARM_RIGHT), 3)
    certain = [(across(one.at.timestamp()), up(one.exceeded)) for one in means if one.exceeded is not None]
    if certain:
        shape = [(certain[0][0], up(0)), *certain, (certain[-1][0], up(0))]
        drawing.polygon(shape, PALE_BLUE)
    accepted = [(across(one.at.timestamp()), up(one.accepted)) for one in means]
    drawing.path([(ALARM_LEFT, accepted[0][1]), *accepted, (ALARM_RIGHT, accepted[-1][1])], FILLS[Colour.RED], 2)
    for run in unbroken(one if one.predicted is not None else None for one in means):
        drawing.path([(across(one.at.timestamp()), up(one.predicted or 0)) for one in run], MUTED, 1.5, "2 3")
    drawing.path([(across(one.at.timestamp()), up(one.mean)) for one in means], BLUE)
    drawing.circle((across(last.at.timestamp()), up(last.mean)), 3.5, BLUE)
    said = text("chart.alarm.accepted", share=percent(last.accepted, ".3g")).render(language)
    drawing.text((ALARM_LEFT + 4, accepted[0][1] - 5), said, colour=INKS[Colour.RED], bold=True)
    drawing.text((ALARM_RIGHT, top - 6), _now(last).render(language), anchor="end", bold=True)


def _now(last: CohortMean) -> Text:
    mean = percent(last.mean, ".3g")
    if not last.exceeded:
        return text("chart.alarm.latest", mean=mean)
    return text("chart.alarm.latest_sure", mean=mean, least=percent(last.exceeded, ".3g"))


def _draw_evidence(drawing: Drawing, alarm: Alarm, across: Scale, top: float, language: Language) -> None:
    """Draw the log of the evidence against its level, at which it is red, a line for each arming."""
    up = Scale(
        0, min(max(_LEAST, max((one.value for one in alarm.evidence), default=0)), _MOST), top + _EVIDENCE_HEIGHT, top
    )
    drawing.line((ALARM_LEFT, up(0)), (ALARM_RIGHT, up(0)), LINE)
    drawing.line((ALARM_LEFT, up(1)), (ALARM_RIGHT, up(1)), FILLS[Colour.RED], 2)
    said = text("chart.alarm.level", level=f"{1 / alarm.alpha:.4g}").render(language)
    drawing.text((ALARM_LEFT + 4, up(1) - 5), said, colour=INKS[Colour.RED], bold=True)
    drawing.text((ALARM_LEFT - 6, up(0) + 4), "1", anchor="end", colour=MUTED, size=11)
    for run in _by_arming(alarm.evidence):
        drawing.path([(across(one.at.timestamp()), up(max(one.value, 0))) for one in run], BLUE)


def _by_arming(points: Sequence[WatchedPoint]) -> list[list[WatchedPoint]]:
    """Return the points of each arming: with it a detector begins to count anew."""
    runs: list[list[WatchedPoint]] = []
    for point in points:
        if not runs or point.seen <= runs[-1][-1].seen:
            runs.append([])
        runs[-1].append(point)
    return runs


def _draw_labels(drawing: Drawing, alarm: Alarm, across: Scale, top: float) -> None:
    """Draw for each cohort how many cases count, and how many of them have a label."""
    most = max(one.cases for one in alarm.means)
    width = max((ALARM_RIGHT - ALARM_LEFT) / len(alarm.means) * 0.8, 1.0)
    for one in alarm.means:
        left = min(max(across(one.at.timestamp()) - width / 2, ALARM_LEFT), ALARM_RIGHT - width)
        for count, fill in ((one.cases, LINE), (one.labelled, BLUE)):
            height = _LABELS_HEIGHT * count / most
            drawing.rectangle((left, top + _LABELS_HEIGHT - height), (width, height), fill)


def _draw_inputs(drawing: Drawing, alarm: Alarm, strips: Sequence[DriftStrip], across: Scale, top: float) -> None:
    for row, strip in enumerate(strips):
        y = top + row * _LANE
        drawing.rectangle((ALARM_LEFT, y), (ALARM_RIGHT - ALARM_LEFT, _STRIP), LINE, rounding=2)
        for spell in strip.spells:
            left = across(max(spell.begins, alarm.begins).timestamp())
            wide = max(across(min(spell.ends, alarm.ends).timestamp()) - left, _NARROWEST)
            drawing.rectangle((left, y), (wide, _STRIP), FILLS[spell.colour], rounding=2)
        drawing.text((ALARM_LEFT + 6, y + _STRIP - 2), shortened(strip.column, 200), size=11)
    if not strips:
        drawing.line((ALARM_LEFT, top + 8), (ALARM_RIGHT, top + 8), LINE)


def _in_lanes(alarm: Alarm) -> list[list[AlarmMark]]:
    """Return the marks in lanes, so that no words overlap; marks that find no room are left out."""
    across = Scale(alarm.begins.timestamp(), alarm.ends.timestamp(), ALARM_LEFT, ALARM_RIGHT)
    lanes: list[list[AlarmMark]] = []
    ends: list[float] = []
    for mark in sorted(alarm.marks, key=lambda one: one.at):
        left, right = _span(mark, across)
        free = next((lane for lane, end in enumerate(ends) if left > end + 8), len(lanes))
        if free == len(lanes):
            if free >= _LANES:
                continue
            lanes.append([])
            ends.append(0.0)
        lanes[free].append(mark)
        ends[free] = right
    return lanes


def _span(mark: AlarmMark, across: Scale) -> tuple[float, float]:
    x, wide = across(mark.at.timestamp()), width_of(mark.said) + 12
    return (x - wide, x + 6) if x + wide > ALARM_RIGHT else (x - 6, x + wide)


def _draw_acts(drawing: Drawing, lanes: Sequence[Sequence[AlarmMark]], across: Scale, top: float) -> None:
    for row, lane in enumerate(lanes):
        y = top + row * _LANE + 6
        for mark in lane:
            x = across(mark.at.timestamp())
            to_left = _span(mark, across)[0] < x - 6
            drawing.circle((x, y), 4.5, FILLS[mark.colour] if mark.colour is not None else MUTED)
            place = (x + (-9 if to_left else 9), y + 4)
            drawing.text(place, mark.said, anchor="end" if to_left else "start", size=11)


def _alarm_in_words(alarm: Alarm) -> Text:
    """Return the picture in words: what was measured last, against what, and what was done."""
    marks = "; ".join(f"{format_day(one.at)} {one.said}" for one in alarm.marks)
    accepted = percent(alarm.means[-1].accepted, ".3g")
    return text("chart.alarm.description", latest=_now(alarm.means[-1]), accepted=accepted, marks=marks)
