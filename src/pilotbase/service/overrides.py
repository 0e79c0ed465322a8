"""Overrides: the operator's signed and expiring word that an endpoint without a certificate may serve."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from pilotbase.certificate import Envelope, TrustFolder
from pilotbase.certificate.envelope import seal
from pilotbase.documents.base import Document
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.service import Override
from pilotbase.operations.services import NewOverride

OVERRIDE_TYPE = "application/vnd.pilotbase.override+json"


class SignedOverride(Document):
    """An override with the envelope that was signed over it."""

    document: Literal["signed-override/1"] = "signed-override/1"
    override: Override
    envelope: Envelope


def sign_override(wanted: NewOverride, trust: TrustFolder, now: datetime) -> SignedOverride:
    """Return what is wanted as the word of the base, signed by the key that signs its certificates.

    Raises:
        RefusedError: it would not be wholly within the time of the signing key, or the key file is not there.
    """
    expires = now + timedelta(days=wanted.days)
    begins, ends = trust.signing_span()
    if not begins <= now < expires <= ends:
        raise RefusedError("service.override_outside_key", expires=expires.date(), ends=ends.date())
    override = Override(
        service=wanted.service,
        protocol=wanted.protocol,
        url=wanted.url,
        model=wanted.model,
        reason=wanted.reason,
        issued_at=now,
        expires_at=expires,
        issuer=trust.issuer,
    )
    envelope = seal(OVERRIDE_TYPE, override.canonical(), trust.signing_key(), trust.chain)
    return SignedOverride(override=override, envelope=envelope)
