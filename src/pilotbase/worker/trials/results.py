"""What came of a trial: its newest report in the view that the actor may have, and the certificate over it."""

from __future__ import annotations

from pilotbase.certificate.status import IssuedCertificate
from pilotbase.documents.record import Record
from pilotbase.documents.report import Report
from pilotbase.documents.subjects import certificate_head
from pilotbase.workspace.store import View


def report_of(view: View, record: Record) -> Report | None:
    """Return the newest report of a trial: the full one where it is seen, else the supplier's view of it."""
    full = record.documents.get("report")
    if full is None:
        return None
    stored = view.get(full) or next(iter(view.find("report", {"full": full}, limit=1)), None)
    return stored.load(Report) if stored else None


def certificate_of(view: View, record: Record) -> IssuedCertificate | None:
    """Return the certificate that was issued over the newest report."""
    report_digest = record.documents.get("report")
    digest = view.head(certificate_head(report_digest)) if report_digest else None
    return view.load(digest, IssuedCertificate) if digest else None
