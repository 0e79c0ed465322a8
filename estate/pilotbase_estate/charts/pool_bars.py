"""What each organisation holds of one dimension of a pool: within its guarantee, borrowed beyond it, and its limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pilotbase.charts.drawing import BLUE, HAIR, INK, MUTED, PAPER, Drawing, width_of
from pilotbase.charts.scales import Scale
from pilotbase.documents.texts import Language, percent, text

WIDTH, ROW, BAR, TOP, FOOT = 680, 44, 18, 40, 26
LEFT, RIGHT, END = 172, 520, 672
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class PoolBar:
    """One organisation's part of a dimension; shares of the pool's total, 0 to 1."""

    name: str
    held: float
    guarantee: float
    """0: nothing is promised, and nothing is marked."""
    limit: float | None
    """None: it is not limited."""
    spelled: str
    """What is held, in the unit of the dimension."""

    @property
    def borrowed(self) -> float:
        return max(self.held - self.guarantee, 0.0)


def pool_chart(bars: Sequence[PoolBar], title: str, language: Language) -> str:
    """Return the organisations as SVG in the order given: filled within the guarantee, hollow where borrowed."""
    words = {name: text(f"chart.pool.{name}").render(language) for name in ("within", "borrowed", "guarantee", "limit")}
    described = "; ".join(_described(bar, words, language) for bar in bars)
    height = TOP + ROW * len(bars) + FOOT
    drawing = Drawing(WIDTH, height, title, described)
    scale = Scale(0, 1, LEFT, RIGHT)
    _draw_legend(drawing, bars, words)
    for tick in _TICKS:
        drawing.line((scale(tick), TOP), (scale(tick), height - FOOT + 2), HAIR)
        drawing.text((scale(tick), height - FOOT + 18), percent(tick).render(language), anchor="middle", colour=MUTED)
    for index, bar in enumerate(bars):
        _draw_bar(drawing, bar, scale, TOP + ROW * index, words, language)
    return drawing.to_svg()


def _described(bar: PoolBar, words: dict[str, str], language: Language) -> str:
    shares = {"guarantee": bar.guarantee or None, "borrowed": bar.borrowed or None, "limit": bar.limit}
    marks = [f", {words[name]} {percent(one).render(language)}" for name, one in shares.items() if one is not None]
    return f"{bar.name}: {bar.spelled} ({percent(bar.held).render(language)}){''.join(marks)}"


def _draw_legend(drawing: Drawing, bars: Sequence[PoolBar], words: dict[str, str]) -> None:
    x = float(LEFT)
    drawing.rectangle((x, 8), (12, 12), BLUE, rounding=2)
    x = _word(drawing, x + 18, words["within"])
    drawing.rectangle((x, 8), (12, 12), PAPER, rounding=2, outline=BLUE)
    x = _word(drawing, x + 18, words["borrowed"])
    if any(bar.guarantee for bar in bars):
        drawing.line((x + 4, 5), (x + 4, 23), INK, 3)
        x = _word(drawing, x + 14, words["guarantee"])
    if any(bar.limit is not None for bar in bars):
        drawing.line((x + 4, 5), (x + 4, 23), MUTED, 2, "3 3")
        _word(drawing, x + 14, words["limit"])


def _word(drawing: Drawing, x: float, word: str) -> float:
    drawing.text((x, 18), word, colour=MUTED)
    return x + width_of(word) + 18


def _draw_bar(
    drawing: Drawing, bar: PoolBar, scale: Scale, top: float, words: dict[str, str], language: Language
) -> None:
    y = top + (ROW - BAR) / 2
    within = min(bar.held, bar.guarantee)
    drawing.text((LEFT - 12, y + 14), bar.name, anchor="end", colour=INK, size=13)
    drawing.rectangle((LEFT, y), (scale(within) - LEFT, BAR), BLUE, rounding=2)
    size = (scale(bar.held) - scale(within) - 1, BAR - 1)
    drawing.rectangle((scale(within) + 0.5, y + 0.5), size, PAPER, rounding=2, outline=BLUE)
    if bar.guarantee:
        drawing.line((scale(bar.guarantee), y - 5), (scale(bar.guarantee), y + BAR + 5), INK, 3)
    if bar.limit is not None:
        drawing.line((scale(bar.limit), y - 5), (scale(bar.limit), y + BAR + 5), MUTED, 2, "3 3")
    drawing.text((END, y + 6), bar.spelled, anchor="end", colour=INK, bold=True, size=13)
    borrowed = f" · {words['borrowed']} {percent(bar.borrowed).render(language)}" if bar.borrowed else ""
    drawing.text((END, y + 21), percent(bar.held).render(language) + borrowed, anchor="end", colour=MUTED)
