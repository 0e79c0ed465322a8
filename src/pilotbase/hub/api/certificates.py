"""Certificates over the API: read and checked by anybody."""

from __future__ import annotations

from typing import Annotated, Any

import pydantic
from django.http import HttpRequest, HttpResponse
from ninja import Path, Router

from pilotbase.documents.certificate import Certificate
from pilotbase.hub import checking
from pilotbase.hub.acting import language
from pilotbase.hub.api.answers import answers

router = Router(tags=["certificates"], auth=None)
Serial = Path[Annotated[str, pydantic.StringConstraints(pattern=r"^[0-9a-f]{64}$")]]


class CheckedOut(pydantic.BaseModel):
    """Whether a certificate holds, and what it says."""

    holds: bool
    revocation: str | None
    reason: str | None
    """Why it does not hold."""
    notes: list[str]
    certificate: dict[str, Any] | None


@router.post("/certificates/check", response=answers(CheckedOut), summary="Check a signed envelope")
def check(request: HttpRequest) -> CheckedOut:
    """Return whether the certificate in the request's body holds now."""
    return _told(checking.check(request.body))


@router.get("/certificates/{serial}", response=answers(CheckedOut), summary="A certificate and whether it holds")
def read(request: HttpRequest, serial: Serial) -> CheckedOut:
    """Return a certificate of this base, and whether it holds now."""
    return _told(checking.check_issued(serial))


@router.get("/certificates/{serial}/envelope", response=answers(dict[str, Any]), summary="The signed envelope")
def envelope(request: HttpRequest, serial: Serial) -> HttpResponse:
    """Return the signed envelope, to be checked offline against the trust roots."""
    return HttpResponse(checking.issued(serial).envelope.to_bytes(), content_type="application/json")


def _told(checked: checking.Checked) -> CheckedOut:
    found, certificate = checked.verification, checked.certificate
    shown: Certificate | None = certificate
    return CheckedOut(
        holds=found is not None,
        revocation=found.revocation if found else None,
        reason=checked.error.text.render(language()) if checked.error else None,
        notes=[note.render(language()) for note in found.notes] if found else [],
        certificate=shown.to_json_value() if shown else None,
    )
