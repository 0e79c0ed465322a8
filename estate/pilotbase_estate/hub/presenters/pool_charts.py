"""Pictures of shared pools: who holds what now, and usage over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from pilotbase.charts.drawing import Drawing, width_of
from pilotbase.charts.palette import LIGHT
from pilotbase.charts.scales import Scale
from pilotbase.documents.texts import Language, text
from pilotbase.hub.acting import language
from pilotbase.hub.presenters.drawn import drawn
from pilotbase.hub.presenters.records import title_of
from pilotbase_estate.charts.usage_bands import MOST_BANDS, Promise, UsageBand, others, usage_chart
from pilotbase_estate.documents.api.pools import HoldingTold, PoolTold, UsageTold
from pilotbase_estate.documents.resources import format_amount


def scarcest(pool: PoolTold) -> str:
    """Return the dimension of which the largest part is held; if none is held, the one of which most is guaranteed."""

    def parts(dimension: str) -> tuple[float, float]:
        whole = pool.capacity[dimension] or 1
        held = sum(one.held.get(dimension, 0) for one in pool.holdings)
        return held / whole, sum(one.guarantee.get(dimension, 0) for one in pool.holdings) / whole

    return max(sorted(pool.capacity), key=parts)


def holdings_chart(pool: PoolTold, dimension: str) -> SafeString:
    """Return who holds what of one dimension of a pool, in the order of its document."""
    title = text("pool.hub.holds", dimension=dimension).render(language())
    return drawn(pool_chart([_bar(pool, one, dimension) for one in pool.holdings], title, language()))


def history_chart(usage: UsageTold, of: str) -> SafeString:
    """Return usage over time, ``of`` at the bottom with its guarantee as a line; "" if there was none."""
    order = sorted(usage.shares, key=lambda name: (name != of, -sum(usage.shares[name]), name))
    if not order:
        return SafeString("")
    names, rows = _bands(usage.shares, order)
    bands = [
        UsageBand(title_of(name) if name else others(language()), row) for name, row in zip(names, rows, strict=True)
    ]
    guarantee = usage.guarantees.get(of, 0.0)
    words = text("pool.hub.guarantee_of", organisation=title_of(of)).render(language())
    promise = Promise(f"{words} {guarantee:.0%}", guarantee) if guarantee else None
    title = text("pool.hub.usage").render(language())
    return drawn(usage_chart(bands, usage.since.timestamp(), usage.until.timestamp(), title, promise))


def _bar(pool: PoolTold, one: HoldingTold, dimension: str) -> PoolBar:
    whole = pool.capacity[dimension] or 1
    held = one.held.get(dimension, 0)
    limit = one.limit.get(dimension)
    return PoolBar(
        name=title_of(one.organisation),
        held=held / whole,
        guarantee=one.guarantee.get(dimension, 0) / whole,
        limit=None if limit is None else min(limit / whole, 1.0),
        spelled=format_amount(dimension, held),
    )


def _bands(shares: Mapping[str, Sequence[float]], order: Sequence[str]) -> tuple[list[str], list[tuple[float, ...]]]:
    """Return as many organisations as a chart has bands, the last ones summed under ``""``."""
    kept = list(order if len(order) <= MOST_BANDS else order[: MOST_BANDS - 1])
    rows = [tuple(shares[name]) for name in kept]
    rest = [shares[name] for name in order[len(kept) :]]
    if not rest:
        return kept, rows
    return [*kept, ""], [*rows, tuple(sum(column) for column in zip(*rest, strict=True))]


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
    described = "; ".join(_described(bar, words) for bar in bars)
    height = TOP + ROW * len(bars) + FOOT
    drawing = Drawing(WIDTH, height, title, described)
    scale = Scale(0, 1, LEFT, RIGHT)
    _draw_legend(drawing, bars, words)
    drawing.bottom_axis([scale(tick) for tick in _TICKS], [f"{tick:.0%}" for tick in _TICKS], TOP, height - FOOT + 2)
    for index, bar in enumerate(bars):
        _draw_bar(drawing, bar, scale, TOP + ROW * index, words)
    return drawing.to_svg()


def _described(bar: PoolBar, words: dict[str, str]) -> str:
    said = f"{bar.name}: {bar.spelled} ({bar.held:.0%})"
    said += f", {words['guarantee']} {bar.guarantee:.0%}" if bar.guarantee else ""
    said += f", {words['borrowed']} {bar.borrowed:.0%}" if bar.borrowed else ""
    return said if bar.limit is None else f"{said}, {words['limit']} {bar.limit:.0%}"


def _draw_legend(drawing: Drawing, bars: Sequence[PoolBar], words: dict[str, str]) -> None:
    x = float(LEFT)
    drawing.rectangle((x, 8), (12, 12), LIGHT.strong, rounding=2)
    x = _word(drawing, x + 18, words["within"])
    drawing.rectangle((x, 8), (12, 12), LIGHT.paper, rounding=2, outline=LIGHT.strong)
    x = _word(drawing, x + 18, words["borrowed"])
    if any(bar.guarantee for bar in bars):
        drawing.line((x + 4, 5), (x + 4, 23), LIGHT.goal, 3)
        x = _word(drawing, x + 14, words["guarantee"])
    if any(bar.limit is not None for bar in bars):
        drawing.line((x + 4, 5), (x + 4, 23), LIGHT.muted, 2, "3 3")
        _word(drawing, x + 14, words["limit"])


def _word(drawing: Drawing, x: float, word: str) -> float:
    drawing.text((x, 18), word, colour=LIGHT.muted)
    return x + width_of(word) + 18


def _draw_bar(drawing: Drawing, bar: PoolBar, scale: Scale, top: float, words: dict[str, str]) -> None:
    y = top + (ROW - BAR) / 2
    within = min(bar.held, bar.guarantee)
    drawing.text((LEFT - 12, y + 14), bar.name, anchor="end", colour=LIGHT.ink, size=13)
    drawing.rectangle((LEFT, y), (scale(within) - LEFT, BAR), LIGHT.strong, rounding=2)
    size = (scale(bar.held) - scale(within) - 1, BAR - 1)
    drawing.rectangle((scale(within) + 0.5, y + 0.5), size, LIGHT.paper, rounding=2, outline=LIGHT.strong)
    if bar.guarantee:
        drawing.line((scale(bar.guarantee), y - 5), (scale(bar.guarantee), y + BAR + 5), LIGHT.goal, 3)
    if bar.limit is not None:
        drawing.line((scale(bar.limit), y - 5), (scale(bar.limit), y + BAR + 5), LIGHT.muted, 2, "3 3")
    drawing.text((END, y + 6), bar.spelled, anchor="end", colour=LIGHT.ink, bold=True, size=13)
    under = f"{bar.held:.0%}" + (f" · {words['borrowed']} {bar.borrowed:.0%}" if bar.borrowed else "")
    drawing.text((END, y + 21), under, anchor="end", colour=LIGHT.muted)
