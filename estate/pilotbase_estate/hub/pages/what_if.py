"""What if a pool had other rules: requested, followed while it is replayed, its figures side by side, cancelled."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from pilotbase.documents.base import localized
from pilotbase.documents.loading import build_document
from pilotbase.documents.moments import format_minute
from pilotbase.documents.permissions import ReadScope
from pilotbase.documents.texts import text
from pilotbase.documents.yaml_reader import MAXIMUM_BYTES, parse_yaml
from pilotbase.hub.acting import HubRequest, language, posted_files
from pilotbase.hub.base import base
from pilotbase.hub.forms.declared import AGAINST, add_errors, do, post_of
from pilotbase.hub.forms.files import SizedForm
from pilotbase.hub.presenters.taken import sandboxed
from pilotbase.hub.routing import FORM, page
from pilotbase.hub.sentences import asked, t
from pilotbase.worker.progress import told
from pilotbase_estate.computing.told_pools import pool_told
from pilotbase_estate.computing.what_if import KEPT, WhatIf, find_what_if, replay_of, what_ifs
from pilotbase_estate.documents.pool import Pool
from pilotbase_estate.documents.pool_replay import Policy
from pilotbase_estate.hub.pages.pools import crumbs
from pilotbase_estate.hub.presenters.what_ifs import changes_told, figures_told, format_pool
from pilotbase_estate.operations import pools
from pilotbase_estate.operations.pools import CANCEL_WHAT_IF
from pilotbase_estate.queue.pools import pool_of
from pilotbase_estate.replay.page import render_replay

USUAL = (Policy.SHARED, Policy.FIFO, Policy.DRF)
_DAYS = 7
_ISO = "%Y-%m-%d"
"""The format in which browsers send the day of a date field, in every language."""


class WhatIfForm(SizedForm):
    """Days to replay, policies, and the pool's document to change."""

    since = forms.DateField(label=t("what_if.since"), widget=forms.DateInput(format=_ISO, attrs={"type": "date"}))
    until = forms.DateField(
        **asked("what_if.until", "what_if.until_help"),
        widget=forms.DateInput(format=_ISO, attrs={"type": "date"}),
        required=False,
    )
    policies = forms.MultipleChoiceField(
        **asked("what_if.policies", "what_if.policies_help"), widget=forms.CheckboxSelectMultiple
    )
    considered = forms.CharField(
        **asked("what_if.considered", "what_if.considered_help"),
        widget=forms.Textarea(attrs={"rows": 20, "spellcheck": "false", "class": "code"}),
        required=False,
        max_length=MAXIMUM_BYTES,
    )
    file = forms.FileField(**asked("what_if.document", "what_if.document_help"), required=False)

    def __init__(self, pool: Pool, today: date, data: QueryDict | None, files: Any) -> None:
        since = today - timedelta(days=_DAYS - 1)
        first = {"since": since, "policies": [one.value for one in USUAL], "considered": format_pool(pool)}
        super().__init__(data, files, initial=first)
        names = [(one.value, t(f"replay.policy.{one.value}")) for one in dict.fromkeys((*USUAL, *Policy))]
        self.fields["policies"].choices = names  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Show a chosen file in the text field, where it can be corrected."""
        given = super().clean()
        if given.get("file") is not None and "file" not in self.errors:
            given["considered"] = given["file"].read(MAXIMUM_BYTES + 1).decode("utf-8", "replace")
            self.data = self.data.copy()  # type: ignore[attr-defined]
            self.data["considered"] = given["considered"]  # type: ignore[index]
        return given

    def said(self) -> dict[str, Any]:
        """Return the request; raises `InputError` with every problem of the proposed pool."""
        given = self.cleaned_data
        written = given["considered"]
        considered = build_document(Pool, parse_yaml(written.encode(), "pool.yaml")) if written.strip() else None
        until = _midnight(given["until"] + timedelta(days=1)) if given["until"] is not None else None
        since = _midnight(given["since"])
        return {"since": since, "until": until, "policies": given["policies"], "considered": considered}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


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
