"""The one certificate of a report: issued and signed once, then given out as it was, until it is revoked."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from pilotbase.certificate import (
    NO_SEPARATION_OF_DUTIES,
    issue_certificate,
    read_evidence,
    revoke,
    sign_certificate,
    verify_certificate,
)
from pilotbase.certificate.status import IssuedCertificate
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.moments import day_end
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.report import Report
from pilotbase.documents.site import SiteStatement
from pilotbase.documents.subjects import certificate_head, report_head
from pilotbase.documents.texts import Text, text
from pilotbase.worker.base import Base
from pilotbase.worker.trials.certifying import ran_at_site
from pilotbase.workspace.actors import PUBLIC
from pilotbase.workspace.checks.proofs import proven_head, require_stored
from pilotbase.workspace.failures import ConflictError


def issue(
    base: Base, report: Report, plan: TrialPlan, remarks: tuple[Text, ...] = (NO_SEPARATION_OF_DUTIES,)
) -> IssuedCertificate:
    """Return the certificate over ``report``, issued and signed now if it has not been.

    ``remarks`` stand on a new one; the command line, where one operator does everything, says so by default.

    Raises:
        InvalidProofError: the log has not seen ``plan`` frozen, ``report`` reported under it, or what stands in the
            store as its certificate issued.
    """
    require_stored(base.lab.store, plan.digest(), "trial-plan", "trial.plan_frozen")
    if proven_head(base.lab.store, report_head(plan.digest()), "trial.reported") != report.digest():
        raise InvalidProofError("worker.report_unlogged", report=report.digest(), plan=plan.digest())
    return issue_once(base, report, plan, remarks)


def issue_once(
    base: Base, report: Report, plan: TrialPlan, remarks: tuple[Text, ...], site: SiteStatement | None = None
) -> IssuedCertificate:
    """Return the certificate over ``report``, issued and signed now if it has not been.

    Whoever calls has seen to it that ``report`` is proven: by this base's log, or by that of the ``site`` where it ran.

    Raises:
        InvalidProofError: the log has not seen what stands in the store as its certificate issued.
    """
    head, view = certificate_head(report.digest()), base.lab.view
    known = proven_head(base.lab.store, head, "certificate.issued")
    if known is not None:
        return view.load(known, IssuedCertificate)
    now = base.lab.store.clock()
    expires = _expiry(base, report, now)
    certificate = issue_certificate(
        report, plan, issuer=base.trust.issuer, now=now, expires_at=expires, remarks=remarks
    )
    certificate = certificate if site is None else ran_at_site(certificate, site)
    issued = IssuedCertificate(certificate=certificate, envelope=sign_certificate(certificate, base.trust))
    try:
        with view.transaction("certificate.issued") as change:
            change.set_head(head, change.put(issued, PUBLIC), expected=None)
    except ConflictError:  # another process issued it meanwhile: its certificate is the one
        return issue_once(base, report, plan, remarks, site)
    return issued


def _expiry(base: Base, report: Report, now: datetime) -> datetime:
    """Return when a certificate ends: with the time of the key, of an endpoint with the days for which it is kept."""
    expires = base.trust.expiry(now)
    if report.endpoint is None:
        return expires
    return min(expires, max(day_end(report.endpoint.period.until), now + timedelta(seconds=1)))


def revoke_certificate(base: Base, file: Path, reason: str) -> Text:
    """Name a certificate in the base's signed revocation list; return what was done.

    Raises as `verify_certificate` and `revoke`.
    """
    now = base.lab.store.clock()
    serial = verify_certificate(read_evidence(file), base.trust.roots(), at=now).certificate.serial
    revoke(base.trust, base.lab.view, base.revocations, serial, reason, now)
    return text("worker.revoked", file=file, list=base.revocations)
