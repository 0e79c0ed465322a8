"""Who has how much of a pool: over time, a band an organisation; now, within its guarantee, borrowed, and its limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pilotbase.charts.columns import format_time
from pilotbase.charts.drawing import (
    AMBER,
    BLUE,
    DEEP_BLUE,
    GREEN,
    HAIR,
    INK,
    LINE,
    MUTED,
    PALE_BLUE,
    PAPER,
    Drawing,
    width_of,
)
from pilotbase.charts.scales import Scale
from pilotbase.documents.texts import Language, percent, text

WIDTH, LEFT, RIGHT, TOP, TALL, FOOT, LEGEND = 760, 52, 752, 12, 220, 30, 24
COLOURS = (BLUE, PALE_BLUE, GREEN, AMBER, DEEP_BLUE, LINE)
"""From the lowest band up; letters and words distinguish the bands too."""
MOST_BANDS = len(COLOURS)
_SHORT = 3 * 86_400.0
"""Seconds up to which the axis shows minutes."""
_LABELS = 5
HELD_WIDTH, HELD_ROW, HELD_BAR, HELD_TOP, HELD_FOOT = 680, 44, 18, 40, 26
HELD_LEFT, HELD_RIGHT, HELD_END = 172, 520, 672
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class UsageBand:
    """One organisation: its mean share of the pool in each of the equal stretches of time, 0 to 1."""

    name: str
    shares: tuple[float, ...]


@dataclass(frozen=True)
class Promise:
    """The guarantee of the lowest band."""

    words: str
    share: float


def usage_chart(
    bands: Sequence[UsageBand],
    since: float,
    until: float,
    title: str,
    language: Language,
    promise: Promise | None = None,
) -> str:
    """Return the bands as SVG, the first one lowest; "" without one. Ends are seconds since 1970.

    Raises:
        ValueError: more bands than `MOST_BANDS`; put the last ones together.
    """
    if not bands:
        return ""
    if len(bands) > MOST_BANDS:
        raise ValueError(f"{len(bands)} bands; {MOST_BANDS} at most")
    rows = _legend_rows(bands)
    bottom = TOP + TALL
    spelled = [", ".join(percent(one).render(language) for one in band.shares) for band in bands]
    described = "; ".join(f"{band.name}: {shares}" for band, shares in zip(bands, spelled, strict=True))
    drawing = Drawing(WIDTH, bottom + FOOT + LEGEND * len(rows), title, described)
    heights = [sum(band.shares[index] for band in bands) for index in range(len(bands[0].shares))]
    scale = Scale(0, max(1.0, *heights), bottom, TOP)
    _draw_axes(drawing, scale, since, until, language)
    _draw_bands(drawing, bands, scale)
    if promise is not None:
        drawing.line((LEFT, scale(promise.share)), (RIGHT, scale(promise.share)), INK, 2, "6 4")
        drawing.text((RIGHT - 6, scale(promise.share) - 6), promise.words, anchor="end", colour=INK, bold=True)
    for number, row in enumerate(rows):
        _draw_legend(drawing, row, bottom + FOOT + LEGEND * number + 12)
    return drawing.to_svg()


def others(language: Language) -> str:
    """Return the name of the band for everyone without a separate band."""
    return text("chart.usage.others").render(language)


def _letter(number: int) -> str:
    return chr(ord("A") + number)


def _legend_rows(bands: Sequence[UsageBand]) -> list[list[tuple[int, str]]]:
    rows: list[list[tuple[int, str]]] = [[]]
    used = float(LEFT)
    for number, band in enumerate(bands):
        wide = 60 + width_of(band.name)
        if rows[-1] and used + wide > RIGHT:
            rows.append([])
            used = float(LEFT)
        rows[-1].append((number, band.name))
        used += wide
    return rows


def _draw_axes(drawing: Drawing, scale: Scale, since: float, until: float, language: Language) -> None:
    for tick in scale.ticks(4):
        drawing.line((LEFT, scale(tick)), (RIGHT, scale(tick)), HAIR)
        drawing.text((LEFT - 8, scale(tick) + 4), percent(tick).render(language), anchor="end", colour=MUTED)
    short, step = until - since <= _SHORT, (until - since) / (_LABELS - 1)
    said = [format_time(since + number * step, short) for number in range(_LABELS)]
    drawing.labels_within(LEFT, RIGHT, said, scale.start + 18)


def _draw_bands(drawing: Drawing, bands: Sequence[UsageBand], scale: Scale) -> None:
    """Draw the bands and their letters, each letter where its band is widest."""
    below = [0.0] * len(bands[0].shares)
    wide = (RIGHT - LEFT) / len(below)
    for number, band in enumerate(bands):
        for index, share in enumerate(band.shares):
            top, bottom = scale(below[index] + share), scale(below[index])
            drawing.rectangle((LEFT + index * wide, top), (max(wide - 1, 1), bottom - top - 0.5), COLOURS[number])
        widest = max(range(len(below)), key=lambda index: band.shares[index])
        if scale(0) - scale(band.shares[widest]) >= 16:
            middle = scale(below[widest] + band.shares[widest] / 2) + 4
            at = (LEFT + (widest + 0.5) * wide, middle)
            drawing.text(at, _letter(number), anchor="middle", colour=INK, bold=True)
        below = [one + share for one, share in zip(below, band.shares, strict=True)]
    drawing.line((LEFT, scale(0)), (RIGHT, scale(0)), LINE)


def _draw_legend(drawing: Drawing, row: list[tuple[int, str]], y: float) -> None:
    x = float(LEFT)
    for number, name in row:
        drawing.rectangle((x, y - 10), (12, 12), COLOURS[number], rounding=2, outline=PAPER)
        drawing.text((x + 18, y), f"{_letter(number)}  {name}", colour=INK)
        x += 60 + width_of(name)


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
    height = HELD_TOP + HELD_ROW * len(bars) + HELD_FOOT
    drawing = Drawing(HELD_WIDTH, height, title, described)
    scale = Scale(0, 1, HELD_LEFT, HELD_RIGHT)
    _draw_held_legend(drawing, bars, words)
    for tick in _TICKS:
        drawing.line((scale(tick), HELD_TOP), (scale(tick), height - HELD_FOOT + 2), HAIR)
        drawing.text(
            (scale(tick), height - HELD_FOOT + 18), percent(tick).render(language), anchor="middle", colour=MUTED
        )
    for index, bar in enumerate(bars):
        _draw_bar(drawing, bar, scale, HELD_TOP + HELD_ROW * index, words, language)
    return drawing.to_svg()


def _described(bar: PoolBar, words: dict[str, str], language: Language) -> str:
    shares = {"guarantee": bar.guarantee or None, "borrowed": bar.borrowed or None, "limit": bar.limit}
    marks = [f", {words[name]} {percent(one).render(language)}" for name, one in shares.items() if one is not None]
    return f"{bar.name}: {bar.spelled} ({percent(bar.held).render(language)}){''.join(marks)}"


def _draw_held_legend(drawing: Drawing, bars: Sequence[PoolBar], words: dict[str, str]) -> None:
    x = float(HELD_LEFT)
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
    y = top + (HELD_ROW - HELD_BAR) / 2
    within = min(bar.held, bar.guarantee)
    drawing.text((HELD_LEFT - 12, y + 14), bar.name, anchor="end", colour=INK, size=13)
    drawing.rectangle((HELD_LEFT, y), (scale(within) - HELD_LEFT, HELD_BAR), BLUE, rounding=2)
    size = (scale(bar.held) - scale(within) - 1, HELD_BAR - 1)
    drawing.rectangle((scale(within) + 0.5, y + 0.5), size, PAPER, rounding=2, outline=BLUE)
    if bar.guarantee:
        drawing.line((scale(bar.guarantee), y - 5), (scale(bar.guarantee), y + HELD_BAR + 5), INK, 3)
    if bar.limit is not None:
        drawing.line((scale(bar.limit), y - 5), (scale(bar.limit), y + HELD_BAR + 5), MUTED, 2, "3 3")
    drawing.text((HELD_END, y + 6), bar.spelled, anchor="end", colour=INK, bold=True, size=13)
    borrowed = f" · {words['borrowed']} {percent(bar.borrowed).render(language)}" if bar.borrowed else ""
    drawing.text((HELD_END, y + 21), percent(bar.held).render(language) + borrowed, anchor="end", colour=MUTED)
