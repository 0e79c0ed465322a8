"""Pictures of shared pools: who holds what now, and usage over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.safestring import SafeString

from pilotbase.documents.texts import text
from pilotbase.hub.acting import language
from pilotbase.hub.presenters.drawn import drawn
from pilotbase.hub.presenters.records import title_of
from pilotbase_estate.charts.pool_bars import PoolBar, pool_chart
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
