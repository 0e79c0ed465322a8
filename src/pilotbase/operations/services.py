"""Services: put into service, moved, their keys, budgets and usage."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Generic, Literal, Self

import pydantic
from pydantic import StringConstraints, model_validator

from pilotbase.documents.api.services import (
    BudgetView,
    DiligenceRecord,
    ExposureTold,
    KeyView,
    ListedService,
    ReleaseView,
    ServiceView,
    UsageRow,
    ValueTold,
)
from pilotbase.documents.api.shapes import RequestModel
from pilotbase.documents.base import Localized, Name, Trimmed
from pilotbase.documents.door import ModelAddress
from pilotbase.documents.endpoint import Money
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import ServiceAct
from pilotbase.documents.service import (
    MOST_OUTCOMES,
    ActConsent,
    Drawn,
    EndpointProtocol,
    EndpointUrl,
    ExposureTerms,
    HoldBack,
    HoldBackTerms,
    ReleaseTerms,
    Replicas,
    ServiceStatus,
    ServiceTerms,
    UnitOutcome,
)
from pilotbase.documents.subjects import Subject
from pilotbase.documents.vocabularies import Scope
from pilotbase.operations.operation import NOTHING, PATH, NoInput, Operation, Repeated, Sent, With

Reason = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
MOST_BOUND = 10**15
Bound = Annotated[int, pydantic.Field(ge=0, le=MOST_BOUND)]


class OfService(RequestModel):
    """Which service."""

    service: Annotated[Name, PATH]


class OfServiceWith(OfService, With[Sent], Generic[Sent]):
    """A body about a service."""


class CertifiedVersion(RequestModel):
    """Which certified application."""

    certificate: Digest | None = None
    """The certificate, by its number; or the trial that it came from."""
    commission: Subject | None = None
    model: ModelAddress | None = None
    """Where the model is that an agent was certified with; None: where it was in the trial."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.certificate is None) == (self.commission is None):
            raise InputError("service.certificate_or_trial")
        return self


class NewService(CertifiedVersion):
    """Which certified application is put into service under which name; a name that serves gets a newer version."""

    name: Name
    title: Localized | str | None = None
    """None: as the application is called, or as the service was."""
    terms: ServiceTerms | None = None
    """None: as they were, or the usual ones."""


class NewVersion(OfService, CertifiedVersion, ReleaseTerms):
    """Which certified application is to take over a service, and how."""


class NewOutcomes(OfService):
    """What units have cost, whichever way they went."""

    outcomes: Annotated[tuple[UnitOutcome, ...], pydantic.Field(min_length=1, max_length=MOST_OUTCOMES)]


class ReleaseEnd(StrEnum):
    """How a person ends a release; names: text ``service.release_end.<value>``."""

    PROMOTE = "promote"
    ROLL_BACK = "roll-back"


class EndRelease(OfService):
    """How a release is ended by hand, and why."""

    end: Annotated[ReleaseEnd, PATH]
    reason: Reason


class NewOverride(RequestModel):
    """Which endpoint without a certificate is to serve, for whom, how long and why."""

    service: Name
    organisation: Name
    """The owner of the services."""
    protocol: EndpointProtocol
    url: EndpointUrl
    replicas: Replicas = ()
    model: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    reason: Reason
    days: int = pydantic.Field(default=14, ge=1, le=90)


class ServiceMove(StrEnum):
    """How a person moves a service; names: text ``service.move.<value>``."""

    STOP = "stop"
    START = "start"
    FALL_BACK = "fall-back"
    ASK_HUMAN = "ask-human"


class Moved(OfService):
    """Why a service is stopped, started, or handed over to a person."""

    move: Annotated[ServiceMove, PATH]
    reason: Reason


class NewKey(OfService):
    """On which terms a key is made; the secret is always generated."""

    title: Annotated[str, Trimmed(200)]
    """Who uses it, for what."""
    scopes: Annotated[frozenset[Scope], pydantic.Field(min_length=1, json_schema_extra={"uniqueItems": False})] = (
        frozenset({Scope.INFER})
    )
    """Named twice, one counts once."""
    budget: Name | None = None
    calls_a_minute: int | None = pydantic.Field(default=None, ge=1, le=1_000_000)
    """A sixth of them may come at once. None: any number."""
    days: int = pydantic.Field(default=90, ge=1, le=730)


class OfKey(OfService):
    """Which key of a service."""

    key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$"), PATH]


class NewBudget(OfService):
    """How much may be used in each period."""

    budget: Annotated[Name, PATH]
    period: Literal["month", "total"] = "month"
    calls: Bound | None = None
    tokens: Bound | None = None
    cost: Money | None = None
    """Of models, in the currency of their prices."""


class NewExposure(OfService, ExposureTerms):
    """The exposure limit to grant to the scenario of a service; all services of the scenario share it."""


class OfConsent(OfService):
    """Which consent of a service."""

    consent: Annotated[Drawn, PATH]


class ConsentDecision(OfConsent):
    """Whether exactly this act may be carried out, once."""

    granted: bool


class OfDays(OfService):
    """How far back."""

    days: Annotated[int, pydantic.Field(ge=1, le=400)] = 30


_MADE = "/api/services/{given.service.name}"
_DIGEST = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
LIST = Operation("services.list", "GET /services", NoInput, list[ListedService])
CREATE = Operation(
    "services.create",
    "POST /services",
    NewService,
    ServiceView,
    who=ServiceAct.CREATE,
    location=_MADE,
    example={"name": "milling", "title": {"en": "Mill watch", "zh": "铣床预警"}, "certificate": _DIGEST},
)
OVERRIDE = Operation(
    "services.override",
    "POST /services/overrides",
    NewOverride,
    ServiceView,
    who=ServiceAct.OVERRIDE,
    location=_MADE,
    example={
        "service": "assistant",
        "organisation": "plant",
        "protocol": "openai",
        "url": "https://models.plant.example/v1",
        "model": "qwen3-8b",
        "reason": "Pilot with the second shift until its trial",
        "days": 14,
    },
)
SHOW = Operation("services.show", "GET /services/{service}", OfService, ServiceView)
SET_TERMS = Operation(
    "services.set_terms",
    "PUT /services/{service}/terms",
    OfServiceWith[ServiceTerms],
    ServiceView,
    who=ServiceAct.CREATE,
    example={"timeout_seconds": 45, "workers": 2},
)
MOVE = Operation(
    "services.move",
    "POST /services/{service}/moves/{move}",
    Moved,
    ServiceView,
    who=ServiceAct.MOVE,
    example={"reason": "Line 3 is rebuilt"},
)
RELEASE = Operation(
    "services.release",
    "POST /services/{service}/release",
    NewVersion,
    ServiceView,
    who=ServiceAct.CREATE,
    example={"certificate": _DIGEST, "share": 0.1},
)
END_RELEASE = Operation(
    "services.end_release",
    "POST /services/{service}/release/{end}",
    EndRelease,
    ServiceView,
    who=ServiceAct.CREATE,
    example={"reason": "The shift wants the old version back"},
)
RELEASES = Operation(
    "services.releases", "GET /services/{service}/releases", OfService, list[ReleaseView], who=ServiceAct.INSPECT
)
HOLD_BACK = Operation(
    "services.hold_back",
    "POST /services/{service}/hold-back",
    OfServiceWith[HoldBackTerms],
    HoldBack,
    who=ServiceAct.CREATE,
    example={"share": 0.05, "cap": 1000, "currency": "CNY", "units": 10000},
)
END_HOLD_BACK = Operation(
    "services.end_hold_back",
    "POST /services/{service}/hold-back/end",
    OfService,
    HoldBack,
    who=ServiceAct.CREATE,
    repeated=Repeated.HARMLESS,
)
OUTCOMES = Operation(
    "services.outcomes",
    "POST /services/{service}/outcomes",
    NewOutcomes,
    ValueTold,
    who=ServiceAct.CREATE,
    example={"outcomes": [{"unit": "machine-7", "cost": 120.5}]},
)
VALUE = Operation("services.value", "GET /services/{service}/value", OfService, ValueTold, who=ServiceAct.INSPECT)
HISTORY = Operation("services.history", "GET /services/{service}/history", OfService, list[ServiceStatus])
KEYS = Operation("services.keys", "GET /services/{service}/keys", OfService, list[KeyView], who=ServiceAct.INSPECT)
CREATE_KEY = Operation(
    "services.create_key",
    "POST /services/{service}/keys",
    NewKey,
    KeyView,
    who=ServiceAct.KEYS,
    repeated=Repeated.ONCE,
    location="/api/services/{asked.service}/keys",
    example={"title": "Controller of line 3", "scopes": ["infer"], "budget": "main", "days": 90},
)
REVOKE_KEY = Operation(
    "services.revoke_key", "DELETE /services/{service}/keys/{key}", OfKey, NOTHING, who=ServiceAct.KEYS
)
BUDGETS = Operation(
    "services.budgets", "GET /services/{service}/budgets", OfService, list[BudgetView], who=ServiceAct.INSPECT
)
SET_BUDGET = Operation(
    "services.set_budget",
    "PUT /services/{service}/budgets/{budget}",
    NewBudget,
    BudgetView,
    who=ServiceAct.BUDGET,
    example={"period": "month", "calls": 100_000},
)
EXPOSURE = Operation(
    "services.exposure", "GET /services/{service}/exposure", OfService, ExposureTold, who=ServiceAct.INSPECT
)
GRANT_EXPOSURE = Operation(
    "services.grant_exposure",
    "PUT /services/{service}/exposure",
    NewExposure,
    ExposureTold,
    who=ServiceAct.BUDGET,
    example={"cases": 20_000, "loss": 10_000, "error_cost": 50, "error_rate": 0.05, "reason": "First months on line 3"},
)
DILIGENCE = Operation(
    "services.diligence", "GET /services/{service}/diligence", OfService, DiligenceRecord, who=ServiceAct.INSPECT
)
CONSENTS = Operation(
    "services.consents", "GET /services/{service}/consents", OfService, list[ActConsent], who=ServiceAct.INSPECT
)
CONSENT = Operation(
    "services.consent",
    "GET /services/{service}/consents/{consent}",
    OfConsent,
    ActConsent,
    who=ServiceAct.INSPECT,
)
DECIDE = Operation(
    "services.decide",
    "POST /services/{service}/consents/{consent}/decision",
    ConsentDecision,
    ActConsent,
    who=ServiceAct.CONSENT,
    example={"granted": True},
)
USAGE = Operation("services.usage", "GET /services/{service}/usage", OfDays, list[UsageRow], who=ServiceAct.INSPECT)
