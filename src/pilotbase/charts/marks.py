"""Status as shape and colour; the word always stands beside it."""

from __future__ import annotations

from pilotbase.charts.drawing import Drawing, Point
from pilotbase.charts.palette import AMBER, GREEN, MUTED, PAPER, RED
from pilotbase.documents.texts import Language, text
from pilotbase.documents.vocabularies import Outcome, Verdict

COLOURS = {
    Outcome.PASS: GREEN,
    Outcome.FAIL: RED,
    Outcome.INCONCLUSIVE: AMBER,
    Outcome.NOT_MEASURED: MUTED,
}
OUTCOME_OF = {
    Verdict.ACCEPT: Outcome.PASS,
    Verdict.REJECT: Outcome.FAIL,
    Verdict.INCONCLUSIVE: Outcome.INCONCLUSIVE,
}


def status_mark(outcome: Outcome, language: Language = "en") -> str:
    """Return the mark of ``outcome`` alone, 24 × 24: disc, square, triangle, or empty ring."""
    drawing = Drawing(24, 24, outcome_word(outcome, language), "")
    draw_mark(drawing, outcome, (12, 12), 10)
    return drawing.to_svg()


def outcome_word(outcome: Outcome, language: Language) -> str:
    """Return the name of ``outcome``."""
    return text(f"outcome.{outcome.value}").render(language)


def draw_mark(drawing: Drawing, outcome: Outcome, centre: Point, radius: float) -> None:
    """Draw the mark of ``outcome``: disc with a tick, square with a cross, triangle with a query, ring with a dash."""
    x, y, r, colour = centre[0], centre[1], radius, COLOURS[outcome]
    stroke = max(1.6, r * 0.2)
    if outcome is Outcome.PASS:
        drawing.circle(centre, r, colour)
        drawing.path(
            [(x - r * 0.45, y + r * 0.02), (x - r * 0.1, y + r * 0.38), (x + r * 0.48, y - r * 0.34)], PAPER, stroke
        )
    elif outcome is Outcome.FAIL:
        side = r * 0.9
        drawing.rectangle((x - side, y - side), (2 * side, 2 * side), colour, rounding=r * 0.2)
        drawing.path([(x - r * 0.4, y - r * 0.4), (x + r * 0.4, y + r * 0.4)], PAPER, stroke)
        drawing.path([(x - r * 0.4, y + r * 0.4), (x + r * 0.4, y - r * 0.4)], PAPER, stroke)
    elif outcome is Outcome.INCONCLUSIVE:
        drawing.polygon([(x, y - r), (x + r * 1.08, y + r * 0.88), (x - r * 1.08, y + r * 0.88)], colour)
        drawing.path([(x, y - r * 0.34), (x, y + r * 0.22)], PAPER, stroke)
        drawing.circle((x, y + r * 0.58), stroke * 0.55, PAPER)
    else:
        drawing.circle(centre, r - 1, PAPER, colour, 2)
        drawing.path([(x - r * 0.4, y), (x + r * 0.4, y)], colour, stroke)
