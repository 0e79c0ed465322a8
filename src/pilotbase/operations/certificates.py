"""Certificates: read, checked and exported by anybody; a badge for a person who took part; what an advisory meets."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import StringConstraints

from pilotbase.documents.api.shapes import RequestModel
from pilotbase.documents.api.trials import (
    AdvisoryKept,
    AdvisoryMet,
    CheckedCertificate,
    ComponentUse,
    ReuseLink,
    SignedBadge,
)
from pilotbase.documents.files import File
from pilotbase.documents.hashes import HEX
from pilotbase.documents.permissions import DeskAct, ReadScope
from pilotbase.operations.operation import PATH, Callers, NoInput, Operation, Repeated, With


class OfCertificate(RequestModel):
    """Which certificate, by its number."""

    serial: Annotated[str, StringConstraints(pattern=f"^{HEX}$"), PATH]


class OfExport(OfCertificate):
    """Which certificate, in the format of which name."""

    to: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$"), PATH]


CHECK = Operation(
    "certificates.check",
    "POST /certificates/check",
    With[bytes],
    CheckedCertificate,
    callers=Callers.UNASKED,
    repeated=Repeated.HARMLESS,
    media="application/json",
)
SHOW = Operation(
    "certificates.show", "GET /certificates/{serial}", OfCertificate, CheckedCertificate, callers=Callers.UNASKED
)
ENVELOPE = Operation(
    "certificates.envelope",
    "GET /certificates/{serial}/envelope",
    OfCertificate,
    dict[str, Any],
    callers=Callers.UNASKED,
)
PROOF = Operation(
    "certificates.proof", "GET /certificates/{serial}/proof", OfCertificate, dict[str, Any], callers=Callers.UNASKED
)
EXPORT = Operation(
    "certificates.export",
    "GET /certificates/{serial}/exports/{to}",
    OfExport,
    File,
    callers=Callers.UNASKED,
)
BADGE = Operation(
    "certificates.badge",
    "POST /certificates/{serial}/badge",
    OfCertificate,
    SignedBadge,
    only="people of the supplier who took part in the trial, or handed in the application",
    repeated=Repeated.ANEW,
)
COMPONENTS = Operation(
    "certificates.components",
    "GET /components",
    NoInput,
    list[ComponentUse],
    who=ReadScope.OVERVIEW,
)
ADVISORY = Operation(
    "certificates.advisory",
    "POST /advisories",
    With[bytes],
    AdvisoryMet,
    who=ReadScope.OVERVIEW,
    refuses=frozenset({422}),
    repeated=Repeated.HARMLESS,
    media="application/json",
)
TELL_ADVISORY = Operation(
    "certificates.tell_advisory",
    "POST /advisories/kept",
    With[bytes],
    AdvisoryMet,
    who=DeskAct.ADVISE,
    refuses=frozenset({422}),
    repeated=Repeated.HARMLESS,
    media="application/json",
)
ADVISORIES = Operation(
    "certificates.advisories", "GET /advisories", NoInput, list[AdvisoryKept], who=ReadScope.OVERVIEW
)
REUSE = Operation("certificates.reuse", "GET /components/reuse", NoInput, list[ReuseLink], who=ReadScope.OVERVIEW)
