"""Private statistics of a closed dataset: budgets, a question with its price, and the answers."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from pilotbase.data.terms.budgets import budgets
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Opening
from pilotbase.hub.acting import HubRequest, posted
from pilotbase.hub.base import base
from pilotbase.hub.forms.errors import add_errors
from pilotbase.hub.forms.statistics import StatisticsForm
from pilotbase.hub.guards import member_only
from pilotbase.hub.presenters.addresses import address_of, subject_of
from pilotbase.hub.presenters.drawn import drawn
from pilotbase.hub.presenters.records import RecordView, see
from pilotbase.hub.presenters.statistics import bar_of, charts_of, decimal, rows_of, unit_of
from pilotbase.worker.datasets.statistics import (
    QuestionPrice,
    StatisticsRequest,
    asked_of,
    find_asked,
    offered,
    order_statistics,
    price_of,
)
from pilotbase.worker.progress import told
from pilotbase.workspace.failures import NotFoundError


@require_http_methods(["GET", "HEAD", "POST"])
@member_only
def ask(request: HubRequest, name: str) -> HttpResponse:
    """Show budgets, questions and answers; a question that is sent is priced first, and ordered when confirmed."""
    view, seen = request.acting.view, _closed(request, name)
    record_sets = offered(base(), view, seen.subject)
    form = StatisticsForm(record_sets, posted(request)) if record_sets else None
    price: QuestionPrice | None = None
    if form is not None and request.method == "POST" and form.is_valid():
        try:
            if "confirmed" in request.POST:
                found = order_statistics(base(), view, seen.subject, form.wanted())
                return redirect("statistics-answer", name=name, identity=found.order.identity)
            price = price_of(base(), view, seen.subject, form.wanted())
        except (InputError, RefusedError) as error:
            add_errors(form, error)
    shown = {
        "title": text("statistics.title"),
        "seen": seen,
        "name": name,
        "form": form,
        "price": price,
        "cost": _cost(price) if price is not None else None,
        "given": {one: request.POST.get(one, "") for one in form.fields} if form is not None and price else {},
        "bars": [bar_of(one) for one in budgets(view, seen.subject)],
        "asked": [_row(one) for one in asked_of(view, seen.subject)],
        "crumbs": _crumbs(seen),
    }
    return render(request, "hub/statistics.html", shown)


@require_safe
@member_only
def show(request: HubRequest, name: str, identity: str) -> HttpResponse:
    """Show a question and its answer: every figure with its noise, the sample with its privacy test."""
    seen = _closed(request, name)
    asked = find_asked(request.acting.view, seen.subject, identity)
    job, profile = told(asked.job), asked.profile
    shown = {
        "title": text("statistics.sample" if asked.order.rows else "statistics.profile"),
        "seen": seen,
        "name": name,
        "asked": asked,
        "epsilon": decimal(asked.order.question.epsilon),
        "job": job,
        "live": job.live,
        "profile": profile,
        "unit": unit_of(profile) if profile is not None else None,
        "rows": rows_of(profile) if profile is not None else "",
        "fields": [_drawn(one) for one in charts_of(profile)] if profile is not None else [],
        "crumbs": [*_crumbs(seen), {"url": reverse("statistics", args=[name]), "label": text("statistics.title")}],
    }
    template = "hub/parts/statistics_answer.html" if request.headers.get("HX-Request") else "hub/statistics_answer.html"
    return render(request, template, shown)


def _closed(request: HubRequest, name: str) -> RecordView:
    """Return a closed dataset that the reader sees; raises `NotFoundError`: of others there are no such pages."""
    seen = see(request.acting.view, subject_of("datasets", name))
    if not isinstance(seen.document, Dataset) or seen.document.opening is not Opening.COMPUTE_TO_DATA:
        raise NotFoundError("hub.not_found")
    return seen


def _cost(price: QuestionPrice) -> dict[str, Any]:
    after = price.left_after
    return {
        "epsilon": decimal(price.question.epsilon),
        "bar": bar_of(price.budget),
        "after": None if after is None else decimal(after),
        "may": price.decision.permitted,
    }


def _row(asked: StatisticsRequest) -> dict[str, Any]:
    return {"asked": asked, "epsilon": decimal(asked.order.question.epsilon), "work": told(asked.job)}


def _drawn(chart: dict[str, Any]) -> dict[str, Any]:
    return {**chart, "svg": drawn(chart["svg"])}


def _crumbs(seen: RecordView) -> list[dict[str, Any]]:
    return [
        {"url": reverse("datasets"), "label": text("hub.nav_datasets")},
        {"url": address_of(seen.subject), "label": seen.title},
    ]
