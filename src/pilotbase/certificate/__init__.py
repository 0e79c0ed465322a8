"""Certificates: sign, verify offline, revoke, and the keys behind them.

    trust = create_trust(keys_folder, issuer, now)              root key → signing key; opens what is already there
    write_trust_roots(trust, home / "trust-roots.json")         public: what a verifier must hold
    publish_revocations(trust, view, home / "revocations.json", now)  public: a signed copy of the list in the store

    certificate = issue_certificate(report, plan, issuer=trust.issuer, now=now, expires_at=trust.expiry(now))
    envelope = sign_certificate(certificate, trust)             in-toto statement in a DSSE envelope
    path.write_bytes(envelope.to_bytes())

    verification = verify_certificate(data, read_trust_roots(roots), revocations=None, at=now)
    verification.matches(application_digest)                    False: void for any other version

Invalid raises `InvalidProofError` (exit 3); "unknown" under ``strict`` raises `UnknownProofError` (exit 4).
"""

from pilotbase.certificate.bounded_json import read_evidence
from pilotbase.certificate.envelope import Envelope
from pilotbase.certificate.issuing import NO_SEPARATION_OF_DUTIES, claim_sentence, issue_certificate, sign_certificate
from pilotbase.certificate.revoking import publish_revocations, reinstate, revoke, suspend
from pilotbase.certificate.roots import TrustRoots, read_trust_roots
from pilotbase.certificate.status import RevocationList
from pilotbase.certificate.trust import (
    TrustFolder,
    create_trust,
    has_trust,
    open_trust,
    require_name,
    rotate_root,
    rotate_signing_key,
    write_trust_roots,
)
from pilotbase.certificate.verification import CertificateVerification, verify_certificate

__all__ = [
    "NO_SEPARATION_OF_DUTIES",
    "CertificateVerification",
    "Envelope",
    "RevocationList",
    "TrustFolder",
    "TrustRoots",
    "claim_sentence",
    "create_trust",
    "has_trust",
    "issue_certificate",
    "open_trust",
    "publish_revocations",
    "read_evidence",
    "read_trust_roots",
    "reinstate",
    "require_name",
    "revoke",
    "rotate_root",
    "rotate_signing_key",
    "sign_certificate",
    "suspend",
    "verify_certificate",
    "write_trust_roots",
]
