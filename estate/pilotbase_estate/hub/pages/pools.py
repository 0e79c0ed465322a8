"""Shared pools: who holds what now, who waits and why, past usage."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from pilotbase.documents.permissions import ReadScope
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.routing import page
from pilotbase_estate.computing.told_pools import pool_told, pools_told, queue_told, usage_told
from pilotbase_estate.documents.api.pools import PoolTold, UsageSpan
from pilotbase_estate.hub.presenters.pool_charts import history_chart, holdings_chart, scarcest


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
