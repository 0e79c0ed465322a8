"""The power of a trial: the probability that it meets a rule, over its number of cases."""

from collections.abc import Sequence

from pilotbase.charts.drawing import Drawing
from pilotbase.charts.palette import AMBER, BLUE, DEEP_BLUE, LINE, MUTED, PAPER
from pilotbase.charts.scales import Scale, format_count
from pilotbase.documents.texts import Language, percent, text

WIDTH, HEIGHT = 640, 240
LEFT, RIGHT, TOP, BOTTOM = 56, 600, 24, 180


def power_chart(
    rule: str, points: Sequence[tuple[int, float]], planned: int, power: float, language: Language, there: int = 0
) -> str:
    """Return the probability that a trial meets ``rule`` over its number of cases as SVG; ``planned`` is marked.

    ``there``: so many cases there are; they are marked if they lie within the curve.
    """
    described = "; ".join(f"{format_count(cases)}: {percent(share).render(language)}" for cases, share in points)
    drawing = Drawing(WIDTH, HEIGHT, text("chart.power.title", rule=rule).render(language), described)
    across, up = Scale(0, max([planned, *(cases for cases, _ in points)]), LEFT, RIGHT), Scale(0, 1, BOTTOM, TOP)
    for tick in (0.0, 0.5, 1.0):
        drawing.line((LEFT, up(tick)), (RIGHT, up(tick)), LINE)
        drawing.text((LEFT - 8, up(tick) + 4), percent(tick).render(language), anchor="end", colour=MUTED)
    drawing.bottom_axis(across, (TOP, BOTTOM), about=6)
    drawing.text((RIGHT, BOTTOM + 36), text("chart.power.cases").render(language), anchor="end", colour=MUTED)
    if 0 < there <= max(planned, points[-1][0]):
        drawing.line((across(there), BOTTOM), (across(there), TOP), AMBER, 2)
        said = text("chart.power.there", cases=there).render(language)
        drawing.text((across(there) + 6, TOP + 10), said, colour=MUTED)
    drawing.path([(across(cases), up(share)) for cases, share in points], BLUE, 3)
    drawing.line((across(planned), BOTTOM), (across(planned), up(power)), DEEP_BLUE, dashes="4 3")
    drawing.circle((across(planned), up(power)), 5, PAPER, DEEP_BLUE)
    said = f"{format_count(planned)} · {percent(power).render(language)}"
    drawing.text((across(planned) + 10, up(power) + 18), said, bold=True)
    return drawing.to_svg()
