"""Profiles: what somebody claims and what records show; capabilities that organisations state."""

from __future__ import annotations

import pydantic

from pilotbase.documents.api.shapes import InAddress
from pilotbase.documents.base import NAME
from pilotbase.documents.capability import Capability, CapabilityKind, ListedCapability, NewCapability, Profile
from pilotbase.operations.matches import OfRecord, OfRecordWith
from pilotbase.operations.operation import NOTHING, Operation, Repeated

KINDS = "organisation|capability|application|dataset|pool"


class OfSubject(InAddress):
    """Whose profile."""

    subject: str = pydantic.Field(pattern=rf"^({KINDS}):{NAME}(/{NAME})?$")
    """Such as ``organisation:acme``, ``capability:acme/vision``, ``application:acme/forest``."""


class CapabilitiesAsked(InAddress):
    """Which capabilities."""

    q: str = pydantic.Field("", max_length=200, pattern=r"^[^\x00]*$")
    kind: CapabilityKind | None = None


_CAPABILITY, _OWN = "/capabilities/{owner}/{name}", "members of the organisation, operator"
SHOW = Operation("profiles.show", "GET /profiles", OfSubject, Profile)
LIST = Operation("profiles.list", "GET /capabilities", CapabilitiesAsked, list[ListedCapability])
READ = Operation("profiles.read", f"GET {_CAPABILITY}", OfRecord, Capability)
STATE = Operation(
    "profiles.state",
    f"PUT {_CAPABILITY}",
    OfRecordWith[NewCapability],
    Capability,
    only=_OWN,
    repeated=Repeated.HARMLESS,
    example={
        "kind": "provider",
        "title": "Integration of vision systems",
        "summary": "We bring cameras and models for visual inspection into running lines.",
        "sectors": ["manufacturing"],
        "tasks": ["detection"],
        "data": ["images"],
        "languages": ["zh", "en"],
        "regions": ["CN"],
        "days_a_month": 40,
    },
)
WITHDRAW = Operation(
    "profiles.withdraw", f"DELETE {_CAPABILITY}", OfRecord, NOTHING, only=_OWN, repeated=Repeated.HARMLESS
)
