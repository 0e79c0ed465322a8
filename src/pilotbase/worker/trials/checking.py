"""A certificate checked for anybody: against this base's public roots and its list of revocations."""

from __future__ import annotations

from dataclasses import dataclass

from pilotbase.certificate import CertificateVerification, read_evidence, verify_certificate
from pilotbase.certificate.status import IssuedCertificate
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.hashes import digest_of
from pilotbase.documents.subjects import certificate_head
from pilotbase.worker.base import Base
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.failures import NotFoundError

_NOBODY = Actor("", frozenset())


@dataclass(frozen=True)
class Checked:
    """What came of a check: a certificate that holds, or why none does."""

    verification: CertificateVerification | None
    error: PilotbaseError | None
    certificate: Certificate | None


def check(base: Base, data: bytes) -> Checked:
    """Return whether the certificate in ``data`` holds now; nothing of one that is not ours is shown."""
    revocations = read_evidence(base.revocations) if base.revocations.is_file() else None
    try:
        found = verify_certificate(data, base.trust.roots(), revocations, at=base.lab.store.clock())
    except PilotbaseError as error:
        return Checked(None, error, None)
    return Checked(found, None, found.certificate)


def issued(base: Base, serial: str) -> IssuedCertificate:
    """Return the certificate of a serial number (hex digits), public as all are; raises `NotFoundError`."""
    view = base.lab.store.as_actor(_NOBODY)
    digest = view.head(certificate_head(digest_of(serial)))
    if digest is None:
        raise NotFoundError("hub.no_certificate")
    return view.load(digest, IssuedCertificate)


def check_issued(base: Base, serial: str) -> Checked:
    """Return what a visitor who asks for a serial number is told: the certificate stands even where it holds no more.

    Raises:
        NotFoundError: there is none.
    """
    found = issued(base, serial)
    checked = check(base, found.envelope.to_bytes())
    return Checked(checked.verification, checked.error, found.certificate)
