"""What the API of services, the command line and the pages take and give."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, Protocol, Self

import pydantic
from pydantic import StringConstraints, model_validator

from pilotbase.documents.api.pools import SeatTold
from pilotbase.documents.api.shapes import Asked, Told
from pilotbase.documents.base import Localized, Moment, Name, Trimmed
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.service import EndpointProtocol, Service, ServiceStanding, ServiceTerms
from pilotbase.documents.subjects import Subject
from pilotbase.documents.vocabularies import CallEnd, Scope, ServingState

Reason = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
MOST_BOUND = 10**15
Bound = Annotated[int, pydantic.Field(ge=0, le=MOST_BOUND)]


class NewService(Asked):
    """Which certified application is put into service under which name; a name that serves gets a newer version."""

    name: Name
    title: Localized | str | None = None
    """None: as the application is called, or as the service was."""
    certificate: Digest | None = None
    """The certificate, by its number; or the trial that it came from."""
    commission: Subject | None = None
    terms: ServiceTerms | None = None
    """None: as they were, or the usual ones."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.certificate is None) == (self.commission is None):
            raise InputError("service.certificate_or_trial")
        return self


class NewOverride(Asked):
    """Which endpoint without a certificate is to serve, for whom, how long and why."""

    service: Name
    organisation: Name
    """Whose service it is."""
    protocol: EndpointProtocol
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s]{1,500}$")]
    model: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    reason: Reason
    days: int = pydantic.Field(default=14, ge=1, le=90)


class ServiceMove(StrEnum):
    """How a person moves a service; names: text ``service.move.<value>``."""

    STOP = "stop"
    START = "start"
    FALL_BACK = "fall-back"
    ASK_HUMAN = "ask-human"


class Moved(Asked):
    """Why a service is stopped, started, or handed over to a person."""

    reason: Reason


class NewKey(Asked):
    """On which terms a key is made; the secret is always generated."""

    title: Annotated[str, Trimmed(200)]
    """Who uses it, for what."""
    scopes: Annotated[frozenset[Scope], pydantic.Field(min_length=1, json_schema_extra={"uniqueItems": False})] = (
        frozenset({Scope.INFER})
    )
    """Named twice, one counts once."""
    budget: Name | None = None
    days: int = pydantic.Field(default=90, ge=1, le=730)


class SeenKey(Told):
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


class NewBudget(Asked):
    """How much may be used in each period."""

    period: Literal["month", "total"] = "month"
    calls: Bound | None = None
    tokens: Bound | None = None


class SeenBudget(Told):
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


class UsageRow(Told):
    """What was used of a service in one day by one key, version and end."""

    day: datetime
    key: str
    version: str
    end: CallEnd
    calls: int
    cases: int
    tokens: int
    milliseconds: float


class HeldRoute(Told):
    """A route of a service that may not answer now, whatever the service's state."""

    route: int
    why: Literal["revoked", "suspended", "expired"]
    """What its certificate is; an endpoint's override can only have expired."""


class SeenService(Told):
    """A service and where it stands."""

    service: Service
    standing: ServiceStanding
    held: tuple[HeldRoute, ...] = ()
    answering: int | None = None
    """The route that answers a call now; None: a person does, or nobody."""
    seats: tuple[SeatTold, ...] = ()
    """The seats in shared pools that its boxes have or wait for, one for each gateway."""


class ListedService(Told):
    """A service in a list."""

    name: Name
    title: Localized | str
    organisation: Name
    state: ServingState
    application: str
    """Name and version of what answers, or the endpoint's model."""
    since: Moment


class Services(Protocol):
    """Services as somebody works with them: in a home, or over a hub."""

    def all(self) -> list[ListedService]: ...

    def show(self, name: str) -> SeenService: ...

    def create(self, wanted: NewService) -> SeenService: ...

    def override(self, wanted: NewOverride) -> SeenService: ...

    def set_terms(self, name: str, wanted: ServiceTerms) -> SeenService: ...

    def move(self, name: str, move: ServiceMove, reason: str) -> SeenService: ...

    def history(self, name: str) -> list[ServiceStanding]: ...

    def keys(self, name: str) -> list[SeenKey]: ...

    def create_key(self, name: str, wanted: NewKey) -> SeenKey: ...

    def revoke_key(self, name: str, key: str) -> None: ...

    def budgets(self, name: str) -> list[SeenBudget]: ...

    def set_budget(self, name: str, budget: str, wanted: NewBudget) -> SeenBudget: ...

    def usage(self, name: str, days: int = 30) -> list[UsageRow]: ...
