"""What the API of services, the command line and the pages take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pilotbase.documents.api.seats import SeatTold
from pilotbase.documents.api.shapes import ResponseModel
from pilotbase.documents.base import Localized, Moment, Name
from pilotbase.documents.service import Service, ServiceStatus
from pilotbase.documents.vocabularies import CallEnd, Scope, ServingState


class KeyView(ResponseModel):
    """A key as it is listed."""

    identity: str
    title: str
    prefix: str
    scopes: tuple[Scope, ...]
    budget: str
    made_at: Moment
    expires_at: Moment
    revoked_at: Moment | None = None
    secret: str | None = None
    """Only in the answer that makes it; kept nowhere."""


class BudgetView(ResponseModel):
    """A budget and where it stands in its present period."""

    name: Name
    period: Literal["month", "total"]
    calls: int | None = None
    tokens: int | None = None
    current: str
    """The period: ``2026-11``, or total."""
    used_calls: int
    used_tokens: int
    held_calls: int
    """In the hands of gateways: in use, or to come back."""
    held_tokens: int


class UsageRow(ResponseModel):
    """What was used of a service in one day by one key, version and end."""

    day: datetime
    key: str
    version: str
    end: CallEnd
    calls: int
    cases: int
    tokens: int
    milliseconds: float


class HeldRoute(ResponseModel):
    """A route of a service that may not answer now, whatever the service's state."""

    route: int
    why: Literal["revoked", "suspended", "expired"]
    """What its certificate is; an endpoint's override can only have expired."""


class ServiceView(ResponseModel):
    """A service and where it stands."""

    service: Service
    standing: ServiceStatus
    held: tuple[HeldRoute, ...] = ()
    answering: int | None = None
    """The route that answers a call now; None: a person does, or nobody."""
    seats: tuple[SeatTold, ...] = ()
    """The seats in shared pools that its boxes have or wait for, one for each gateway."""


class ListedService(ResponseModel):
    """A service in a list."""

    name: Name
    title: Localized | str
    organisation: Name
    state: ServingState
    application: str
    """Name and version of what answers, or the endpoint's model."""
    since: Moment
