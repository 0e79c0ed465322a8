"""Models of services for the API, the command line and the pages."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

from pilotbase.documents.api.shapes import ResponseModel, SeatTold
from pilotbase.documents.base import Localized, Moment, Name
from pilotbase.documents.service import ExposureBound, ExposureGrant, HoldBack, Service, ServiceStatus
from pilotbase.documents.subjects import Subject
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import CallEnd, ReleaseState, Scope, ServingState


class KeyView(ResponseModel):
    """A key as shown in lists."""

    identity: str
    title: str
    prefix: str
    scopes: tuple[Scope, ...]
    budget: str
    calls_a_minute: int | None = None
    """None: any number."""
    made_at: Moment
    expires_at: Moment
    revoked_at: Moment | None = None
    secret: str | None = None
    """Only in the response that creates the key; stored nowhere."""


class BudgetView(ResponseModel):
    """A budget and its state in the present period."""

    name: Name
    period: Literal["month", "total"]
    calls: int | None = None
    tokens: int | None = None
    cost: Decimal | None = None
    """Of models."""
    currency: str | None = None
    """Of the models' prices; None: no model of the service has any."""
    current: str
    """The period: ``2026-11``, or total."""
    used_calls: int
    used_tokens: int
    used_cost: Decimal
    held_calls: int
    """Held by gateways: in use, or to be returned."""
    held_tokens: int
    held_cost: Decimal


class ExposureTold(ResponseModel):
    """The exposure limit of a scenario, and how much of it is used."""

    service: str
    exposed: Subject
    exposure: ExposureGrant | None
    """None: there is no limit."""
    bound: ExposureBound | None
    """The bound that is reached first."""
    cases: int | None
    """The number of cases after which it is reached."""
    used: int
    """Cases decided by applications."""
    held: int
    """Held by gateways: in use, or to be returned."""
    services: tuple[str, ...]
    """Services that share the limit."""
    earlier: tuple[ExposureGrant, ...]
    """Earlier grants, newest first."""


DiligenceRule = Literal["certified", "attempts", "exposure", "warnings", "reactions", "reports"]
"""Names: text ``service.diligence.<value>``."""
RuleState = Literal["kept", "not_kept", "not_applicable"]


class DiligenceLine(ResponseModel):
    """One rule: whether it was kept, and the facts that show it."""

    rule: DiligenceRule
    state: RuleState
    fact: Text
    records: tuple[str, ...] = ()
    """Digests of the documents that show it, as in the log, newest first."""


class DiligenceRecord(ResponseModel):
    """The rules that apply to a service and whether it kept them, from records alone; it decides nobody's liability."""

    service: str
    at: Moment
    lines: tuple[DiligenceLine, ...]


class UsageRow(ResponseModel):
    """Usage of a service in one day by one key, version and end."""

    day: datetime
    key: str
    version: str
    end: CallEnd
    calls: int
    cases: int
    tokens: int
    milliseconds: float
    cost: Decimal = Decimal(0)
    """What the model of an agent has cost, for dialogues that have ended."""
    currency: str | None = None
    """Of the model's prices; None: no model is paid for."""


class ReleaseView(ResponseModel):
    """A release of a new version, and its evidence."""

    release: str
    version: str
    """Name and version of the new application."""
    state: ReleaseState
    since: Moment
    ended_at: Moment | None = None
    old_calls: int
    old_failed: int
    new_calls: int
    new_failed: int
    shadow_calls: int
    """Calls that the new version got in shadow; its answers were discarded."""
    shadow_failed: int
    shadow_alike: int
    """Those to which both versions gave the same answer."""
    harm: float
    """Evidence that the new version fails more often; once it is ``needed`` it is taken back."""
    gain: float
    """Evidence that it does not, by the margin; once it is ``needed`` it takes over."""
    needed: float


class HeldRoute(ResponseModel):
    """A route that may not answer now, regardless of the service's state."""

    route: int
    why: Literal["revoked", "suspended", "expired"]
    """State of its certificate; an endpoint's override can only have expired."""


class ServiceView(ResponseModel):
    """A service and its standing."""

    service: Service
    standing: ServiceStatus
    held: tuple[HeldRoute, ...] = ()
    answering: int | None = None
    """The route that answers a call now; None: a person answers, or nobody."""
    seats: tuple[SeatTold, ...] = ()
    """The seats in shared pools that its boxes hold or wait for, one per gateway."""


class ListedService(ResponseModel):
    """A service in a list."""

    name: Name
    title: Localized | str
    organisation: Name
    state: ServingState
    application: str
    """Name and version of what answers, or the endpoint's model."""
    since: Moment


class BenefitTold(ResponseModel):
    """What a unit saves: mean cost today's way less mean cost with the service."""

    mean: float
    low: float
    high: float
    """Between the two with 95 % confidence, if very many units are drawn; corrected for skewed costs."""
    cost_of_measuring: float
    """What holding back has cost so far: units held back times the mean."""


class ValueTold(ResponseModel):
    """What a service saves, measured by its newest hold-back; unknown without one."""

    service: str
    hold_back: HoldBack | None
    held: int
    """Units held back with an outcome."""
    answered: int
    capped: int
    """Units that count with the cap."""
    benefit: BenefitTold | None
    why: Text | None
    """Why no benefit is shown, or why it is not final."""
    models_cost: dict[str, float]
    """Currency → what models of the service cost since the hold-back began, by its meters."""
    trial_price: float | None
    """What the parties agreed on for the trial; None: unknown."""
    trial_currency: str
    trial_cpu_seconds: float | None
    """CPU time of the trial, all rounds together; None: it was not metered."""
