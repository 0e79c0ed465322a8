"""Issued certificates and their status, from their dates and the base's signed revocation list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Literal

from pilotbase.certificate.envelope import Envelope
from pilotbase.certificate.revocation import RevocationList, Revoked
from pilotbase.documents.base import Document
from pilotbase.documents.certificate import Certificate
from pilotbase.workspace.records import Stored
from pilotbase.workspace.store import View

REVOCATIONS_HEAD = "revocations"
"""The name of the newest list in the store."""
MOST_CERTIFICATES = 10_000
"""How many of the newest certificates are read at most."""


class CertificateStatus(StrEnum):
    """Whether a certificate is valid; names: text ``portal.status.<value>``."""

    VALID = "valid"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True)
class CertificateStanding:
    """The status of a certificate at a moment."""

    status: CertificateStatus
    entry: Revoked | None = None
    """Since when and why it is revoked or suspended."""


def revocations_of(view: View) -> RevocationList | None:
    """Return what this base has revoked and suspended, or None if it has no list."""
    return view.load_head(REVOCATIONS_HEAD, RevocationList)


def standing_of(certificate: Certificate, listed: RevocationList | None, at: datetime) -> CertificateStanding:
    """Return the status of ``certificate``; revoked takes precedence over expired, and expired over suspended."""
    revoked = listed.find(certificate.serial) if listed is not None else None
    if revoked is not None:
        return CertificateStanding(CertificateStatus.REVOKED, revoked)
    if at >= certificate.expires_at:
        return CertificateStanding(CertificateStatus.EXPIRED)
    held = listed.find_suspended(certificate.serial) if listed is not None else None
    return CertificateStanding(CertificateStatus.SUSPENDED if held is not None else CertificateStatus.VALID, held)


def issued_certificates(view: View) -> list[Certificate]:
    """Return the certificates that the actor can see, newest first, at most `MOST_CERTIFICATES`."""
    return [certificate_in(stored) for stored in view.find("issued-certificate", limit=MOST_CERTIFICATES)]


def certificate_in(stored: Stored) -> Certificate:
    """Return the certificate in an issued one; each is parsed only once, because they never change."""
    return _read(stored.body)


class IssuedCertificate(Document):
    """A certificate with the signed envelope; a later change of keys doesn't affect it."""

    document: Literal["issued-certificate/1"] = "issued-certificate/1"
    certificate: Certificate
    envelope: Envelope


@lru_cache(maxsize=MOST_CERTIFICATES)
def _read(body: bytes) -> Certificate:
    return IssuedCertificate.model_validate_json(body).certificate
