"""Services: who serves with what, where each stands and has stood, its keys, budgets and usage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pilotbase.charts import Bar, Legend, bar_chart
from pilotbase.documents.api.services import NewService, SeenBudget, SeenService, UsageRow
from pilotbase.documents.errors import InputError, PilotbaseError, RefusedError
from pilotbase.documents.moments import spell_day
from pilotbase.documents.permissions import ServiceAct
from pilotbase.documents.service import Route, Service
from pilotbase.documents.texts import Text, text
from pilotbase.hub.acting import HubRequest, language, posted
from pilotbase.hub.base import base
from pilotbase.hub.forms.errors import add_errors
from pilotbase.hub.forms.services import BudgetForm, KeyForm, MoveForm, ServiceForm, TermsForm
from pilotbase.hub.guards import member_only
from pilotbase.hub.shown import checking
from pilotbase.hub.shown.drawn import drawn
from pilotbase.hub.shown.pools import seats_told
from pilotbase.worker.services.acts import BaseServices, may_put_into_service
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.store import View

DAYS = 14
_AGAINST = (InputError, RefusedError, ConflictError)


@require_safe
@member_only
def show_all(request: HubRequest) -> HttpResponse:
    """List the services that the reader sees."""
    shown = {"title": text("service.nav"), "services": _services(request).all()}
    return render(request, "hub/services.html", shown)


@require_safe
@member_only
def show(request: HubRequest, name: str) -> HttpResponse:
    """Show one service."""
    return _page(request, name)


@require_http_methods(["GET", "HEAD", "POST"])
@member_only
def put(request: HubRequest, serial: str) -> HttpResponse:
    """Put the application of a certificate into service, under a new name or one that serves already."""
    certificate = checking.issued(serial).certificate
    if not may_put_into_service(request.acting.actor, certificate):
        raise NotFoundError("hub.not_found")
    form = ServiceForm(posted(request), initial={"name": certificate.scenario.name})
    if request.method == "POST" and form.is_valid():
        title = form.cleaned_data["title"] or None
        try:
            wanted = NewService(name=form.cleaned_data["name"], title=title, certificate=certificate.serial)
            made = _services(request).create(wanted)
        except PilotbaseError as error:
            add_errors(form, error)
        else:
            messages.success(request, text("service.put").render(language()))
            return redirect("service", name=made.service.name)
    shown = {
        "title": text(
            "service.put_title", application=f"{certificate.application.name} {certificate.application.version}"
        ),
        "lead": text("service.put_lead"),
        "button": text("service.put_button"),
        "form": form,
        "crumbs": [{"url": reverse("certificate", kwargs={"serial": serial}), "label": text("hub.certificate")}],
    }
    return render(request, "hub/service_put.html", shown)


@require_POST
@member_only
def move(request: HubRequest, name: str) -> HttpResponse:
    """Stop, start, fall back, hand over."""
    _require(request, name, ServiceAct.MOVE)
    form = MoveForm(posted(request))
    return _changed(request, name, {"move_form": form}, lambda services: services.move(name, *form.wanted()))


@require_POST
@member_only
def set_terms(request: HubRequest, name: str) -> HttpResponse:
    """Let the service answer on other terms."""
    _require(request, name, ServiceAct.CREATE)
    form = TermsForm(posted(request))
    return _changed(request, name, {"terms_form": form}, lambda services: services.set_terms(name, form.wanted()))


@require_POST
@member_only
def make_key(request: HubRequest, name: str) -> HttpResponse:
    """Make a key; its secret is on the answer's page and nowhere else."""
    _require(request, name, ServiceAct.KEYS)
    services = _services(request)
    form = KeyForm([one.name for one in services.budgets(name)], posted(request))
    if not form.is_valid():
        return _page(request, name, key_form=form)
    return _page(request, name, secret=services.create_key(name, form.wanted()).secret)


@require_POST
@member_only
def revoke_key(request: HubRequest, name: str, key: str) -> HttpResponse:
    """Let a key open nothing more."""
    _services(request).revoke_key(name, key)
    return redirect("service", name=name)


@require_POST
@member_only
def set_budget(request: HubRequest, name: str) -> HttpResponse:
    """Set a budget, new or changed."""
    _require(request, name, ServiceAct.BUDGET)
    form = BudgetForm(posted(request))
    return _changed(request, name, {"budget_form": form}, lambda services: services.set_budget(name, *form.wanted()))


def _changed(
    request: HubRequest, name: str, forms: Mapping[str, Form], change: Callable[[BaseServices], object]
) -> HttpResponse:
    """Do what a form asks for, or show the service with what stands against it."""
    (form,) = forms.values()
    if form.is_valid():
        try:
            change(_services(request))
        except _AGAINST as error:
            add_errors(form, error)
        else:
            return redirect("service", name=name)
    return _page(request, name, None, **forms)


def _page(request: HubRequest, name: str, secret: str | None = None, **forms: Form) -> HttpResponse:
    services = _services(request)
    seen = services.show(name)
    shown: dict[str, Any] = {
        "title": seen.service.title,
        "service": seen.service,
        "standing": seen.standing,
        "routes": _routes(seen),
        "terms": TermsForm.told(seen.service.terms),
        "history": services.history(name),
        "seats": seats_told(services.view, seen.service.subject),
        "secret": secret,
        "live": True,
        "crumbs": [{"url": reverse("services"), "label": text("service.nav")}],
    }
    if services.may(ServiceAct.INSPECT, seen.service):
        shown |= _inside(services, seen.service)
    if services.may(ServiceAct.MOVE, seen.service):
        budgets = [one.name for one in shown["budgets"]]
        shown |= {"terms_form": TermsForm(initial=seen.service.terms.model_dump())}
        shown |= {"move_form": MoveForm(), "key_form": KeyForm(budgets), "budget_form": BudgetForm()}
    return render(request, "hub/service.html", shown | forms)


def _routes(seen: SeenService) -> list[tuple[Route, bool, str]]:
    """Return each route, whether it answers calls, and why it may not: "" where it may."""
    held = {one.route: one.why for one in seen.held}
    return [(route, number == seen.answering, held.get(number, "")) for number, route in enumerate(seen.service.routes)]


def _inside(services: BaseServices, service: Service) -> dict[str, Any]:
    """Return what the owner, the operator and the regulator see."""
    budgets, usage = services.budgets(service.name), services.usage(service.name, DAYS)
    return {
        "inside": True,
        "keys": services.keys(service.name),
        "budgets": budgets,
        "budget_charts": [drawn(chart) for chart in _budget_charts(budgets)],
        "usage": usage,
        "usage_chart": drawn(_usage_chart(usage)) if usage else "",
        "now": services.view.store.clock(),
    }


def _budget_charts(budgets: Sequence[SeenBudget]) -> list[str]:
    """Return what has gone of each bound: one chart for calls and one for tokens, which cannot be compared."""
    calls = [Bar(one.name, one.calls, one.used_calls + one.held_calls) for one in budgets if one.calls is not None]
    tokens = [Bar(one.name, one.tokens, one.used_tokens + one.held_tokens) for one in budgets if one.tokens is not None]
    reader = language()
    charts = []
    for unit, bars in (("calls", calls), ("tokens", tokens)):
        words = (Text(code=f"service.unit.{unit}"), text("service.bound"), text("service.gone"))
        title, bound, gone = (word.render(reader) for word in words)
        legend = Legend(title, f"{title}: {bound}", gone)
        charts += [bar_chart(bars, legend, reader)] if bars else []
    return charts


def _usage_chart(usage: Sequence[UsageRow]) -> str:
    """Return calls by day, and how many of them were answered."""
    reader = language()
    calls: dict[str, tuple[int, int]] = {}
    for row in usage:
        day = spell_day(row.day)
        whole, part = calls.get(day, (0, 0))
        calls[day] = (whole + row.calls, part + (row.calls if row.end.is_answer else 0))
    bars = [Bar(day, whole, part) for day, (whole, part) in sorted(calls.items())]
    legend = (text("service.usage"), text("service.unit.calls"), text("call.answered"))
    return bar_chart(bars, Legend(*(word.render(reader) for word in legend)), reader)


def _require(request: HubRequest, name: str, act: ServiceAct) -> None:
    """Return if the reader may do it; raises `NotFoundError` where there is no such service, and `RefusedError`."""
    services = _services(request)
    seen = services.show(name)
    if not services.may(act, seen.service):
        raise RefusedError("service.not_yours", organisation=seen.service.organisation)


def _services(request: HubRequest) -> BaseServices:
    view: View = request.acting.view
    return BaseServices(base(), view)
