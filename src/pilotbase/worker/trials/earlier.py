"""A result that stood before somebody asked for it again: since when, and whether its certificate still holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pilotbase.certificate.status import revocations_of, standing_of
from pilotbase.documents.certificate import Certificate, spoken_reason
from pilotbase.documents.moments import format_minute
from pilotbase.documents.texts import Text, text
from pilotbase.worker.base import Base


def earlier_lines(base: Base, certificate: Certificate, asked_at: datetime) -> Iterator[Text]:
    """Yield that ``certificate`` was issued before ``asked_at``, and what has become of it; nothing of a new one."""
    if certificate.issued_at >= asked_at:
        return
    yield text("worker.line_earlier", at=format_minute(certificate.issued_at))
    stands = standing_of(certificate, revocations_of(base.lab.view), asked_at)
    if stands.entry is not None:
        code = f"worker.line_{stands.status}"
        yield text(code, at=format_minute(stands.entry.at), reason=spoken_reason(stands.entry.reason))
