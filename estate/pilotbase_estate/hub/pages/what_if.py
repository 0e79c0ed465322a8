"""What if a pool had other rules: requested, followed while it is replayed, its figures side by side, cancelled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import unified_diff
from typing import Any

import yaml
from django import forms
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString

from pilotbase.documents.base import localized
from pilotbase.documents.moments import format_minute
from pilotbase.documents.permissions import ReadScope
from pilotbase.documents.quantities import write_bytes
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest, language, posted
from pilotbase.hub.base import base
from pilotbase.hub.forms.declared import AGAINST, do, post_of
from pilotbase.hub.forms.parts import Asking, Editor
from pilotbase.hub.presenters.drawn import drawn
from pilotbase.hub.presenters.records import title_of
from pilotbase.hub.presenters.taken import sandboxed
from pilotbase.hub.routing import FORM, page
from pilotbase.hub.sentences import asked, t
from pilotbase.worker.progress import told
from pilotbase.workspace.store import View
from pilotbase_estate.computing.told_pools import pool_told
from pilotbase_estate.computing.what_if import KEPT, WhatIf, find_what_if, replay_of, what_ifs
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.pool_replay import Policy, PoolReplay
from pilotbase_estate.hub.pages.pools import crumbs
from pilotbase_estate.operations import pools
from pilotbase_estate.operations.pools import CANCEL_WHAT_IF
from pilotbase_estate.queue.pools import pool_of
from pilotbase_estate.replay.page import render_replay
from pilotbase_estate.replay.page.wording import ReplayWording

_ASKING = Asking(
    pools.ASK_WHAT_IF,
    inside="considered",
    left=frozenset({"document", "name", "title", "seats"}),
)
USUAL = (Policy.SHARED, Policy.FIFO, Policy.DRF)
_DAYS, _SIZES = 7, ("memory", "disk")
_ISO = "%Y-%m-%d"
"""The format in which browsers send the day of a date field, in every language."""


class WhatIfForm(forms.Form):
    """Days to replay, and policies."""

    since = forms.DateField(label=t("what_if.since"), widget=forms.DateInput(format=_ISO, attrs={"type": "date"}))
    until = forms.DateField(
        **asked("what_if.until", "what_if.until_help"),
        widget=forms.DateInput(format=_ISO, attrs={"type": "date"}),
        required=False,
    )
    policies = forms.MultipleChoiceField(
        **asked("what_if.policies", "what_if.policies_help"), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, today: date, data: QueryDict | None) -> None:
        since = today - timedelta(days=_DAYS - 1)
        super().__init__(data, initial={"since": since, "policies": [one.value for one in USUAL]})
        names = [(one.value, t(f"replay.policy.{one.value}")) for one in dict.fromkeys((*USUAL, *Policy))]
        self.fields["policies"].choices = names  # type: ignore[attr-defined]

    def said(self) -> dict[str, Any]:
        """Return what is asked, but for the pool."""
        given = self.cleaned_data
        until = _midnight(given["until"] + timedelta(days=1)) if given["until"] is not None else None
        return {"since": _midnight(given["since"]), "until": until, "policies": given["policies"]}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


@page("pools/<slug:name>/what-if/", "pool-what-if", ReadScope.WHAT_IF, FORM)
def ask(request: HubRequest, name: str) -> HttpResponse:
    """Request a replay of a pool's record under other rules, and list earlier requests."""
    view = request.acting.view
    pool, sent = pool_of(view, name)[1], posted(request)
    form = WhatIfForm(view.store.clock().date(), sent)
    editor = Editor(_ASKING, Pool, _spelled(pool.to_json_value()), format_pool(pool), sent)
    if request.method == "POST" and all([editor.is_valid(), form.is_valid()]):
        try:
            made = do(pools.ASK_WHAT_IF, view, {"pool": name, **form.said(), "considered": editor.said()})
            return redirect("what-if", name=name, identity=made.identity)
        except AGAINST as error:
            editor.refuse(error)
    shown = {
        "title": text("what_if.title"),
        "pool": {"name": name, "title": localized(pool.title, language())},
        "form": form,
        "editor": editor,
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


@dataclass(frozen=True)
class WhatIfChart:
    """A chart, and its description."""

    title: str
    chart: SafeString
    says: str


def format_pool(pool: Pool) -> str:
    """Return a pool as people write it, without the defaults."""
    plain = _spelled(_without_empty(pool.to_json_value()))
    return str(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=110))


def changes_told(view: View, found: WhatIf, replay: PoolReplay | None) -> str:
    """Return which lines of a pool's document the proposal changes; empty if none.

    ``replay``: its figures, which contain the pool of that day; without them it is compared with the pool of today.
    """
    order = found.order
    if order.considered is None:
        return ""
    stood = replay.pool_before if replay is not None else None
    before = view.load(stood, Pool) if stood is not None else pool_of(view, order.pool)[1]
    was, considered = (format_pool(one).splitlines() for one in (before, order.considered))
    return "\n".join(list(unified_diff(was, considered, lineterm=""))[2:])


def figures_told(replay: PoolReplay) -> dict[str, object]:
    """Return the tables and pictures that a page shows of a replay, as in its HTML file."""
    words = ReplayWording(language(), replay, title_of)
    return {
        "facts": words.facts,
        "policies": words.policies,
        "organisations": words.organisations,
        "pictures": [one for one in _pictures(words) if one.chart],
        "assumptions": words.assumptions,
    }


def _pictures(words: ReplayWording) -> Iterator[WhatIfChart]:
    left_out = words.t("replay.page.left_out", number=words.left_out) if words.left_out else ""
    used = words.t("replay.page.used", dimension=words.dimension(words.replay.shown_dimension))
    yield WhatIfChart(used, drawn(words.used()), words.t("replay.page.used_says"))
    for name, chart in (("waits", words.waits()), ("shares", words.shares())):
        says = f"{words.t(f'replay.page.{name}_says')} {left_out}".strip()
        yield WhatIfChart(words.t(f"replay.page.{name}"), drawn(chart), says)
    yield WhatIfChart(words.t("replay.page.fragments"), drawn(words.fragments()), words.t("replay.page.fragments_says"))


def _spelled(value: Any) -> Any:
    """Return a pool with sizes as people write them, such as 64 GiB."""
    if isinstance(value, dict):
        return {
            name: write_bytes(one) if name in _SIZES and isinstance(one, int) else _spelled(one)
            for name, one in value.items()
        }
    return [_spelled(one) for one in value] if isinstance(value, list) else value


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_empty(one) for name, one in value.items() if one not in ({}, [])}
    return [_without_empty(one) for one in value] if isinstance(value, list) else value


post_of(
    "pools/<slug:name>/what-if/<digits:identity>/cancel/",
    "what-if-cancel",
    CANCEL_WHAT_IF,
    "what-if",
    back=("name", "identity"),
    pool="name",
    asked="identity",
)
