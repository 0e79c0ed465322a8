"""Services over the API: put into service, moved, their keys, budgets and usage."""

from __future__ import annotations

from typing import Annotated

import pydantic
from django.http import HttpResponse
from ninja import Path, Query, Router

from pilotbase.documents.api.services import (
    ListedService,
    Moved,
    NewBudget,
    NewKey,
    NewOverride,
    NewService,
    SeenBudget,
    SeenKey,
    SeenService,
    ServiceMove,
    UsageRow,
)
from pilotbase.documents.api.shapes import InAddress
from pilotbase.documents.base import Name
from pilotbase.documents.service import ServiceStanding, ServiceTerms
from pilotbase.hub.acting import HubRequest
from pilotbase.hub.api.answers import answers, asked, once, told
from pilotbase.hub.api.authentication import MEMBERS
from pilotbase.hub.base import base
from pilotbase.hub.shown.pools import seats_told
from pilotbase.worker.services.acts import BaseServices
from pilotbase.workspace.store import View

router = Router(tags=["services"], auth=MEMBERS)
ServiceName = Path[Name]
BudgetName = Path[Name]
KeyId = Path[Annotated[str, pydantic.StringConstraints(pattern=r"^[0-9a-f]{16}$")]]


class Days(InAddress):
    """How far back."""

    days: Annotated[int, pydantic.Field(ge=1, le=400)] = 30


@router.get("/services", response=answers(list[ListedService]), summary="Services that I see")
def list_all(request: HubRequest) -> list[ListedService]:
    """Return the services that the caller sees, by name."""
    return _services(request.acting.view).all()


@router.post("/services", response=answers(SeenService, 201), summary="Put a certified application into service")
def create(request: HubRequest, wanted: NewService) -> HttpResponse:
    """Put a certified application into service, or a newer version of it; owner of its scenario and operator."""
    return once(request, lambda view: _made(_services(view).create(wanted)))


@router.post("/services/overrides", response=answers(SeenService, 201), summary="Admit an endpoint for a time")
def override(request: HubRequest, wanted: NewOverride) -> HttpResponse:
    """Admit an endpoint without a certificate, on the operator's signed word."""
    return once(request, lambda view: _made(_services(view).override(wanted)))


@router.get("/services/{service}", response=answers(SeenService), summary="A service and where it stands")
def read(request: HubRequest, service: ServiceName) -> SeenService:
    """Return the service as it is now."""
    view = request.acting.view
    found = _services(view).show(service)
    return found.model_copy(update={"seats": tuple(seats_told(view, found.service.subject))})


@router.put("/services/{service}/terms", response=answers(SeenService), summary="Set the terms of a service")
def set_terms(request: HubRequest, service: ServiceName, wanted: ServiceTerms) -> HttpResponse:
    """Let a service answer on these terms, all of them, from its next call on; what is left out is as usual."""
    return once(request, lambda view: told(_services(view).set_terms(service, wanted)))


@router.post("/services/{service}/moves/{move}", response=answers(SeenService), summary="Stop, start, hand over")
def move(request: HubRequest, service: ServiceName, move: Path[ServiceMove], wanted: Moved) -> HttpResponse:
    """Move a service; its next call sees it. Moving it to where it stands changes nothing."""
    return once(request, lambda view: told(_services(view).move(service, move, wanted.reason)))


@router.get("/services/{service}/history", response=answers(list[ServiceStanding]), summary="How a service has stood")
def history(request: HubRequest, service: ServiceName) -> list[ServiceStanding]:
    """Return where it stood, when and why, newest first."""
    return _services(request.acting.view).history(service)


@router.get("/services/{service}/keys", response=answers(list[SeenKey]), summary="Keys of a service")
def keys(request: HubRequest, service: ServiceName) -> list[SeenKey]:
    """Return its keys, newest first; a secret is never told again."""
    return _services(request.acting.view).keys(service)


@router.post("/services/{service}/keys", response=answers(SeenKey, 201), summary="Make a key")
def create_key(request: HubRequest, service: ServiceName, wanted: NewKey) -> HttpResponse:
    """Make a key and return its secret, once. Sent again under its Idempotency-Key, 409 says which key was made."""
    return told(_services(asked(request)).create_key(service, wanted), 201, f"/api/services/{service}/keys")


@router.delete("/services/{service}/keys/{key}", response=answers(None, 204), summary="Revoke a key")
def revoke_key(request: HubRequest, service: ServiceName, key: KeyId) -> HttpResponse:
    """Let a key open nothing from its next call on."""

    def act(view: View) -> HttpResponse:
        _services(view).revoke_key(service, key)
        return HttpResponse(status=204)

    return once(request, act)


@router.get("/services/{service}/budgets", response=answers(list[SeenBudget]), summary="Budgets of a service")
def budgets(request: HubRequest, service: ServiceName) -> list[SeenBudget]:
    """Return where each budget stands in its present period."""
    return _services(request.acting.view).budgets(service)


@router.put("/services/{service}/budgets/{budget}", response=answers(SeenBudget), summary="Set a budget")
def set_budget(request: HubRequest, service: ServiceName, budget: BudgetName, wanted: NewBudget) -> HttpResponse:
    """Set a budget, new or changed; gateways see it at the next call."""
    return once(request, lambda view: told(_services(view).set_budget(service, budget, wanted)))


@router.get("/services/{service}/usage", response=answers(list[UsageRow]), summary="What was used, by day")
def usage(request: HubRequest, service: ServiceName, asked: Query[Days]) -> list[UsageRow]:
    """Return calls, cases, tokens and time by day (UTC), key, version and end."""
    return _services(request.acting.view).usage(service, asked.days)


def _services(view: View) -> BaseServices:
    return BaseServices(base(), view)


def _made(found: SeenService) -> HttpResponse:
    return told(found, 201, f"/api/services/{found.service.name}")
