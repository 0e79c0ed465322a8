"""Shared pools: who holds what now, who waits and why, past usage; and how the operator sets one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.forms import BaseFormSet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString

from pilotbase.documents.base import LONGEST_NAME, localized
from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.documents.loading import parse_request
from pilotbase.documents.permissions import ReadScope
from pilotbase.documents.quantities import format_duration
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import LANGUAGES, make_visible, percent, text
from pilotbase.hub.acting import HubRequest, language, posted
from pilotbase.hub.forms.declared import AGAINST, Choices, add_errors, offer
from pilotbase.hub.presenters.drawn import drawn
from pilotbase.hub.presenters.records import records_offered, title_of
from pilotbase.hub.routing import FORM, page
from pilotbase.hub.sentences import asked, t
from pilotbase.workspace.listings import MAXIMUM_PAGE, Query
from pilotbase.workspace.store import View
from pilotbase_estate.charts.usage_bands import MOST_BANDS, PoolBar, Promise, UsageBand, others, pool_chart, usage_chart
from pilotbase_estate.computing.told_pools import pool_told, pools_told, queue_told, usage_told
from pilotbase_estate.documents.api.pools import HoldingTold, PoolTold, UsageSpan, UsageTold
from pilotbase_estate.documents.pool import MOST_MACHINES, Machines, Pool, PoolAct, Quota
from pilotbase_estate.documents.resources import Resources, format_amount
from pilotbase_estate.queue.pools import pool_of, pools, set_pool

_EMPTY_ROWS, _MOST_ROWS, _LONGEST_AMOUNTS = 2, 200, 300
_IN_ROW = re.compile(r"(?P<part>machines|quotas)\[(?P<row>\d+)\]\.(?P<field>\w+)")


@page("pools/", "pools")
def show_all(request: HubRequest) -> HttpResponse:
    """List the pools of the base."""
    found = pools_told(request.acting.view, language())
    rows = [(one, _own(request, one)) for one in found]
    shown = {"title": text("pool.hub.title"), "rows": rows, "sets": request.acting.may(PoolAct.SET)}
    return render(request, "hub/pools.html", shown)


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
        "sets": request.acting.may(PoolAct.SET),
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


class _Amounts(forms.CharField):
    """Amounts as people write them: ``cpu 8, memory 32 GiB, gpu/t4 2``."""

    def clean(self, value: Any) -> dict[str, str]:
        parts = super().clean(value).replace("，", ",").split(",")
        pairs = (part.strip().partition(" ") for part in parts if part.strip())
        return {name: amount.strip() for name, _, amount in pairs}


class _Row(forms.Form):
    """A row of a table; one in which nothing is written does not count, whether it was empty before or not."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{**options, "empty_permitted": True, "use_required_attribute": False})

    def has_changed(self) -> bool:
        return any(self[name].data for name, field in self.fields.items() if field.initial is None)


class MachinesForm(_Row):
    """Some machines that are alike."""

    name = forms.CharField(label=t("pool.set.machine"), max_length=LONGEST_NAME)
    count = forms.IntegerField(label=t("pool.set.count"), min_value=1, max_value=MOST_MACHINES, initial=1)
    capacity = _Amounts(label=t("pool.set.capacity"), max_length=_LONGEST_AMOUNTS)


class QuotaForm(_Row):
    """What an organisation is promised, and the most that it ever has."""

    organisation = forms.ChoiceField(label=t("hub.field_organisation"))
    guarantee = _Amounts(label=t("pool.set.guarantee"), max_length=_LONGEST_AMOUNTS, required=False)
    limit = _Amounts(label=t("pool.set.limit"), max_length=_LONGEST_AMOUNTS, required=False)
    weight = forms.IntegerField(label=t("pool.set.weight"), min_value=1, max_value=1000, initial=1)

    def __init__(self, *arguments: Any, organisations: Choices, **options: Any) -> None:
        super().__init__(*arguments, **options)
        offer(self, {"organisation": [("", "–"), *organisations]})


class PoolForm(forms.Form):
    """What a pool is called, and how long jobs may take."""

    name = forms.CharField(**asked("pool.set.name", "pool.set.name_help"), max_length=LONGEST_NAME)
    title_en = forms.CharField(label=t("pool.set.title_en"), max_length=200)
    title_zh = forms.CharField(label=t("pool.set.title_zh"), max_length=200)
    longest_job = forms.CharField(**asked("pool.set.longest_job", "pool.set.longest_job_help"), max_length=20)
    minimum_run = forms.CharField(**asked("pool.set.minimum_run", "pool.set.minimum_run_help"), max_length=20)


_Machines = forms.formset_factory(MachinesForm, extra=_EMPTY_ROWS, max_num=_MOST_ROWS, validate_max=True)
_Quotas = forms.formset_factory(QuotaForm, extra=_EMPTY_ROWS, max_num=_MOST_ROWS, validate_max=True)


@page("pools/new/", "pool-new", PoolAct.SET, FORM)
def make(request: HubRequest) -> HttpResponse:
    """Make a pool."""
    return _set(request, None)


@page("pools/<slug:name>/change/", "pool-change", PoolAct.SET, FORM)
def change(request: HubRequest, name: str) -> HttpResponse:
    """Change a pool; what runs goes on."""
    return _set(request, pool_of(request.acting.view, name)[1])


def _set(request: HubRequest, pool: Pool | None) -> HttpResponse:
    view, sent = request.acting.view, posted(request)
    form = PoolForm(sent, initial=_initial(pool))
    if pool is not None:
        form.fields["name"].disabled = True
    machines = _Machines(sent, prefix="machines", initial=[_row(one) for one in pool.machines] if pool else None)
    offered = records_offered(view, Query("organisation"), MAXIMUM_PAGE)
    organisations = [(name_of(subject), title) for subject, title in offered]
    rows = [_row(one) for one in pool.quotas] if pool else None
    quotas = _Quotas(sent, prefix="quotas", initial=rows, form_kwargs={"organisations": organisations})
    whole = (form, machines, quotas)
    if sent is not None and all(one.is_valid() for one in whole) and _taken(view, pool, form, machines, quotas):
        messages.success(request, text("pool.set.done").render(language()))
        return redirect("pool", name=form.cleaned_data["name"])
    title = text("pool.set.change") if pool else text("pool.set.new")
    crumbed = crumbs(pool_told(view, language(), pool.name)) if pool else crumbs()
    shown = {"title": title, "form": form, "machines": machines, "quotas": quotas, "crumbs": crumbed}
    return render(request, "hub/pool_set.html", shown)


def _initial(pool: Pool | None) -> dict[str, Any]:
    if pool is None:
        return {"longest_job": "1 d", "minimum_run": "10 min"}
    titles = {f"title_{one}": localized(pool.title, one) for one in LANGUAGES}
    lengths = {name: format_duration(int(getattr(pool, name))) for name in ("longest_job", "minimum_run")}
    return {"name": pool.name, **titles, **lengths}


def _row(part: Machines | Quota) -> dict[str, Any]:
    """Return what a row of a form shows of a part of a pool."""
    said = {name: getattr(part, name) for name in type(part).model_fields}
    return {name: str(value) if isinstance(value, Resources) else value for name, value in said.items()}


def _taken(
    view: View, pool: Pool | None, form: forms.Form, machines: BaseFormSet[Any], quotas: BaseFormSet[Any]
) -> bool:
    """Set the pool that the forms describe and return True, or say in them what is against it."""
    given = form.cleaned_data
    if pool is None and given["name"] in {one.name for one in pools(view)}:
        form.add_error("name", t("pool.set.exists"))
        return False
    rows = {"machines": _filled(machines), "quotas": _filled(quotas)}
    said = {
        **(pool.to_json_value() if pool is not None else {"document": "pool/1"}),
        **{name: given[name] for name in ("name", "longest_job", "minimum_run")},
        "title": {one: given[f"title_{one}"] for one in LANGUAGES},
    }
    for part, key in (("machines", "name"), ("quotas", "organisation")):
        before = {one[key]: one for one in said.get(part, ())}
        now = [one.cleaned_data for one in rows[part]]
        said[part] = [{**before.get(one[key], {}), **one} for one in now]
    try:
        set_pool(view, parse_request(Pool, said))
    except AGAINST as error:
        _tell(error, form, rows)
    return not form.errors and not any(one.errors for parts in rows.values() for one in parts)


def _filled(rows: BaseFormSet[Any]) -> list[forms.Form]:
    """Return the rows in which something is written."""
    return [one for one in rows if one.cleaned_data]


def _tell(error: PilotbaseError, form: forms.Form, rows: Mapping[str, list[forms.Form]]) -> None:
    """Say every problem in the row and the field that it is about, else above the whole."""
    left = []
    for issue in error.issues if isinstance(error, InputError) else ():
        place = _IN_ROW.match(issue.path)
        if place is None or place["field"] not in rows[place["part"]][int(place["row"])].fields:
            left.append(issue)
            continue
        rows[place["part"]][int(place["row"])].add_error(place["field"], issue.say(language(), make_visible))
    if left or not isinstance(error, InputError) or not error.issues:
        add_errors(form, InputError.from_issues("pool", left) if left else error)
