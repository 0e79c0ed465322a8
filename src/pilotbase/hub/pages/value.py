"""What a service saves, by its hold-back; what it may still decide, by its exposure, and which rules it has kept."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from pilotbase.charts.columns import Bar, Legend, bar_chart
from pilotbase.documents.api.services import ExposureTold
from pilotbase.documents.permissions import ServiceAct
from pilotbase.documents.subjects import name_of
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest, language
from pilotbase.hub.forms.declared import do, form_of, form_post, post_of
from pilotbase.hub.presenters.addresses import crumb
from pilotbase.hub.presenters.drawn import drawn
from pilotbase.hub.routing import page
from pilotbase.operations import services
from pilotbase.service.registry import load_service, may_act

_HoldBackForm = form_of(services.HOLD_BACK)
_ExposureForm = form_of(services.GRANT_EXPOSURE)
_PLACE, _EXPOSURE = "services/<slug:name>/value/", "services/<slug:name>/exposure/"


@page(_PLACE, "service-value", ServiceAct.INSPECT)
def show(request: HubRequest, name: str) -> HttpResponse:
    """Show what a service saves by its newest hold-back; its owner begins and ends one here."""
    return _value(request, name)


def _value(request: HubRequest, name: str, form: Any = None) -> HttpResponse:
    view = request.acting.view
    told = do(services.VALUE, view, {"service": name})
    may = may_act(view, ServiceAct.CREATE, load_service(view, name))
    running = told.hold_back is not None and told.hold_back.ended_at is None
    shown = {
        "title": text("service.value_title", service=name),
        "told": told,
        "name": name,
        "running": running,
        "may_end": may and running,
        "form": (form or _HoldBackForm()) if may and not running else None,
        "crumbs": [crumb("services", text("service.nav")), crumb("service", text("service.one", name=name), name=name)],
    }
    return render(request, "hub/service_value.html", shown)


form_post(f"{_PLACE}begin/", "hold-back", _HoldBackForm, (_value, "form"), "service-value", service="name")
post_of(f"{_PLACE}end/", "hold-back-end", services.END_HOLD_BACK, "service-value", service="name")


@page(_EXPOSURE, "service-exposure", ServiceAct.INSPECT)
def show_exposure(request: HubRequest, name: str) -> HttpResponse:
    """Show how much applications may decide of a scenario in service, and which rules the service has kept."""
    return _exposure(request, name)


def _exposure(request: HubRequest, name: str, form: Any = None) -> HttpResponse:
    view = request.acting.view
    told = do(services.EXPOSURE, view, {"service": name})
    may = may_act(view, ServiceAct.BUDGET, load_service(view, name))
    shown = {
        "title": text("service.exposure_title", service=name),
        "told": told,
        "chart": drawn(_used(told)) if told.exposure is not None else "",
        "rules": do(services.DILIGENCE, view, {"service": name}).lines,
        "name": name,
        "form": (form or _ExposureForm()) if may else None,
        "crumbs": [crumb("services", text("service.nav")), crumb("service", text("service.one", name=name), name=name)],
    }
    return render(request, "hub/service_exposure.html", shown)


def _used(told: ExposureTold) -> str:
    reader = language()
    bar = Bar(name_of(told.exposed), told.cases or 0, told.used + told.held)
    words = (text("service.exposure"), text("service.exposure_bound.cases"), text("service.exposure_used"))
    return bar_chart((bar,), Legend(*(word.render(reader) for word in words)), reader)


form_post(
    f"{_EXPOSURE}grant/", "exposure-grant", _ExposureForm, (_exposure, "form"), "service-exposure", service="name"
)
