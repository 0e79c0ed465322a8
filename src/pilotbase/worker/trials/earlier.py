"""A result that stood before somebody asked for it again: since when, and whether its certificate still holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pilotbase.documents.certificate import Certificate
from pilotbase.documents.public_reasons import spoken_reason
from pilotbase.documents.texts import Text, text
from pilotbase.service.known import revocations
from pilotbase.worker.base import Base


def earlier_lines(base: Base, certificate: Certificate, asked_at: datetime) -> Iterator[Text]:
    """Yield that ``certificate`` was issued before ``asked_at``, and what has become of it; nothing of a new one."""
    if certificate.issued_at >= asked_at:
        return
    yield text("worker.line_earlier", at=_day(certificate.issued_at))
    listed = revocations(base.lab.view)
    if listed is None:
        return
    revoked, held = listed.find(certificate.serial), listed.find_suspended(certificate.serial)
    entry = revoked or held
    if entry is not None:
        code = "worker.line_revoked" if revoked else "worker.line_suspended"
        yield text(code, at=_day(entry.at), reason=spoken_reason(entry.reason))


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
