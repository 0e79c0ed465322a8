"""Which application is better than which, where not all can be told apart: the lines lead from better down to worse."""

from pilotbase.charts.drawing import Drawing, shortened
from pilotbase.charts.palette import BLUE, DEEP_BLUE, MUTED, PAPER
from pilotbase.documents.board import TenderResult, order_in_words
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import Language, text

ORDER_WIDTH, ORDER_LEFT, ORDER_TOP, ORDER_ROW, ORDER_STEP, ORDER_GUTTER = 340, 12, 16, 28, 32, 128


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
