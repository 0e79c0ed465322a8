"""Checks of proofs that change nothing: a certificate, offline; the log of a base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pilotbase.catalogue.applications import read_delivered
from pilotbase.certificate import read_evidence, read_trust_roots, verify_certificate
from pilotbase.certificate.issuing import endpoint_remark
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.texts import Text, text
from pilotbase.worker.base import Base
from pilotbase.worker.trials.certificates import site_sentence
from pilotbase.workspace.checks.reconciliation import verify_store


@dataclass(frozen=True)
class VerifiedCertificate:
    """A certificate whose signature holds, and what it says."""

    certificate: Certificate
    lines: tuple[Text, ...]


def check_certificate(
    file: Path, trust: Path, revocations: Path | None, application: Path | None, strict: bool
) -> VerifiedCertificate:
    """Return what a certificate says once its signature holds, offline.

    Raises:
        InvalidProofError: forged, altered, expired, revoked, about another application, or one with more in its
            folder than its digest covers.
        UnknownProofError: under ``strict``, when it cannot be told whether it was revoked.
    """
    listed = read_evidence(revocations) if revocations else None
    roots = read_trust_roots(read_evidence(trust))
    verification = verify_certificate(
        read_evidence(file), roots, revocations=listed, strict=strict, at=datetime.now(UTC)
    )
    certificate = verification.certificate
    if application is not None:
        verification.require(read_delivered(application).digest)
    name = f"{certificate.application.name} {certificate.application.version}"
    lines = (
        text("worker.certificate_valid", application=name, verdict=certificate.verdict_in_words),
        certificate.claim,
        *([endpoint_remark(certificate.endpoint)] if certificate.endpoint is not None else []),
        *([site_sentence(certificate.site)] if certificate.site is not None else []),
        *verification.notes,
    )
    return VerifiedCertificate(certificate, lines)


def verify_base_log(base: Base, witnesses: Sequence[Path] = ()) -> Text:
    """Return that the log holds, with every checkpoint kept outside (``log-checkpoint.txt``), and the store agrees.

    Raises:
        InvalidProofError: naming the first entry that does not hold, or what the store has that the log does not.
    """
    notes = [read_evidence(path).decode("utf-8", errors="replace") for path in witnesses]
    held = verify_store(base.lab.store, notes)
    if held.only_counted:
        return text("worker.log_holds_counted", entries=held.size, sets=held.only_counted)
    return text("worker.log_holds", entries=held.size)
