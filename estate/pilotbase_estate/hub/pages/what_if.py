"""What if a pool had other rules: requested, followed while it is replayed, its figures side by side, cancelled."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from pilotbase.documents.base import localized
from pilotbase.documents.moments import format_minute
from pilotbase.documents.permissions import ReadScope
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest, language, posted_files
from pilotbase.hub.base import base
from pilotbase.hub.forms.declared import AGAINST, add_errors, do, post_of
from pilotbase.hub.presenters.taken import sandboxed
from pilotbase.hub.routing import FORM, page
from pilotbase.worker.progress import told
from pilotbase_estate.computing.told_pools import pool_told
from pilotbase_estate.computing.what_if import (
    KEPT,
    WhatIf,
    find_what_if,
    replay_of,
    what_ifs,
)
from pilotbase_estate.hub.forms.what_if import WhatIfForm
from pilotbase_estate.hub.pages.pools import crumbs
from pilotbase_estate.hub.presenters.what_ifs import changes_told, figures_told
from pilotbase_estate.operations import pools
from pilotbase_estate.operations.pools import CANCEL_WHAT_IF
from pilotbase_estate.queue.pools import pool_of
from pilotbase_estate.replay.page import render_replay


@page("pools/<slug:name>/what-if/", "pool-what-if", ReadScope.WHAT_IF, FORM)
def ask(request: HubRequest, name: str) -> HttpResponse:
    """Request a replay of a pool's record under other rules, and list earlier requests."""
    view = request.acting.view
    pool = pool_of(view, name)[1]
    form = WhatIfForm(pool, view.store.clock().date(), *posted_files(request))
    if request.method == "POST" and form.is_valid():
        try:
            made = do(pools.ASK_WHAT_IF, view, {"pool": name, **form.said()})
            return redirect("what-if", name=name, identity=made.identity)
        except AGAINST as error:
            add_errors(form, error)
    shown = {
        "title": text("what_if.title"),
        "pool": {"name": name, "title": localized(pool.title, language())},
        "form": form,
        "asked": [_row(one) for one in what_ifs(view, name)],
        "days": KEPT.days,
        "crumbs": crumbs(pool_told(view, language(), name)),
    }
    return render(request, "hub/pool_what_if.html", shown)


@page("pools/<slug:name>/what-if/<digits:identity>/", "what-if", ReadScope.WHAT_IF)
def show(request: HubRequest, name: str, identity: str) -> HttpResponse:
    """Show a what-if's progress, then its figures."""
    view = request.acting.view
    found, pool = find_what_if(view, name, identity), pool_told(view, language(), name)
    live, replay = not found.job.ended, replay_of(base(), found) if found.played is not None else None
    if not live and request.headers.get("HX-Request"):
        response = HttpResponse()
        response["HX-Refresh"] = "true"
        return response
    shown = {
        "title": text("what_if.asked_on", moment=format_minute(found.order.asked_at)),
        "pool": pool,
        **_row(found),
        "changes": changes_told(view, found, replay),
        "live": live,
        "may_take_back": live and not found.job.stopping and _may_take_back(request, found),
        "figures": figures_told(replay) if replay is not None else None,
        "days": KEPT.days,
        "crumbs": [*crumbs(pool), {"url": reverse("pool-what-if", args=[name]), "label": text("what_if.title")}],
    }
    template = "hub/parts/what_if.html" if request.headers.get("HX-Request") else "hub/pool_what_if_result.html"
    return render(request, template, shown)


@page("pools/<slug:name>/what-if/<digits:identity>/replay.html", "what-if-page", ReadScope.WHAT_IF)
def show_file(request: HubRequest, name: str, identity: str) -> HttpResponse:
    """Return the figures as the single file that the command line writes, sandboxed so that nothing in it can run."""
    view = request.acting.view
    return sandboxed(render_replay(replay_of(base(), find_what_if(view, name, identity)), language()))


def _row(found: WhatIf) -> dict[str, Any]:
    until = found.played.until if found.played is not None else None
    return {"order": found.order, "job": told(found.job), "kept_until": until, "is_over": found.is_over}


def _may_take_back(request: HubRequest, found: WhatIf) -> bool:
    return request.acting.actor.may_write_for(found.order.organisation)


post_of(
    "pools/<slug:name>/what-if/<digits:identity>/cancel/",
    "what-if-cancel",
    CANCEL_WHAT_IF,
    "what-if",
    back=("name", "identity"),
    pool="name",
    asked="identity",
)
