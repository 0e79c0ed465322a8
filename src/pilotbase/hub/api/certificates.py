"""Certificates over the API: read and checked by anybody."""

from __future__ import annotations

from typing import Annotated, Any

import pydantic
from django.http import HttpRequest, HttpResponse
from ninja import Path, Router

from pilotbase.documents.api.trials import CheckedCertificate
from pilotbase.documents.hashes import HEX
from pilotbase.documents.texts import sentence
from pilotbase.hub.acting import language
from pilotbase.hub.api.answers import answers
from pilotbase.hub.api.media import JSON
from pilotbase.hub.shown import checking

router = Router(tags=["certificates"], auth=None)
Serial = Path[Annotated[str, pydantic.StringConstraints(pattern=f"^{HEX}$")]]
ENVELOPE = {"requestBody": {"required": False, "content": {JSON: {"schema": {}}}}}
"""Whatever is sent is looked at: what is no certificate does not hold."""


@router.post(
    "/certificates/check",
    response=answers(CheckedCertificate),
    by_alias=True,
    summary="Check a signed envelope",
    openapi_extra=ENVELOPE,
)
def check(request: HttpRequest) -> CheckedCertificate:
    """Return whether the certificate in the request's body holds now."""
    return _told(checking.check(request.body))


@router.get(
    "/certificates/{serial}",
    response=answers(CheckedCertificate),
    by_alias=True,
    summary="A certificate and whether it holds",
)
def read(request: HttpRequest, serial: Serial) -> CheckedCertificate:
    """Return a certificate of this base, and whether it holds now."""
    return _told(checking.check_issued(serial))


@router.get("/certificates/{serial}/envelope", response=answers(dict[str, Any]), summary="The signed envelope")
def envelope(request: HttpRequest, serial: Serial) -> HttpResponse:
    """Return the signed envelope, to be checked offline against the trust roots."""
    return HttpResponse(checking.issued(serial).envelope.to_bytes(), content_type="application/json")


def _told(checked: checking.Checked) -> CheckedCertificate:
    found = checked.verification
    return CheckedCertificate(
        holds=found is not None,
        revocation=found.revocation if found else None,
        reason=sentence(checked.error.text, language()) if checked.error else None,
        notes=[note.render(language()) for note in found.notes] if found else [],
        certificate=checked.certificate,
    )
