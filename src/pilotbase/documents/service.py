"""Service 服务: a certified application behind the gateway, what answers when it may not, and on which terms."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic
from pydantic import StringConstraints

from pilotbase.documents.base import Document, Localized, Moment, Name, Part
from pilotbase.documents.hashes import Digest
from pilotbase.documents.plan import ApplicationReference
from pilotbase.documents.subjects import Subject, service_subject
from pilotbase.documents.texts import Text
from pilotbase.documents.vocabularies import ServingState

EndpointProtocol = Literal["openai", "oip"]
"""What endpoints of others may speak; the gateway has an adapter for each."""


class CertifiedRoute(Part):
    """An application that holds a certificate: the digest that was verified is the digest that answers."""

    kind: Literal["certified"] = "certified"
    certificate: Digest
    """The issued certificate, as the store names it."""
    serial: Digest
    """Its serial, as the list of revocations names it."""
    application: ApplicationReference
    plan: Digest
    commission: Subject | None = None
    """The trial that it came from, where the base keeps its record: what is revoked there answers no more."""


class EndpointRoute(Part):
    """An endpoint kept by somebody else, admitted by the operator for a time; no digest was verified."""

    kind: Literal["endpoint"] = "endpoint"
    override: Digest
    """The signed `Override` that admits it."""
    protocol: EndpointProtocol
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s]{1,500}$")]
    model: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """The name under which the endpoint knows the model."""


Route = Annotated[CertifiedRoute | EndpointRoute, pydantic.Field(discriminator="kind")]


class ServiceTerms(Part):
    """On which terms a service answers."""

    timeout_seconds: float = pydantic.Field(default=30, gt=0, le=3600)
    queue: int = pydantic.Field(default=64, ge=0, le=10_000)
    """Calls that wait for a free worker; one more is refused at once."""
    workers: int = pydantic.Field(default=1, ge=1, le=64)
    """Boxes of the application that answer at the same time."""
    body_bytes: int = pydantic.Field(default=4 << 20, ge=1024, le=256 << 20)
    ask_human: bool = False
    """A desk of people answers what nothing certified can. Declared, never assumed: without one the call fails."""


class Service(Document):
    """One name behind the gateway; a changed one is a new version under the same name."""

    document: Literal["service/1"] = "service/1"
    name: Name
    title: Localized | str
    organisation: Name
    """Whose service it is: the demand owner."""
    scenario: Subject | None = None
    """What it is for: the scenario of its certificates; None: nothing behind it was tried."""
    commission: Subject | None = None
    """The trial of its newest certified version, where the base keeps its record."""
    routes: Annotated[tuple[Route, ...], pydantic.Field(min_length=1, max_length=10)]
    """The first answers; the others, earlier certified versions, in the order in which they are fallen back to."""
    terms: ServiceTerms = ServiceTerms()

    @property
    def subject(self) -> str:
        """What names the service through all its versions."""
        return service_subject(self.name)

    def answers(self, route: int) -> str:
        """Return name and version of what answers on a route, or the name of an endpoint's model."""
        found = self.routes[route]
        if isinstance(found, CertifiedRoute):
            return f"{found.application.name} {found.application.version}"
        return found.model


class ServiceStatus(Document):
    """Where a service stands now; the newest is what the gateway obeys at its next call."""

    document: Literal["service-standing/1"] = "service-standing/1"
    service: Name
    state: ServingState
    route: int = pydantic.Field(default=0, ge=0)
    """Which of the service's routes answers."""
    reason: Text
    cause: Digest | None = None
    """What it was done for: a risk warning, an incident, a revocation."""
    at: Moment


class Override(Document):
    """The operator's word that an endpoint without a certificate may serve for a time, and why."""

    document: Literal["override/1"] = "override/1"
    service: Name
    protocol: EndpointProtocol
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s]{1,500}$")]
    model: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    reason: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    issued_at: Moment
    expires_at: Moment
    issuer: Name
