"""Service 服务: a certified application behind the gateway, its fallbacks, terms and consents.

Beside them hold-back 随机留置, by which its value is measured, and exposure 容错额度, which bounds trial and error.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

import pydantic
from pydantic import StringConstraints, model_validator

from pilotbase.documents.base import Document, Localized, Moment, Name, Part
from pilotbase.documents.door import ModelDoor
from pilotbase.documents.endpoint import Money
from pilotbase.documents.errors import InputError
from pilotbase.documents.estimate import Currency
from pilotbase.documents.hashes import Digest
from pilotbase.documents.plan import ApplicationReference
from pilotbase.documents.subjects import Subject, service_subject
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import ConsentState, ServingState
from pilotbase.documents.world import ToolName, Word

EndpointProtocol = Literal["openai", "oip"]
"""Protocols of external endpoints; the gateway has an adapter for each."""
EndpointUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]{1,500}$")]
Replicas = Annotated[tuple[EndpointUrl, ...], pydantic.Field(max_length=15)]
"""Further addresses at which the same model answers: calls are spread over those that do."""


class CertifiedRoute(Part):
    """An application with a certificate: the verified digest is the digest that answers."""

    kind: Literal["certified"] = "certified"
    certificate: Digest
    """The issued certificate, by its digest in the store."""
    serial: Digest
    """Its serial number, as in the list of revocations."""
    application: ApplicationReference
    plan: Digest
    commission: Subject | None = None
    """The trial it came from, if the base keeps its record: once revoked there, it no longer answers."""
    door: ModelDoor | None = None
    """The model that an agent may ask: as the plan has frozen it, and where it is for this service; None: no model."""


class EndpointRoute(Part):
    """An endpoint hosted by someone else, admitted by the operator for a limited time; no digest was verified."""

    kind: Literal["endpoint"] = "endpoint"
    override: Digest
    """The signed `Override` that admits it."""
    protocol: EndpointProtocol
    url: EndpointUrl
    replicas: Replicas = ()
    model: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """The model's name at the endpoint."""


Route = Annotated[CertifiedRoute | EndpointRoute, pydantic.Field(discriminator="kind")]


class ServiceTerms(Part):
    """The terms on which a service answers."""

    timeout_seconds: float = pydantic.Field(default=30, gt=0, le=3600)
    first_byte_seconds: float | None = pydantic.Field(default=None, gt=0, le=3600)
    """An endpoint that hasn't begun to answer by then is given up for a replica or fallback; None: no such limit."""
    queue: int = pydantic.Field(default=64, ge=0, le=10_000)
    """Maximum calls waiting for a free worker; further calls are refused at once."""
    workers: int = pydantic.Field(default=1, ge=1, le=64)
    """Boxes of the application that run in parallel: of an agent, dialogues."""
    idle_seconds: float = pydantic.Field(default=600, ge=1, le=86_400)
    """A dialogue with an agent that hears nothing for so long is ended; a consent has to be decided in this time."""
    concurrency: int = pydantic.Field(default=1000, ge=1, le=100_000)
    """Calls under way at one replica of an endpoint, streams included; further calls are refused at once."""
    hedge: bool = False
    """A late call is also put to a second replica and the first answer counts: only if asking twice does no harm."""
    body_bytes: int = pydantic.Field(default=4 << 20, ge=1024, le=256 << 20)
    ask_human: bool = False
    """A desk of people answers what nothing certified can. It must be declared: without one the call fails."""

    def told(self) -> dict[str, object]:
        """Return the terms by name, with texts for values that aren't numbers."""
        asks = text("service.asks_human" if self.ask_human else "service.asks_nobody")
        hedges = text("service.hedges" if self.hedge else "service.hedges_never")
        first = text("service.term_unset") if self.first_byte_seconds is None else self.first_byte_seconds
        return self.model_dump() | {"ask_human": asks, "hedge": hedges, "first_byte_seconds": first}


Drawn = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""Drawn by chance, hex."""


class ReleaseTerms(Part):
    """Terms of a release: the new version answers a share of the calls until the evidence decides."""

    shadow: int = pydantic.Field(default=0, ge=0, le=1_000_000)
    """Calls that the new version also gets first; its answers are compared and discarded."""
    share: float = pydantic.Field(default=0.1, ge=0.01, le=0.5)
    """Share of the calls that the new version answers meanwhile."""
    unit: Literal["call", "key"] = "call"
    """``call``: each call is assigned at random. ``key``: all calls of a key go to the same version."""
    margin: float = pydantic.Field(default=0.02, gt=0, le=0.2)
    """The new version takes over once its failure rate is shown to exceed the old one's by less than this."""
    slow_ms: float | None = pydantic.Field(default=None, gt=0, le=3_600_000)
    """An answer that takes longer counts as failed."""
    calls: int = pydantic.Field(default=200, ge=1, le=10_000_000)
    """The new version answers at least this many calls before it takes over."""
    days: int = pydantic.Field(default=30, ge=1, le=365)
    """Without a decision by then, the old version stays."""


class VersionRelease(Part):
    """A release under way."""

    identity: Drawn
    candidate: Digest
    """Digest of the new application: the last of the routes."""
    since: Moment
    terms: ReleaseTerms
    shadows: bool = False
    """Nobody gets the new version's answers yet."""

    def is_slow(self, milliseconds: float) -> bool:
        """Return whether an answer that took so long counts as failed."""
        return self.terms.slow_ms is not None and milliseconds > self.terms.slow_ms


class Service(Document, published=True):
    """One name behind the gateway; a change makes a new version under the same name."""

    document: Literal["service/1"] = "service/1"
    name: Name
    title: Localized | str
    organisation: Name
    """The demand owner, who owns the service."""
    scenario: Subject | None = None
    """The scenario of its certificates; None: nothing behind it has had a trial."""
    commission: Subject | None = None
    """The trial of its newest certified version, if the base keeps its record."""
    routes: Annotated[tuple[Route, ...], pydantic.Field(min_length=1, max_length=10)]
    """The first answers; the others, earlier certified versions, are fallbacks in this order."""
    terms: ServiceTerms = ServiceTerms.model_construct()
    release: VersionRelease | None = None
    """While a new version takes over; it stands last among the routes."""

    @property
    def candidate(self) -> CertifiedRoute | None:
        """The route of the version that is being released."""
        route = self.routes[-1]
        return route if self.release is not None and isinstance(route, CertifiedRoute) else None

    @property
    def subject(self) -> str:
        """The service's name across all its versions."""
        return service_subject(self.name)

    @property
    def exposed(self) -> str:
        """The subject of its exposure limit: the scenario, with all its services, or the service if it has none."""
        return self.scenario or self.subject

    def answers(self, route: int) -> str:
        """Return name and version of the application on a route, or the name of an endpoint's model."""
        found = self.routes[route]
        if isinstance(found, CertifiedRoute):
            return f"{found.application.name} {found.application.version}"
        return found.model


class ServiceStatus(Document, published=True):
    """The standing of a service; the gateway follows the newest at its next call."""

    document: Literal["service-standing/1"] = "service-standing/1"
    service: Name
    state: ServingState
    route: int = pydantic.Field(default=0, ge=0)
    """The service's route that answers."""
    reason: Text
    cause: Digest | None = None
    """The cause: a risk warning, an incident, a revocation."""
    at: Moment


class Override(Document, published=True):
    """The operator's word that an endpoint without a certificate may serve for a time, and why."""

    document: Literal["override/1"] = "override/1"
    service: Name
    protocol: EndpointProtocol
    url: EndpointUrl
    replicas: Replicas = ()
    model: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    reason: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    issued_at: Moment
    expires_at: Moment
    issuer: Name


class ActConsent(Document, published=True):
    """A consent to exactly one act, once; decided by a person on a page of the base, never through the application."""

    document: Literal["act-consent/1"] = "act-consent/1"
    consent: Drawn
    service: Name
    dialogue: Drawn
    """The dialogue in which the act was tried; a consent is of use in no other."""
    version: Digest
    """Of the application that tried it."""
    act: Digest
    """Of tool and arguments, as the fence names them."""
    act_class: Word
    of: Name | None = None
    """Who consents, in the world's words; None: the user."""
    tool: ToolName
    description: Localized | str = ""
    """Of the tool, as it was certified."""
    arguments: dict[str, Any] = pydantic.Field(default_factory=dict)
    reversible: bool = True
    asked_at: Moment
    expires_at: Moment
    """Until then it can be decided, and the act carried out."""
    decided: ConsentState = ConsentState.UNDECIDED
    decided_by: str | None = None
    """The person, by the identifier that the base's log uses."""
    decided_at: Moment | None = None

    def allows(self, now: datetime) -> bool:
        """Return whether the act may be carried out at ``now``."""
        return self.decided is ConsentState.GRANTED and now < self.expires_at

    def waits(self, now: datetime) -> bool:
        """Return whether it can still be decided at ``now``."""
        return self.decided is ConsentState.UNDECIDED and now < self.expires_at


FEWEST_HELD = 400
"""Units held back from which a benefit is shown: skewed costs make intervals of fewer too short."""
MOST_OUTCOMES = 10_000
MOST_CASES = 10**12
Seed = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Unit = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class HoldBackTerms(Part):
    """How a benefit is measured; set before it begins, and not changed."""

    share: float = pydantic.Field(default=0.05, ge=0.01, le=0.5)
    """Part of the units that goes today's way."""
    cap: float = pydantic.Field(gt=0, le=1e12)
    """Highest cost that one unit counts with."""
    currency: Currency = "CNY"
    units: int = pydantic.Field(default=10_000, ge=1000, le=10**8)
    """How many units are reported before the result is read: the stop rule."""


class HoldBack(Document, published=True):
    """A hold-back of a service: its terms, and the commitment to the seed by which units are drawn."""

    document: Literal["hold-back/1"] = "hold-back/1"
    identity: Drawn
    service: Name
    terms: HoldBackTerms
    commitment: Digest
    """SHA-256 of the seed: nobody chooses afterwards who was held back."""
    since: Moment
    ended_at: Moment | None = None
    seed: Seed | None = None
    """Shown once it has ended, so that anyone can draw again."""


class HoldBackSeed(Document):
    """The seed while units are drawn: the base alone sees it."""

    document: Literal["hold-back-seed/1"] = "hold-back-seed/1"
    identity: Drawn
    seed: Seed


class UnitOutcome(Part):
    """What one unit has cost, whichever way it went."""

    unit: Unit
    cost: float = pydantic.Field(ge=0, le=1e12)
    """Minutes at their rate, errors, handling: without what the service itself costs."""


class ServiceOutcomes(Document, published=True):
    """Outcomes of units, as the owner reports them; of a unit that comes again the sum counts."""

    document: Literal["service-outcomes/1"] = "service-outcomes/1"
    service: Name
    hold_back: Drawn
    outcomes: Annotated[tuple[UnitOutcome, ...], pydantic.Field(min_length=1, max_length=MOST_OUTCOMES)]


ExposureBound = Literal["cases", "people", "loss"]
"""What an exposure is bounded by; names: text ``service.exposure_bound.<value>``."""


class ExposureTerms(Part):
    """Limits on what applications decide in service until people have reviewed it: trial and error, within bounds."""

    cases: int | None = pydantic.Field(default=None, ge=1, le=MOST_CASES)
    people: int | None = pydantic.Field(default=None, ge=1, le=MOST_CASES)
    """How many people may be affected."""
    people_per_case: int = pydantic.Field(default=1, ge=1, le=10**6)
    """How many one case affects at most."""
    loss: Money | None = None
    """What errors may cost."""
    error_cost: Money | None = None
    """What one error costs at most; None: the costliest error that the scenario states."""
    error_rate: float = pydantic.Field(default=1, gt=0, le=1)
    """Highest share of cases that may be answered wrongly, such as a bound in the report; 1: any of them."""
    currency: Currency = "CNY"
    reason: Annotated[str, StringConstraints(min_length=1, max_length=2000)]

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if (self.cases, self.people, self.loss) == (None, None, None):
            raise InputError("service.exposure_unbounded")
        return self


class ExposureGrant(Document, published=True):
    """A granted exposure limit: cases decided in service count against it. A new grant starts from zero."""

    document: Literal["exposure/1"] = "exposure/1"
    identity: Drawn
    exposed: Subject
    """The scenario, or a service without one."""
    organisation: Name
    """Who granted it."""
    terms: ExposureTerms
    since: Moment

    @property
    def cases_by_bound(self) -> dict[ExposureBound, int]:
        """Return how many cases each bound allows."""
        terms, found = self.terms, dict[ExposureBound, int]()
        if terms.cases is not None:
            found["cases"] = terms.cases
        if terms.people is not None:
            found["people"] = terms.people // terms.people_per_case
        if terms.loss is not None and terms.error_cost:
            found["loss"] = min(int(terms.loss / (terms.error_cost * Decimal(str(terms.error_rate)))), MOST_CASES)
        return found

    @property
    def bound(self) -> tuple[ExposureBound, int]:
        """Return the bound that is reached first, and after how many cases."""
        return min(self.cases_by_bound.items(), key=lambda one: one[1])
