"""Revocations: a signed list with an end date, so that a verifier offline can tell fresh from stale."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import pydantic

from pilotbase.certificate.bounded_json import REVOCATIONS, parse_model, read_evidence
from pilotbase.certificate.delegation import TrustedKey, follow_chain
from pilotbase.certificate.envelope import Envelope, seal
from pilotbase.certificate.files import write_public
from pilotbase.certificate.roots import TrustRoots
from pilotbase.certificate.trust import TrustFolder
from pilotbase.documents.base import Document, Moment, Name, Part
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.hashes import Digest

REVOCATIONS_TYPE = "application/vnd.pilotbase.revocations+json"
LIST_DAYS = 7


class Revoked(Part):
    """One certificate that no longer holds, and why."""

    serial: Digest
    reason: str = pydantic.Field(max_length=500)
    at: Moment


class RevocationList(Document):
    """Everything that ``issuer`` has revoked; says nothing after ``next_update``."""

    document: Literal["revocations/1"] = "revocations/1"
    issuer: Name
    number: int = pydantic.Field(ge=1)
    """Counts up with every list."""
    issued_at: Moment
    next_update: Moment
    revoked: tuple[Revoked, ...] = ()

    def find(self, serial: str) -> Revoked | None:
        """Return the entry of the certificate ``serial``, if it is revoked."""
        return next((entry for entry in self.revoked if entry.serial == serial), None)

    def fresh(self, at: datetime) -> bool:
        """Tell whether the list speaks about the moment ``at``."""
        return self.issued_at <= at <= self.next_update


def publish_revocations(trust: TrustFolder, path: Path, now: datetime, days: int = LIST_DAYS) -> RevocationList:
    """Write the list to ``path`` anew, with what it held, valid for ``days`` from ``now``; return it.

    Raises:
        InvalidProofError: the list that stands there is damaged or not signed by this base.
    """
    return _publish(trust, path, now, (), days)


def revoke(
    trust: TrustFolder, path: Path, serial: str, reason: str, now: datetime, days: int = LIST_DAYS
) -> RevocationList:
    """Add the certificate ``serial`` to the list at ``path``, sign and write it; return it.

    Revoking twice keeps the first entry. Raises as `publish_revocations`.
    """
    return _publish(trust, path, now, (Revoked(serial=serial, reason=reason, at=now),), days)


def read_revocations(data: bytes, roots: TrustRoots) -> RevocationList:
    """Return the list in ``data``.

    Raises:
        InvalidProofError: it is malformed, or no key that ``roots`` vouch for has signed it.
    """
    envelope = parse_model(Envelope, data, REVOCATIONS)
    if envelope.payload_type != REVOCATIONS_TYPE:
        raise InvalidProofError("certificate.other_payload", what=REVOCATIONS, found=envelope.payload_type)
    signers = [holder for holder in follow_chain(roots, envelope.chain) if holder.role == "signing"]
    signers = [holder for holder in signers if envelope.signed_by([holder.key])]
    if not signers:
        raise InvalidProofError("certificate.untrusted", what=REVOCATIONS)
    found = parse_model(RevocationList, envelope.content(), REVOCATIONS)
    if not any(holder.issuer == found.issuer and _covers(holder, found) for holder in signers):
        raise InvalidProofError("certificate.untrusted", what=REVOCATIONS)
    return found


def _covers(holder: TrustedKey, found: RevocationList) -> bool:
    return holder.covers(found.issued_at, found.issued_at)


def _publish(trust: TrustFolder, path: Path, now: datetime, added: tuple[Revoked, ...], days: int) -> RevocationList:
    before = read_revocations(read_evidence(path), trust.roots()) if path.exists() else None
    held = before.revoked if before else ()
    known = {entry.serial for entry in held}
    found = RevocationList(
        issuer=trust.issuer,
        number=before.number + 1 if before else 1,
        issued_at=now,
        next_update=now + timedelta(days=days),
        revoked=(*held, *(entry for entry in added if entry.serial not in known)),
    )
    envelope = seal(REVOCATIONS_TYPE, found.canonical(), trust.signing_key(), trust.chain)
    write_public(path, envelope.to_bytes())
    return found
