"""One criterion: the score with its interval against the threshold, and the baseline on the same cases below it."""

from __future__ import annotations

from pilotbase.charts.drawing import Anchor, Drawing, width_of
from pilotbase.charts.marks import COLOURS
from pilotbase.charts.numbers import format_number, format_on_axis, format_ticks, named_once
from pilotbase.charts.palette import BLUE, DEEP_BLUE, INK, LINE, MUTED, PALE_GREEN, PAPER
from pilotbase.charts.scales import Scale, around
from pilotbase.documents.criteria import parse_rule
from pilotbase.documents.report import CriterionResult
from pilotbase.documents.texts import Language, text

WIDTH, LEFT, RIGHT = 380, 84, 324
TOP, OURS, THEIRS, BOTTOM, BOTTOM_ALONE = 30, 58, 94, 116, 80
UNDER_AXIS, UNDER_AXIS_WITH_UNIT = 32, 52


def criterion_chart(result: CriterionResult, language: Language) -> str:
    """Return the criterion as SVG: acceptable side shaded, threshold as a line, bounds as a bar, score as a dot."""
    title = text("chart.criterion.title", rule=result.rule).render(language)
    height = _bottom(result) + (UNDER_AXIS_WITH_UNIT if named_once(result.unit_label) else UNDER_AXIS)
    drawing = Drawing(WIDTH, height, title, _description(result, language))
    scale = _scale(result)
    _draw_ground(drawing, result, scale, language)
    _draw_ours(drawing, result, scale, language)
    if _compared(result):
        _draw_baseline(drawing, result, scale, language)
    return drawing.to_svg()


def value_range(result: CriterionResult, values: list[float]) -> tuple[float, float]:
    """Return the range of an axis for ``values`` of the criterion: shares stay in [0, 1], amounts start at zero."""
    if result.unit_label:
        return (min(0.0, *values), max(values) * 1.15 or 1.0)
    share = all(0 <= value <= 1 for value in values)
    return around(values, (0.0, 1.0) if share else None)


def _compared(result: CriterionResult) -> bool:
    """Tell whether a baseline has its place: the difference of two answers (a drop, a lift) has none of its own."""
    return result.paired is None


def _bottom(result: CriterionResult) -> int:
    return BOTTOM if _compared(result) else BOTTOM_ALONE


def _bounds(result: CriterionResult) -> tuple[float | None, float | None]:
    """Return the bounds; what was measured on one run has none."""
    return (None, None) if result.guarantee == "measured_run" else (result.lower, result.upper)


def _scale(result: CriterionResult) -> Scale:
    found = [result.threshold, result.estimate, *_bounds(result), result.baseline]
    return Scale(*value_range(result, [value for value in found if value is not None]), LEFT, RIGHT)


def _draw_ground(drawing: Drawing, result: CriterionResult, scale: Scale, language: Language) -> None:
    threshold, bottom = scale(result.threshold), _bottom(result)
    at_least = parse_rule(result.rule).comparison == ">="
    start, end = (threshold, RIGHT) if at_least else (LEFT, threshold)
    drawing.rectangle((start, TOP), (end - start, bottom - TOP), PALE_GREEN)
    ticks = scale.ticks(4, result.unit_label)
    drawing.bottom_axis([scale(tick) for tick in ticks], format_ticks(ticks, result.unit_label), TOP, bottom)
    drawing.line((LEFT, bottom), (RIGHT, bottom), LINE)
    drawing.line((threshold, TOP - 6), (threshold, bottom), INK, 2)
    if named_once(result.unit_label):
        unit = text("chart.unit", unit=result.unit_label).render(language)
        drawing.text(((LEFT + RIGHT) / 2, bottom + 38), unit, anchor="middle", colour=MUTED)
    label = text("chart.threshold", value=format_on_axis(result.threshold, result.unit_label)).render(language)
    anchor: Anchor = "end" if threshold > (LEFT + RIGHT) / 2 else "start"
    drawing.text((threshold + (-4 if anchor == "end" else 4), TOP - 12), label, anchor=anchor, bold=True)


def _draw_ours(drawing: Drawing, result: CriterionResult, scale: Scale, language: Language) -> None:
    drawing.text((LEFT - 14, OURS + 4), text("chart.application").render(language), anchor="end")
    lower, upper = _bounds(result)
    if lower is not None or upper is not None:
        start, end = scale.low if lower is None else lower, scale.high if upper is None else upper
        drawing.line((scale(start), OURS), (scale(end), OURS), BLUE, 6)
        for bound in (lower, upper):
            if bound is not None:
                drawing.line((scale(bound), OURS - 8), (scale(bound), OURS + 8), DEEP_BLUE, 2)
    if result.estimate is None:
        note = text("chart.no_score").render(language)
        drawing.text((LEFT + 8, OURS + 4), note, colour=MUTED)
        return
    drawing.circle((scale(result.estimate), OURS), 6, PAPER, COLOURS[result.outcome], 3)
    label = format_on_axis(result.estimate, result.unit_label)
    drawing.text((scale(result.estimate), OURS - 13), label, anchor="middle", bold=True)


def _draw_baseline(drawing: Drawing, result: CriterionResult, scale: Scale, language: Language) -> None:
    drawing.text((LEFT - 14, THEIRS + 4), text("chart.baseline").render(language), anchor="end", colour=MUTED)
    if result.baseline is None:
        drawing.text((LEFT + 8, THEIRS + 4), "–", colour=MUTED)
        return
    x = scale(result.baseline)
    drawing.polygon([(x, THEIRS - 6), (x + 6, THEIRS), (x, THEIRS + 6), (x - 6, THEIRS)], PAPER, MUTED)
    label = format_on_axis(result.baseline, result.unit_label)
    fits = x + 12 + width_of(label) <= WIDTH
    drawing.text((x + (12 if fits else -12), THEIRS + 4), label, anchor="start" if fits else "end", colour=MUTED)


def _description(result: CriterionResult, language: Language) -> str:
    unit, (lower, upper) = result.unit_label, _bounds(result)
    values = {
        "score": format_number(result.estimate, unit),
        "lower": format_number(lower, unit),
        "upper": format_number(upper, unit),
        "threshold": format_number(result.threshold, unit),
        "outcome": text(f"outcome.{result.outcome.value}"),
    }
    if not _compared(result):
        return text("chart.criterion.description_alone", **values).render(language)
    return text("chart.criterion.description", **values, baseline=format_number(result.baseline, unit)).render(language)
