"""Services: who serves with what, where each stands and has stood, its keys, budgets and usage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect, render

from pilotbase.charts.columns import Bar, Legend, bar_chart
from pilotbase.documents.api.services import BudgetView, ReleaseView, ServiceView, UsageRow
from pilotbase.documents.base import localized
from pilotbase.documents.hashes import canonical_json
from pilotbase.documents.moments import format_day
from pilotbase.documents.permissions import ServiceAct
from pilotbase.documents.service import ReleaseTerms, Route, Service, ServiceTerms
from pilotbase.documents.texts import Text, text
from pilotbase.hub.acting import HubRequest, language, posted
from pilotbase.hub.base import base
from pilotbase.hub.forms.declared import Choices, form_of, form_post, label_of, post_of, tell
from pilotbase.hub.presenters.addresses import crumb
from pilotbase.hub.presenters.drawn import drawn, drawn_alarms
from pilotbase.hub.presenters.mission import mission_shown
from pilotbase.hub.routing import FORM, POST, page
from pilotbase.hub.sentences import t
from pilotbase.operations import services
from pilotbase.operations.services import REVOKE_KEY
from pilotbase.service.consents import consents_of, show_consent
from pilotbase.service.registry import load_service, may_act, services_of, world_behind
from pilotbase.service.releases import releases_of
from pilotbase.service.terms import list_budgets, list_keys, usage_by_day
from pilotbase.worker.services.acts import (
    call_snippets,
    dialogues_of,
    history_of,
    list_services,
    may_put_into_service,
    show_service,
)
from pilotbase.worker.trials.certificates import issued
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View

DAYS = 14
ServiceForm = form_of(services.CREATE, "name", "title")
TermsForm = form_of(services.SET_TERMS)
ReleaseForm = form_of(
    services.RELEASE,
    "service",
    "shadow",
    "share",
    "unit",
    "margin",
    "slow_ms",
    "calls",
    "days",
    words={"unit": "service.release_unit."},
)
EndReleaseForm = form_of(services.END_RELEASE, "end", "reason", words={"end": "service.release_end."})
MoveForm = form_of(services.MOVE, "move", "reason", words={"move": "service.move."})
KeyForm = form_of(services.CREATE_KEY)
ConsentForm = form_of(services.DECIDE, "granted")
BudgetForm = form_of(
    services.SET_BUDGET, "budget", "period", "calls", "tokens", "cost", words={"period": "service.period."}
)


def _terms_told(terms: ServiceTerms) -> list[tuple[object, object]]:
    """Return terms as they stand in the form: what each is called, and its value."""
    told = [(name, t(value.code) if isinstance(value, Text) else value) for name, value in terms.told().items()]
    return [(label_of(services.SET_TERMS, name), value) for name, value in told]


@page("services/", "services")
def show_all(request: HubRequest) -> HttpResponse:
    """List the services that the reader sees."""
    shown = {"title": text("service.nav"), "services": list_services(request.acting.view)}
    return render(request, "hub/services.html", shown)


@page("services/<slug:name>/", "service")
def show(request: HubRequest, name: str) -> HttpResponse:
    """Show one service."""
    return _page(request, name)


@page("certificates/<digits:serial>/service/", "service-put", methods=FORM)
def put(request: HubRequest, serial: str) -> HttpResponse:
    """Put the application of a certificate into service, under a new name or one that serves already."""
    certificate = issued(base(), serial).certificate
    if not may_put_into_service(request.acting.actor, certificate):
        raise NotFoundError("hub.not_found")
    given, name = {"certificate": certificate.serial}, certificate.scenario.name
    form = ServiceForm(posted(request), given=given, initial={"name": name})
    if form.done(request.acting.view):
        messages.success(request, text("service.put").render(language()))
        return redirect("service", name=form.found.service.name)
    serving = [one for one, _ in services_of(request.acting.view) if one.scenario == certificate.scenario.subject]
    shown = {
        "serial": serial if serving else None,
        "title": text(
            "service.put_title", application=f"{certificate.application.name} {certificate.application.version}"
        ),
        "lead": text("service.put_lead"),
        "button": text("service.put_button"),
        "form": form,
        "crumbs": [crumb("certificate", text("hub.certificate"), serial=serial)],
    }
    return render(request, "hub/service_put.html", shown)


@page("certificates/<digits:serial>/release/", "service-release", methods=FORM)
def release(request: HubRequest, serial: str) -> HttpResponse:
    """Release the application of a certificate to a share of the calls of a service."""
    certificate = issued(base(), serial).certificate
    if not may_put_into_service(request.acting.actor, certificate):
        raise NotFoundError("hub.not_found")
    found = [one for one, _ in services_of(request.acting.view) if one.scenario == certificate.scenario.subject]
    offered = {"service": [(one.name, f"{localized(one.title, language())} · {one.answers(0)}") for one in found]}
    given = {"certificate": certificate.serial}
    form = ReleaseForm(posted(request), given=given, choices=offered, initial=ReleaseTerms().model_dump())
    if form.done(request.acting.view):
        tell(request, services.RELEASE)
        return redirect("service", name=form.found.service.name)
    shown = {
        "title": text("service.release"),
        "lead": text("service.release_lead"),
        "button": text("service.release_button"),
        "form": form,
        "crumbs": [crumb("certificate", text("hub.certificate"), serial=serial)],
    }
    return render(request, "hub/service_put.html", shown)


@page("services/<slug:name>/consents/<drawn:consent>/", "consent", ServiceAct.INSPECT, FORM)
def consent(request: HubRequest, name: str, consent: str) -> HttpResponse:
    """Show an act that needs consent to its principal, and take the decision."""
    view = request.acting.view
    asked = show_consent(view, name, consent)
    offered = {"granted": [("true", t("service.consent_yes")), ("false", t("service.consent_no"))]}
    form = ConsentForm(posted(request), given={"service": name, "consent": consent}, choices=offered)
    if request.method == "POST" and form.done(view):
        return redirect("consent", name=name, consent=consent)
    decides = asked.waits(view.store.clock()) and may_act(view, ServiceAct.CONSENT, load_service(view, name))
    shown = {
        "title": text("service.consent_title"),
        "lead": text("service.consent_lead"),
        "consent": asked,
        "arguments": [(name, canonical_json(value).decode()) for name, value in asked.arguments.items()],
        "form": form if decides or form.errors else None,
        "crumbs": [crumb("services", text("service.nav")), crumb("service", text("service.one", name=name), name=name)],
    }
    return render(request, "hub/consent.html", shown)


@page("services/<slug:name>/keys/", "service-keys", ServiceAct.KEYS, POST)
def make_key(request: HubRequest, name: str) -> HttpResponse:
    """Make a key; its secret is on the answer's page and nowhere else."""
    offered = {"budget": _budgets_offered(list_budgets(request.acting.view, name))}
    form = KeyForm(posted(request), given={"service": name}, choices=offered)
    if form.done(request.acting.view):
        return _page(request, name, secret=form.found.secret)
    return _page(request, name, key_form=form)


def _page(request: HubRequest, name: str, secret: str | None = None, **forms: Form) -> HttpResponse:
    view = request.acting.view
    seen = show_service(base(), view, name)
    shown: dict[str, Any] = {
        "title": seen.service.title,
        "service": seen.service,
        "standing": seen.standing,
        "routes": _routes(seen),
        "terms": _terms_told(seen.service.terms),
        "history": history_of(view, name),
        "seats": seen.seats,
        "secret": secret,
        "live": True,
        **mission_shown(request.acting, seen.service.subject),
        "crumbs": [crumb("services", text("service.nav"))],
    }
    if may_act(view, ServiceAct.INSPECT, seen.service):
        shown |= _inside(view, seen.service)
    if may_act(view, ServiceAct.MOVE, seen.service):
        offered = {"budget": _budgets_offered(shown["budgets"])}
        shown |= {"terms_form": TermsForm(initial=seen.service.terms.model_dump())}
        shown |= {"end_release_form": EndReleaseForm()} if seen.service.release else {}
        shown |= {"move_form": MoveForm(), "key_form": KeyForm(choices=offered), "budget_form": BudgetForm()}
    return render(request, "hub/service.html", shown | forms)


def _routes(seen: ServiceView) -> list[tuple[Route, bool, str]]:
    """Return each route, whether it answers calls, and why it may not: "" where it may."""
    held = {one.route: one.why for one in seen.held}
    return [(route, number == seen.answering, held.get(number, "")) for number, route in enumerate(seen.service.routes)]


def _inside(view: View, service: Service) -> dict[str, Any]:
    """Return what the owner, the operator and the regulator see."""
    acts = any(world_behind(base().lab.view, route) for route in service.routes)
    budgets, usage = list_budgets(view, service.name), usage_by_day(view, service.name, DAYS)
    return {
        "inside": True,
        "alarms": drawn_alarms(view, service),
        "gateway": settings.CONFIGURATION.gateway,
        "snippets": call_snippets(base(), service),
        "keys": list_keys(view, service.name),
        "budgets": budgets,
        "releases": [(one, drawn(_release_chart(one)), _evidence(one)) for one in releases_of(view, service.name)],
        "budget_charts": [drawn(chart) for chart in _budget_charts(budgets)],
        "usage": usage,
        "usage_chart": drawn(_usage_chart(usage)) if usage else "",
        "now": view.store.clock(),
        "acts": acts,
        "consents": consents_of(view, service.name) if acts else (),
        "dialogues": dialogues_of(view, service.name) if acts else (),
    }


def _budget_charts(budgets: Sequence[BudgetView]) -> list[str]:
    """Return how much of each bound is used: one chart for calls and one for tokens, which cannot be compared."""
    calls = [Bar(one.name, one.calls, one.used_calls + one.held_calls) for one in budgets if one.calls is not None]
    tokens = [Bar(one.name, one.tokens, one.used_tokens + one.held_tokens) for one in budgets if one.tokens is not None]
    reader = language()
    charts = []
    for unit, bars in (("calls", calls), ("tokens", tokens)):
        words = (Text(code=f"service.unit.{unit}"), text("service.bound"), text("service.gone"))
        title, bound, gone = (word.render(reader) for word in words)
        legend = Legend(title, f"{title}: {bound}", gone)
        charts += [bar_chart(tuple(bars), legend, reader)] if bars else []
    return charts


def _evidence(one: ReleaseView) -> list[tuple[Text, float]]:
    """Return the evidence of both kinds, each no more than is needed."""
    found = ((text("service.release_harm_evidence"), one.harm), (text("service.release_gain_evidence"), one.gain))
    return [(label, round(min(value, one.needed), 1)) for label, value in found]


def _release_chart(one: ReleaseView) -> str:
    """Return how many calls of either version failed."""
    reader = language()
    new, old = text("service.release_new").render(reader), text("service.release_old").render(reader)
    bars = (Bar(new, one.new_calls, one.new_failed), Bar(old, one.old_calls, one.old_failed))
    legend = (text("service.release_calls"), text("service.unit.calls"), Text(code="call.failed"))
    return bar_chart(bars, Legend(*(word.render(reader) for word in legend)), reader)


def _usage_chart(usage: Sequence[UsageRow]) -> str:
    """Return calls by day, and how many of them were answered."""
    reader = language()
    calls: dict[str, tuple[int, int]] = {}
    for row in usage:
        day = format_day(row.day)
        whole, part = calls.get(day, (0, 0))
        calls[day] = (whole + row.calls, part + (row.calls if row.end.is_answer else 0))
    bars = tuple(Bar(day, whole, part) for day, (whole, part) in sorted(calls.items()))
    legend = (text("service.usage"), text("service.unit.calls"), text("call.answered"))
    return bar_chart(bars, Legend(*(word.render(reader) for word in legend)), reader)


def _budgets_offered(budgets: Sequence[BudgetView]) -> Choices:
    return [("", "–"), *((one.name, one.name) for one in budgets)]


_PLACE = "services/<slug:name>/"
form_post(f"{_PLACE}move/", "service-move", MoveForm, (_page, "move_form"), "service", service="name")
form_post(
    f"{_PLACE}release/end/",
    "service-release-end",
    EndReleaseForm,
    (_page, "end_release_form"),
    "service",
    service="name",
)
form_post(f"{_PLACE}terms/", "service-terms", TermsForm, (_page, "terms_form"), "service", service="name")
form_post(f"{_PLACE}budgets/", "service-budget", BudgetForm, (_page, "budget_form"), "service", service="name")
post_of(f"{_PLACE}keys/<drawn:key>/revoke/", "service-key-revoke", REVOKE_KEY, "service", service="name", key="key")
