"""Shared pools: who holds what now, who waits and why, past usage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString

from pilotbase.documents.permissions import ReadScope
from pilotbase.documents.texts import percent, text
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.presenters.drawn import drawn
from pilotbase.hub.presenters.records import title_of
from pilotbase.hub.routing import page
from pilotbase_estate.charts.usage_bands import MOST_BANDS, PoolBar, Promise, UsageBand, others, pool_chart, usage_chart
from pilotbase_estate.computing.told_pools import pool_told, pools_told, queue_told, usage_told
from pilotbase_estate.documents.api.pools import HoldingTold, PoolTold, UsageSpan, UsageTold
from pilotbase_estate.documents.resources import format_amount


@page("pools/", "pools")
def show_all(request: HubRequest) -> HttpResponse:
    """List the pools of the base."""
    found = pools_told(request.acting.view, language())
    rows = [(one, _own(request, one)) for one in found]
    return render(request, "hub/pools.html", {"title": text("pool.hub.title"), "rows": rows})


@page("pools/<slug:name>/", "pool")
def show(request: HubRequest, name: str) -> HttpResponse:
    """Show who holds what of a pool, one dimension as a picture and all in a table."""
    pool = pool_told(request.acting.view, language(), name)
    asked = request.GET.get("dimension", "")
    dimension = asked if asked in pool.capacity else scarcest(pool)
    shown = {
        "title": pool.title,
        "pool": pool,
        "dimension": dimension,
        "chart": holdings_chart(pool, dimension) if pool.holdings else "",
        "own": _own(request, pool),
        "what_if": request.acting.reads(ReadScope.WHAT_IF),
        "live": True,
        "crumbs": crumbs(),
    }
    template = "hub/parts/pool.html" if request.headers.get("HX-Request") else "hub/pool.html"
    return render(request, template, shown)


@page("pools/<slug:name>/jobs/", "pool-queue")
def show_queue(request: HubRequest, name: str) -> HttpResponse:
    """Show who waits and runs: the reader's own jobs with the reason why, others' as organisation and amount."""
    view = request.acting.view
    pool = pool_told(view, language(), name)
    shown = {
        "title": text("pool.hub.queue"),
        "pool": pool,
        "queue": queue_told(view, language(), name),
        "live": True,
        "crumbs": crumbs(pool),
    }
    template = "hub/parts/pool_queue.html" if request.headers.get("HX-Request") else "hub/pool_queue.html"
    return render(request, template, shown)


@page("pools/<slug:name>/usage/", "pool-usage")
def show_usage(request: HubRequest, name: str) -> HttpResponse:
    """Show usage of a pool in the last hour, day, week or month, beside a guarantee."""
    view = request.acting.view
    pool, asked = pool_told(view, language(), name), request.GET.get("span", "")
    span = UsageSpan(asked) if asked in list(UsageSpan) else UsageSpan.DAY
    usage = usage_told(view, name, span)
    organisations = [one.organisation for one in pool.holdings]
    of = request.GET.get("of", "")
    of = next((one for one in (of, request.acting.organisation, *organisations[:1]) if one in organisations), "")
    rows = [(one, sum(shares) / len(shares), usage.guarantees.get(one, 0.0)) for one, shares in usage.shares.items()]
    shown = {
        "title": text("pool.hub.usage"),
        "pool": pool,
        "span": span.value,
        "spans": [one.value for one in UsageSpan],
        "of": of,
        "organisations": organisations,
        "rows": sorted(rows, key=lambda row: (-row[1], row[0])),
        "chart": history_chart(usage, of),
        "crumbs": crumbs(pool),
    }
    return render(request, "hub/pool_usage.html", shown)


def crumbs(pool: PoolTold | None = None) -> list[dict[str, Any]]:
    """Return the breadcrumbs of a page below the pools, or below one of them."""
    found: list[dict[str, Any]] = [{"url": reverse("pools"), "label": text("pool.hub.title")}]
    return (
        found if pool is None else [*found, {"url": reverse("pool", kwargs={"name": pool.name}), "label": pool.title}]
    )


def _own(request: HubRequest, pool: PoolTold) -> Any:
    """Return what the reader's organisation has of a pool; None: it has no quota."""
    return next((one for one in pool.holdings if one.organisation == request.acting.organisation), None)


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
    promise = Promise(f"{words} {percent(guarantee).render(language())}", guarantee) if guarantee else None
    title = text("pool.hub.usage").render(language())
    return drawn(usage_chart(bands, usage.since.timestamp(), usage.until.timestamp(), title, language(), promise))


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
