"""Offline verification of a certificate from its bytes, the trust roots and a revocation list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pilotbase.certificate.bounded_json import CERTIFICATE, parse_model
from pilotbase.certificate.envelope import PAYLOAD_TYPE, Envelope, read_statement
from pilotbase.certificate.roots import TrustedKey, TrustRoots, signers_of
from pilotbase.certificate.status import RevocationList, read_revocations
from pilotbase.documents.certificate import Certificate, spoken_reason
from pilotbase.documents.errors import InvalidProofError, UnknownProofError
from pilotbase.documents.moments import format_minute
from pilotbase.documents.texts import Text, text


@dataclass(frozen=True)
class CertificateVerification:
    """A valid certificate; a signed rejection is valid too."""

    certificate: Certificate
    signed_by: str
    """Id of the signing key."""
    at: datetime
    """The moment for which the result applies."""
    revocation: Literal["good", "unknown"]
    """``unknown``: no revocation list, or a stale one."""
    notes: tuple[Text, ...] = ()
    """What a reader must know in addition to "valid"."""

    def matches(self, application: str, environment: str | None = None) -> bool:
        """Return whether the certificate is for exactly this application digest (and environment, if given)."""
        found = self.certificate.application
        return found.digest == application and environment in (None, found.environment)

    def require(self, application: str, environment: str | None = None) -> None:
        """Do nothing if `matches`; else raise `InvalidProofError`: a certificate is void for any other version."""
        if not self.matches(application, environment):
            name = self.certificate.application.name
            raise InvalidProofError("certificate.other_version", application=name, found=application)


def verify_certificate(
    data: bytes,
    roots: TrustRoots,
    revocations: bytes | None = None,
    *,
    strict: bool = False,
    at: datetime,
) -> CertificateVerification:
    """Return the certificate in ``data`` if it is valid at the moment ``at``.

    Raises:
        InvalidProofError: malformed, not signed by a key that ``roots`` vouch for, expired, not yet valid, revoked or
            suspended; or the revocation list itself is malformed or not signed.
        UnknownProofError: ``strict``, and the revocation list is missing, stale or another issuer's.
    """
    envelope = parse_model(Envelope, data, CERTIFICATE)
    signers = signers_of(envelope, roots, PAYLOAD_TYPE, CERTIFICATE)
    certificate = read_statement(envelope.content())
    signer = _entitled(signers, certificate)
    if at < certificate.issued_at:
        raise InvalidProofError("certificate.not_yet_valid", issued=certificate.issued_at.isoformat())
    if at >= certificate.expires_at:
        raise InvalidProofError("certificate.expired", expired=certificate.expires_at.isoformat())
    listed = read_revocations(revocations, roots) if revocations is not None else None
    doubt = _revocation_doubt(certificate, listed, at)
    if doubt is not None and strict:
        raise UnknownProofError("certificate.revocation_unknown", doubt=doubt)
    note = text("certificate.revocation_unknown", doubt=doubt)
    if listed is not None and doubt is None:  # an older list that is still valid lacks later revocations
        note = text("certificate.not_listed", number=listed.number, **_span(listed))
    return CertificateVerification(
        certificate=certificate,
        signed_by=signer.key.key_id,
        at=at,
        revocation="good" if doubt is None else "unknown",
        notes=(note,),
    )


def _entitled(signers: Sequence[TrustedKey], certificate: Certificate) -> TrustedKey:
    """Return the signer that may sign this certificate: same issuer, and valid for the certificate's whole validity."""
    for signer in signers:
        if signer.issuer == certificate.issuer and signer.covers(certificate.issued_at, certificate.expires_at):
            return signer
    raise InvalidProofError("certificate.not_entitled", issuer=certificate.issuer)


def _revocation_doubt(certificate: Certificate, listed: RevocationList | None, at: datetime) -> Text | None:
    """Return why the revocation status is unknown, or None; raises if the certificate is revoked or suspended."""
    if listed is None:
        return text("certificate.doubt.missing")
    if listed.issuer != certificate.issuer:
        return text("certificate.doubt.other_issuer", found=listed.issuer, issuer=certificate.issuer)
    entry = listed.find(*certificate.serials)
    if entry is not None:
        raise InvalidProofError("certificate.revoked", at=format_minute(entry.at), reason=spoken_reason(entry.reason))
    if not listed.fresh(at):
        return text("certificate.doubt.stale", **_span(listed))
    held = listed.find_suspended(*certificate.serials)
    if held is not None:
        raise InvalidProofError("certificate.suspended", at=format_minute(held.at), reason=spoken_reason(held.reason))
    return None


def _span(listed: RevocationList) -> dict[str, str]:
    return {"issued": format_minute(listed.issued_at), "until": format_minute(listed.until)}
