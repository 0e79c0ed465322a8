"""Issued certificates and their status, from their dates and the base's signed list of revocations, which ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Literal

import pydantic

from pilotbase.certificate.bounded_json import REVOCATIONS, parse_model
from pilotbase.certificate.envelope import Envelope, seal
from pilotbase.certificate.roots import TrustRoots, signers_of
from pilotbase.certificate.trust import TrustFolder
from pilotbase.documents.base import Document, Moment, Name, Part
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.errors import InvalidProofError, RefusedError
from pilotbase.documents.hashes import Digest
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
    revoked = listed.find(*certificate.serials) if listed is not None else None
    if revoked is not None:
        return CertificateStanding(CertificateStatus.REVOKED, revoked)
    if at >= certificate.expires_at:
        return CertificateStanding(CertificateStatus.EXPIRED)
    held = listed.find_suspended(*certificate.serials) if listed is not None else None
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


REVOCATIONS_TYPE = "application/vnd.pilotbase.revocations+json"
MAXIMUM_REASON = 500
LIST_LIFE = timedelta(days=1)
"""A list is valid for at most this long, whatever it states: replaying an old list can't hide a revocation longer."""


class Revoked(Part):
    """One certificate that isn't valid, since when and why."""

    serial: Digest
    reason: str = pydantic.Field(max_length=MAXIMUM_REASON)
    at: Moment


class RevocationList(Document):
    """Everything that ``issuer`` has revoked or suspended; the list says nothing after `until`.

    A suspension is what RFC 5280, 5.3.1 calls certificateHold: the entry leaves the list when it is lifted.
    """

    document: Literal["revocations/1"] = "revocations/1"
    issuer: Name
    number: int = pydantic.Field(ge=1)
    """Increases with every list."""
    issued_at: Moment
    next_update: Moment
    revoked: tuple[Revoked, ...] = ()
    suspended: tuple[Revoked, ...] = ()

    def find(self, *serials: str) -> Revoked | None:
        """Return the first entry of a revoked certificate among ``serials``."""
        return next((entry for entry in self.revoked if entry.serial in serials), None)

    def find_suspended(self, *serials: str) -> Revoked | None:
        """Return the first entry of a suspended certificate among ``serials``."""
        return next((entry for entry in self.suspended if entry.serial in serials), None)

    @property
    def until(self) -> datetime:
        return min(self.next_update, self.issued_at + LIST_LIFE)

    def fresh(self, at: datetime) -> bool:
        """Return whether the list is valid at the moment ``at``."""
        return self.issued_at <= at <= self.until


def read_revocations(data: bytes, roots: TrustRoots) -> RevocationList:
    """Return the list in ``data``.

    Raises:
        InvalidProofError: it is malformed, or not signed by a key that ``roots`` vouch for.
    """
    envelope = parse_model(Envelope, data, REVOCATIONS)
    signers = signers_of(envelope, roots, REVOCATIONS_TYPE, REVOCATIONS)
    found = parse_model(RevocationList, envelope.content(), REVOCATIONS)
    if not any(holder.issuer == found.issuer and holder.covers(found.issued_at, found.issued_at) for holder in signers):
        raise InvalidProofError("certificate.untrusted", what=REVOCATIONS)
    return found


def seal_revocations(listed: RevocationList, trust: TrustFolder) -> Envelope:
    """Return ``listed`` signed by the signing key.

    Raises:
        RefusedError: the list is dated outside the validity of the key, so no verifier would accept it.
    """
    begins, ends = trust.signing_span()
    if not begins <= listed.issued_at < ends:
        raise RefusedError(
            "certificate.clock_outside_key",
            now=listed.issued_at.isoformat(timespec="seconds"),
            begins=begins.isoformat(timespec="seconds"),
            ends=ends.isoformat(timespec="seconds"),
        )
    return seal(REVOCATIONS_TYPE, listed.canonical(), trust.signing_key(), trust.chain)
