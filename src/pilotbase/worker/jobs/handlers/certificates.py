"""Jobs of certificates: issuing them, and the signed list of those that no longer hold."""

from __future__ import annotations

from collections.abc import Mapping

from pilotbase.certificate.revoking import reinstate, revoke, suspend
from pilotbase.certificate.status import MAXIMUM_REASON, IssuedCertificate
from pilotbase.documents.certificate import REVOKED, SUPERSEDED, SUSPENDED
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import Act
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.record import Record
from pilotbase.documents.report import Report
from pilotbase.documents.states import CommissionState
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.worker.base import Base
from pilotbase.worker.jobs.handling import Handler, record_of, take_step
from pilotbase.worker.trials.certificates import issue, remarks_of
from pilotbase.workspace.jobs import Job


def certify(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Issue the certificate that was ordered; one of an earlier round is revoked first."""
    record, view = record_of(base, job), base.lab.view
    if record.state != CommissionState.SIGNING:
        return
    on_progress(Progress(text("job.progress.certificate")))
    plan = view.load(record.documents["plan"], TrialPlan)
    report = view.load(record.documents["report"], Report)
    before = record.documents.get("certificate")
    if before is not None:
        _revoke(base, before, SUPERSEDED)
    issued = issue(base, report, plan, remarks_of(view, record))
    take_step(base, job, Act.CERTIFICATE_ISSUE, issued.digest())


def publish_revocation(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Put the certificate of a record on the base's signed list of revocations."""
    on_progress(Progress(text("job.progress.revocation")))
    _revoke(base, job.payload["certificate"], job.payload.get("note") or REVOKED)


def publish_standing(base: Base, job: Job, on_progress: OnProgress) -> None:
    """Make the base's signed list agree with the record of a certificate: suspended, or not.

    The record is read again after each publication: a step taken meanwhile has a job of its own, which may be done
    already.
    """
    on_progress(Progress(text("job.progress.standing")))
    serial = base.lab.view.load(job.payload["certificate"], IssuedCertificate).certificate.serial
    record, published = record_of(base, job), None
    while record.state != published:
        published, now = record.state, base.lab.store.clock()
        if published == CommissionState.CERTIFIED:
            reinstate(base.trust, base.lab.view, base.revocations, serial, now)
        else:
            suspend(base.trust, base.lab.view, base.revocations, serial, _why_suspended(record), now)
        record = record_of(base, job)


HANDLERS: Mapping[WorkKind, Handler] = {
    WorkKind.CERTIFICATE: certify,
    WorkKind.REVOCATION: publish_revocation,
    WorkKind.SUSPENSION: publish_standing,
    WorkKind.REINSTATEMENT: publish_standing,
}
FAILURES: Mapping[WorkKind, Act] = {WorkKind.CERTIFICATE: Act.CERTIFICATE_FAIL}


def _why_suspended(record: Record) -> str:
    notes = [step.note for step in record.history if step.act is Act.CERTIFICATE_SUSPEND and step.note]
    return (notes[-1] if notes else SUSPENDED)[:MAXIMUM_REASON]


def _revoke(base: Base, certificate: Digest, reason: str) -> None:
    serial = base.lab.view.load(certificate, IssuedCertificate).certificate.serial
    revoke(base.trust, base.lab.view, base.revocations, serial, reason[:MAXIMUM_REASON], base.lab.store.clock())
