"""What a service saves: the hold-back that measures it, outcomes, the benefit, and what the whole way costs."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from pilotbase.documents.permissions import ServiceAct
from pilotbase.documents.texts import text
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.forms.declared import do, form_of, form_post, post_of
from pilotbase.hub.presenters.addresses import crumb
from pilotbase.hub.routing import page
from pilotbase.operations import services
from pilotbase.service.registry import load_service, may_act

_HoldBackForm = form_of(services.HOLD_BACK)
_PLACE = "services/<slug:name>/value/"


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
