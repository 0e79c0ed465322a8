"""Scores: a criterion with its interval, candidates on it, groups (never a verdict), a board's leader; order and power.

Where not all applications can be told apart, lines lead from the better down to the worse. The power of a trial is the
probability that it meets a rule, over its number of cases.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pilotbase.charts.drawing import (
    AMBER,
    BLUE,
    DEEP_BLUE,
    INK,
    LINE,
    MUTED,
    PALE_GREEN,
    PAPER,
    Anchor,
    Drawing,
    shortened,
    width_of,
)
from pilotbase.charts.marks import COLOURS
from pilotbase.charts.scales import (
    Scale,
    around,
    format_bounds,
    format_count,
    format_number,
    format_score,
    format_ticks,
    named_once,
)
from pilotbase.documents.api.trials import ComparedCriterion
from pilotbase.documents.board import TenderResult, order_in_words
from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.report import CriterionResult, GroupScore
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import Language, percent, text

CRITERION_WIDTH, CRITERION_LEFT, CRITERION_RIGHT = 380, 84, 324
CRITERION_TOP, OURS, THEIRS, BOTTOM, BOTTOM_ALONE = 30, 58, 94, 116, 80
UNDER_AXIS, UNDER_AXIS_WITH_UNIT = 32, 52
ORDER_WIDTH, ORDER_LEFT, ORDER_TOP, ORDER_ROW, ORDER_STEP, ORDER_GUTTER = 340, 12, 16, 28, 32, 128
POWER_WIDTH, POWER_HEIGHT = 640, 240
POWER_LEFT, POWER_RIGHT, POWER_TOP, POWER_BOTTOM = 56, 600, 24, 180


def criterion_chart(result: CriterionResult, language: Language) -> str:
    """Return the criterion as SVG: acceptable side shaded, threshold as a line, bounds as a bar, score as a dot."""
    title = text("chart.criterion.title", rule=result.rule).render(language)
    height = _bottom(result) + (UNDER_AXIS_WITH_UNIT if named_once(result.unit_label) else UNDER_AXIS)
    drawing = Drawing(CRITERION_WIDTH, height, title, _description(result, language))
    known = [result.threshold, result.estimate, *_bounds(result), result.baseline]
    ends = _value_range(result, [value for value in known if value is not None])
    scale = Scale(*ends, CRITERION_LEFT, CRITERION_RIGHT)
    _draw_ground(drawing, result, scale, (CRITERION_TOP, _bottom(result)), 4)
    if named_once(result.unit_label):
        unit = text("chart.unit", unit=result.unit_label).render(language)
        place = ((CRITERION_LEFT + CRITERION_RIGHT) / 2, _bottom(result) + 38)
        drawing.text(place, unit, anchor="middle", colour=MUTED)
    _draw_threshold(drawing, result, scale, CRITERION_TOP, language)
    _draw_ours(drawing, result, scale, language)
    if _compared(result):
        _draw_baseline(drawing, result, scale, language)
    return drawing.to_svg()


def _value_range(result: CriterionResult, values: list[float]) -> tuple[float, float]:
    """Return the range of an axis for ``values`` of the criterion: shares stay in [0, 1], amounts start at zero."""
    if result.unit_label:
        return (min(0.0, *values), max(values) * 1.15 or 1.0)
    return around(values, _within(values))


def _within(values: list[float]) -> tuple[float, float] | None:
    """Return what an axis for ``values`` does not go beyond: where all are shares, 0 and 1."""
    return (0.0, 1.0) if all(0 <= value <= 1 for value in values) else None


def _compared(result: CriterionResult) -> bool:
    """Return whether a baseline can be shown: the difference of two answers (a drop, a lift) has none."""
    return result.paired is None


def _bottom(result: CriterionResult) -> int:
    return BOTTOM if _compared(result) else BOTTOM_ALONE


def _bounds(result: CriterionResult) -> tuple[float | None, float | None]:
    """Return the bounds; a measurement on one run has none."""
    return (None, None) if result.guarantee == "measured_run" else (result.lower, result.upper)


def _draw_ground(
    drawing: Drawing, result: CriterionResult | ComparedCriterion, scale: Scale, rows: tuple[float, float], ticks: int
) -> None:
    """Shade the acceptable side between the upper and lower end of ``rows``, with the axis and the threshold's line."""
    threshold, (top, bottom) = scale(result.threshold), rows
    at_least = parse_rule(result.rule).comparison == ">="
    start, end = (threshold, scale.end) if at_least else (scale.start, threshold)
    drawing.rectangle((start, top), (end - start, bottom - top), PALE_GREEN)
    drawing.bottom_axis(scale, rows, about=ticks, unit=result.unit_label)
    drawing.line((scale.start, bottom), (scale.end, bottom), LINE)
    drawing.line((threshold, top - 6), (threshold, bottom), INK, 2)


def _draw_threshold(
    drawing: Drawing, result: CriterionResult | ComparedCriterion, scale: Scale, top: float, language: Language
) -> None:
    label = text("chart.threshold", value=format_score(result.threshold, result, on_axis=True)).render(language)
    anchor: Anchor = "end" if scale(result.threshold) > (scale.start + scale.end) / 2 else "start"
    drawing.text((scale(result.threshold) + (-4 if anchor == "end" else 4), top - 12), label, anchor=anchor, bold=True)


def _draw_bounds(drawing: Drawing, bounds: tuple[float | None, float | None], scale: Scale, y: float) -> None:
    """Draw an interval as a bar that reaches the edge where a bound is not known."""
    lower, upper = bounds
    if lower is None and upper is None:
        return
    start, end = scale.low if lower is None else lower, scale.high if upper is None else upper
    drawing.line((scale(start), y), (scale(end), y), BLUE, 6)
    for bound in bounds:
        if bound is not None:
            drawing.line((scale(bound), y - 8), (scale(bound), y + 8), DEEP_BLUE, 2)


def _draw_ours(drawing: Drawing, result: CriterionResult, scale: Scale, language: Language) -> None:
    drawing.text((CRITERION_LEFT - 14, OURS + 4), text("chart.application").render(language), anchor="end")
    _draw_bounds(drawing, _bounds(result), scale, OURS)
    if result.estimate is None:
        note = text("chart.no_score").render(language)
        drawing.text((CRITERION_LEFT + 8, OURS + 4), note, colour=MUTED)
        return
    drawing.circle((scale(result.estimate), OURS), 6, PAPER, COLOURS[result.outcome], 3)
    label = format_score(result.estimate, result, on_axis=True)
    drawing.text((scale(result.estimate), OURS - 13), label, anchor="middle", bold=True)


def _draw_diamond(drawing: Drawing, x: float, y: float, r: float) -> None:
    drawing.polygon([(x, y - r), (x + r, y), (x, y + r), (x - r, y)], PAPER, MUTED)


def _draw_baseline(drawing: Drawing, result: CriterionResult, scale: Scale, language: Language) -> None:
    drawing.text((CRITERION_LEFT - 14, THEIRS + 4), text("chart.baseline").render(language), anchor="end", colour=MUTED)
    if result.baseline is None:
        drawing.text((CRITERION_LEFT + 8, THEIRS + 4), "–", colour=MUTED)
        return
    x = scale(result.baseline)
    _draw_diamond(drawing, x, THEIRS, 6)
    label = format_score(result.baseline, result, on_axis=True)
    fits = x + 12 + width_of(label) <= CRITERION_WIDTH
    drawing.text((x + (12 if fits else -12), THEIRS + 4), label, anchor="start" if fits else "end", colour=MUTED)


def _description(result: CriterionResult, language: Language) -> str:
    lower, upper = format_bounds(_bounds(result), result)
    values = {
        "score": format_score(result.estimate, result),
        "lower": lower,
        "upper": upper,
        "threshold": format_score(result.threshold, result),
        "outcome": text(f"outcome.{result.outcome.value}"),
    }
    if not _compared(result):
        return text("chart.criterion.description_alone", **values).render(language)
    return text("chart.criterion.description", **values, baseline=format_score(result.baseline, result)).render(
        language
    )


CANDIDATE_WIDTH, CANDIDATE_ROW, CANDIDATE_TOP, FOOT = 440, 64, 34, 28
CANDIDATE_LEFT, CANDIDATE_RIGHT = 28, 412
_NAME, _MIDDLE = 16, 46
"""Distance of a candidate's name and dot from the top of its row: one above the other, for phones."""
_LONGEST_NAME = 280


@dataclass(frozen=True)
class CandidateRow:
    """One candidate's line: its name and how it met the criterion."""

    name: str
    result: ComparedCriterion


def candidates_chart(rows: Sequence[CandidateRow], language: Language) -> str:
    """Return rows of one criterion as SVG: bounds as a bar, score as a dot, baseline on the same cases as a diamond.

    Nothing is drawn ("") if no candidate has a score.
    """
    values = [value for row in rows for value in _values(row.result)]
    if not values:
        return ""
    first = rows[0].result
    title = text("chart.candidates.title", rule=first.rule).render(language)
    bottom = CANDIDATE_TOP + CANDIDATE_ROW * len(rows)
    drawing = Drawing(CANDIDATE_WIDTH, bottom + FOOT, title, "; ".join(_told(row) for row in rows))
    limits = None if first.unit_label else _within(values)
    scale = Scale(*around([*values, first.threshold], limits), CANDIDATE_LEFT, CANDIDATE_RIGHT)
    _draw_ground(drawing, first, scale, (CANDIDATE_TOP, bottom), 5)
    _draw_threshold(drawing, first, scale, CANDIDATE_TOP, language)
    for index, row in enumerate(rows):
        _draw_candidate_row(drawing, row, scale, CANDIDATE_TOP + CANDIDATE_ROW * index)
    return drawing.to_svg()


def _values(result: ComparedCriterion) -> list[float]:
    found = (result.estimate, result.lower, result.upper, result.baseline)
    return [value for value in found if value is not None]


def _draw_candidate_row(drawing: Drawing, row: CandidateRow, scale: Scale, top: float) -> None:
    result, y = row.result, top + _MIDDLE
    drawing.text((CANDIDATE_LEFT, top + _NAME), shortened(row.name, _LONGEST_NAME))
    _draw_bounds(drawing, (result.lower, result.upper), scale, y)
    if result.baseline is not None:
        _draw_diamond(drawing, scale(result.baseline), y, 5)
    if result.estimate is None:
        drawing.text((CANDIDATE_LEFT + 8, y + 4), "–", colour=MUTED)
        return
    x = scale(result.estimate)
    drawing.circle((x, y), 6, PAPER, COLOURS[result.outcome], 3)
    anchor: Anchor = "start" if x < CANDIDATE_LEFT + 16 else "end" if x > CANDIDATE_RIGHT - 16 else "middle"
    drawing.text((x, y - 11), format_score(result.estimate, result, on_axis=True), anchor=anchor, bold=True)


def _told(row: CandidateRow) -> str:
    lower, upper = format_bounds((row.result.lower, row.result.upper), row.result)
    return f"{row.name}: {format_score(row.result.estimate, row.result)} [{lower}, {upper}]"


GROUP_WIDTH, GROUP_ROW = 380, 30
GROUP_LEFT, GROUP_RIGHT, GROUP_TOP = 118, 300, 8
_LONGEST_LABEL = 15


def group_chart(scores: Sequence[GroupScore], language: Language) -> str:
    """Return the groups of one column and measure as SVG, one row each in the order given."""
    bottom = GROUP_TOP + GROUP_ROW * len(scores)
    title = text("chart.groups.title", measure=scores[0].measure, column=scores[0].column).render(language)
    description = "; ".join(f"{score.group}: {format_number(score.score)}" for score in scores)
    drawing = Drawing(GROUP_WIDTH, bottom + 28, title, description)
    found = [bound for score in scores for bound in (score.score, score.lower, score.upper) if bound is not None]
    scale = Scale(*around(found or [0.0, 1.0], _within(found)), GROUP_LEFT, GROUP_RIGHT)
    drawing.bottom_axis(scale, (GROUP_TOP, bottom))
    drawing.line((GROUP_LEFT, bottom), (GROUP_RIGHT, bottom), LINE)
    for index, score in enumerate(scores):
        _draw_group_row(drawing, score, scale, GROUP_TOP + GROUP_ROW * index + GROUP_ROW / 2, language)
    return drawing.to_svg()


def _draw_group_row(drawing: Drawing, score: GroupScore, scale: Scale, y: float, language: Language) -> None:
    drawing.text((GROUP_LEFT - 10, y + 4), _shortened(score.group), anchor="end")
    cases = text("chart.groups.cases", cases=format_count(score.cases)).render(language)
    drawing.text((GROUP_WIDTH - 2, y + 4), cases, anchor="end", colour=MUTED)
    if score.score is None:
        drawing.text(((GROUP_LEFT + GROUP_RIGHT) / 2, y + 4), "–", anchor="middle", colour=MUTED)
        return
    if score.lower is not None and score.upper is not None:
        drawing.line((scale(score.lower), y), (scale(score.upper), y), BLUE, 4)
    drawing.circle((scale(score.score), y), 5, PAPER, DEEP_BLUE, 2.5)


def _shortened(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"


LEADER_WIDTH, LEADER_HEIGHT = 640, 220
LEADER_LEFT, LEADER_RIGHT, LEADER_TOP, LEADER_BOTTOM = 56, 600, 24, 180


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
    drawing = Drawing(LEADER_WIDTH, LEADER_HEIGHT, title, described)
    low, high = around([step.score for step in steps])
    across = Scale(0, len(steps), LEADER_LEFT, LEADER_RIGHT)
    up = Scale(low, high, LEADER_BOTTOM, LEADER_TOP)
    ticks = up.ticks(4)
    for tick, label in zip(ticks, format_ticks(ticks), strict=True):
        drawing.line((LEADER_LEFT, up(tick)), (LEADER_RIGHT, up(tick)), LINE)
        drawing.text((LEADER_LEFT - 8, up(tick) + 4), label, anchor="end", colour=MUTED)
    path = [(across(index + end), up(step.score)) for index, step in enumerate(steps) for end in (0, 1)]
    drawing.path(path, BLUE, 3)
    for index in dict.fromkeys((0, len(steps) - 1)):
        drawing.text((across(index), LEADER_BOTTOM + 20), steps[index].day, colour=MUTED)
    for index, step in enumerate(steps):
        drawing.circle((across(index), up(step.score)), 5, PAPER, DEEP_BLUE)
    drawing.text((LEADER_RIGHT, up(steps[-1].score) - 10), format_number(steps[-1].score), anchor="end", bold=True)
    return drawing.to_svg()


def order_chart(result: TenderResult, language: Language) -> str:
    """Return the order as SVG: a row for each application, further right for each chain above it; filled = best.

    A line that follows from two others is left out.
    """
    pairs = {(one.better, one.worse) for one in result.separated}
    places = result.places()
    rows = sorted(result.entrants, key=lambda one: (places[one], one not in result.best, one))
    deepest = max(places.values()) - 1
    step = min(ORDER_STEP, ORDER_GUTTER / max(deepest, 1))
    at = {one: (ORDER_LEFT + step * (places[one] - 1), ORDER_TOP + ORDER_ROW * row) for row, one in enumerate(rows)}
    described = "; ".join(one.render(language) for one in order_in_words(result))
    height = ORDER_TOP + ORDER_ROW * len(rows) - 8
    drawing = Drawing(ORDER_WIDTH, height, text("tender.order").render(language), described)
    for a, b in sorted(pairs):
        if not any((a, one) in pairs and (one, b) in pairs for one in rows):
            drawing.line(at[a], at[b], MUTED, 1.5)
    names = ORDER_LEFT + step * deepest + 18
    for one in rows:
        best = one in result.best
        drawing.circle(at[one], 7, BLUE if best else PAPER, DEEP_BLUE)
        drawing.text((names, at[one][1] + 4), shortened(name_of(one), (ORDER_WIDTH - names) / 1.1), bold=best)
    return drawing.to_svg()


def power_chart(
    rule: str, points: Sequence[tuple[int, float]], planned: int, power: float, language: Language, there: int = 0
) -> str:
    """Return the probability that a trial meets ``rule`` over its number of cases as SVG; ``planned`` is marked.

    ``there``: so many cases there are; they are marked if they lie within the curve.
    """
    described = "; ".join(f"{format_count(cases)}: {percent(share).render(language)}" for cases, share in points)
    drawing = Drawing(POWER_WIDTH, POWER_HEIGHT, text("chart.power.title", rule=rule).render(language), described)
    across, up = (
        Scale(0, max([planned, *(cases for cases, _ in points)]), POWER_LEFT, POWER_RIGHT),
        Scale(0, 1, POWER_BOTTOM, POWER_TOP),
    )
    for tick in (0.0, 0.5, 1.0):
        drawing.line((POWER_LEFT, up(tick)), (POWER_RIGHT, up(tick)), LINE)
        drawing.text((POWER_LEFT - 8, up(tick) + 4), percent(tick).render(language), anchor="end", colour=MUTED)
    drawing.bottom_axis(across, (POWER_TOP, POWER_BOTTOM), about=6)
    drawing.text(
        (POWER_RIGHT, POWER_BOTTOM + 36), text("chart.power.cases").render(language), anchor="end", colour=MUTED
    )
    if 0 < there <= max(planned, points[-1][0]):
        drawing.line((across(there), POWER_BOTTOM), (across(there), POWER_TOP), AMBER, 2)
        said = text("chart.power.there", cases=there).render(language)
        drawing.text((across(there) + 6, POWER_TOP + 10), said, colour=MUTED)
    drawing.path([(across(cases), up(share)) for cases, share in points], BLUE, 3)
    drawing.line((across(planned), POWER_BOTTOM), (across(planned), up(power)), DEEP_BLUE, dashes="4 3")
    drawing.circle((across(planned), up(power)), 5, PAPER, DEEP_BLUE)
    said = f"{format_count(planned)} · {percent(power).render(language)}"
    drawing.text((across(planned) + 10, up(power) + 18), said, bold=True)
    return drawing.to_svg()
