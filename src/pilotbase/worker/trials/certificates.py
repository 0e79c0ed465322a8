"""Certificates: one for a report, issued and signed once; checked for anyone, offline too; revoked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from pilotbase.catalogue.applications import read_delivered
from pilotbase.catalogue.records import everything, ties
from pilotbase.certificate.bounded_json import read_evidence
from pilotbase.certificate.issuing import NO_SEPARATION_OF_DUTIES, endpoint_remark, issue_certificate, sign_certificate
from pilotbase.certificate.revoking import revoke
from pilotbase.certificate.roots import read_trust_roots
from pilotbase.certificate.status import CertificateStatus, IssuedCertificate, revocations_of, standing_of
from pilotbase.certificate.verification import CertificateVerification, verify_certificate
from pilotbase.documents.certificate import Certificate, spoken_reason
from pilotbase.documents.errors import InputError, InvalidProofError, PilotbaseError, RefusedError
from pilotbase.documents.hashes import abbreviated, digest_of, hex_of
from pilotbase.documents.moments import day_end, format_minute
from pilotbase.documents.permissions import Act
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.record import Record
from pilotbase.documents.report import Report
from pilotbase.documents.site import SiteStatement
from pilotbase.documents.subjects import certificate_head, report_head
from pilotbase.documents.texts import Text, text
from pilotbase.worker.base import Base, base_if_any, renew_revocations
from pilotbase.workspace.actors import PUBLIC, VISITOR
from pilotbase.workspace.checks.proofs import LogExcerpt, prove_head, proven_head, require_stored
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.store import Store, View, utc_now


@dataclass(frozen=True)
class VerifiedCertificate:
    """A certificate whose signature holds, and its statement."""

    certificate: Certificate
    lines: tuple[Text, ...]


@dataclass(frozen=True)
class Checked:
    """The result of a check: a certificate that holds, or why none does."""

    verification: CertificateVerification | None
    error: PilotbaseError | None
    certificate: Certificate | None


def issue(
    base: Base, report: Report, plan: TrialPlan, remarks: tuple[Text, ...] = (NO_SEPARATION_OF_DUTIES,)
) -> IssuedCertificate:
    """Return the certificate over ``report``, issued and signed now if it has not been.

    ``remarks`` are added to a new one; the command line, where one operator does everything, states so by default.

    Raises:
        InvalidProofError: the log does not record ``plan`` as frozen, ``report`` as reported under it, or the
            certificate in the store as issued.
    """
    require_stored(base.lab.store, plan.digest(), "trial-plan", "trial.plan_frozen")
    if proven_head(base.lab.store, report_head(plan.digest()), "trial.reported") != report.digest():
        raise InvalidProofError("worker.report_unlogged", report=report.digest(), plan=plan.digest())
    return issue_once(base, report, plan, remarks)


def issue_once(
    base: Base, report: Report, plan: TrialPlan, remarks: tuple[Text, ...], site: SiteStatement | None = None
) -> IssuedCertificate:
    """Return the certificate over ``report``, issued and signed now if it has not been.

    The caller has checked that ``report`` is proven: by this base's log, or by that of the ``site`` where it ran.

    Raises:
        InvalidProofError: the log does not record the certificate in the store as issued.
        RefusedError: a certificate that it builds on no longer holds.
    """
    head, view = certificate_head(report.digest()), base.lab.view
    known = proven_head(base.lab.store, head, "certificate.issued")
    if known is not None:
        return view.load(known, IssuedCertificate)
    now = base.lab.store.clock()
    expires = _expiry(base, report, plan, now)
    certificate = issue_certificate(
        report, plan, issuer=base.trust.issuer, now=now, expires_at=expires, remarks=remarks
    )
    if site is not None:  # its statement, for programs and, as the first remark, for people
        remarks = (site_sentence(site), *certificate.remarks)
        certificate = certificate.model_copy(update={"site": site, "remarks": remarks})
    issued = IssuedCertificate(certificate=certificate, envelope=sign_certificate(certificate, base.trust))
    try:
        with view.transaction("certificate.issued") as change:
            change.set_head(head, change.put(issued, PUBLIC), expected=None)
    except ConflictError:  # another process issued it meanwhile: its certificate is the one
        return issue_once(base, report, plan, remarks, site)
    return issued


def _expiry(base: Base, report: Report, plan: TrialPlan, now: datetime) -> datetime:
    """Return when a certificate ends: with the signing key's time, and with what it builds on; for an endpoint,
    or a model of the base's, with the days it is kept for."""
    serials = () if plan.carries is None else plan.carries.certificates
    earlier = [standing_certificate(base, hex_of(serial)).expires_at for serial in serials]
    expires = min([base.trust.expiry(now), *earlier])
    kept = [report.endpoint.period] if report.endpoint is not None else []
    kept += [report.door.terms.model.period] if report.door is not None else []
    return min([expires, *(max(day_end(period.until), now + timedelta(seconds=1)) for period in kept)])


def remarks_of(view: View, record: Record) -> tuple[Text, ...]:
    """Return the remarks for the certificate of a record: separation of duties, and ownership ties."""
    reviewers = [step.organisation for step in record.history if step.act is Act.PLAN_APPROVE]
    reviewer = reviewers[-1] if reviewers else "–"
    declared = [
        text("certificate.remark.tie", one=tie.one, other=tie.other, reviewer=reviewer)
        for tie in ties(everything(view), record)
    ]
    return (text("certificate.remark.separation", reviewer=reviewer), *declared)


def site_sentence(statement: SiteStatement) -> Text:
    """Return where a trial ran, who watched, and what the base could not see."""
    return text(
        "certificate.remark.site",
        site=statement.site,
        owner=statement.owner,
        person=statement.witness.name,
        organisation=statement.witness.organisation,
        at=format_minute(statement.signed_at),
        cell=statement.smallest_cell,
    )


def issued(base: Base, serial: str) -> IssuedCertificate:
    """Return the certificate of a serial number (hex digits), as public as all; raises `NotFoundError`."""
    found = base.lab.store.as_actor(VISITOR).load_head(certificate_head(digest_of(serial)), IssuedCertificate)
    if found is None:
        raise NotFoundError("hub.no_certificate")
    return found


def logged(base: Base, serial: str) -> LogExcerpt:
    """Return the entry of the log that names a certificate, proven; raises `NotFoundError`."""
    issued(base, serial)
    return _logged(base.lab.store, serial)


@lru_cache(maxsize=1000)
def _logged(store: Store, serial: str) -> LogExcerpt:
    """Return it; the whole log is searched for it once, because a certificate is issued once."""
    return prove_head(store, certificate_head(digest_of(serial)))


def check(base: Base, data: bytes) -> Checked:
    """Return whether the certificate in ``data`` holds now; shows nothing of a certificate that is not ours."""
    revocations = read_evidence(base.revocations) if base.revocations.is_file() else None
    try:
        found = verify_certificate(data, base.trust.roots(), revocations, at=base.lab.store.clock())
    except PilotbaseError as error:
        return Checked(None, error, None)
    return Checked(found, None, found.certificate)


def check_issued(base: Base, serial: str) -> Checked:
    """Return what a visitor with a serial number is shown: the certificate, even if it holds no more.

    Raises:
        NotFoundError: there is none.
    """
    found = issued(base, serial)
    checked = check(base, found.envelope.to_bytes())
    return Checked(checked.verification, checked.error, found.certificate)


def own_roots() -> tuple[Path, Path]:
    """Return trust roots and revocations of the base of this machine, the latter as of now.

    Raises:
        InputError: there is no base here.
    """
    base = base_if_any()
    if base is None:
        raise InputError("worker.no_roots")
    try:
        renew_revocations(base)
    finally:
        base.lab.close()
    return base.trust_roots, base.revocations


def check_certificate(
    file: Path, trust: Path, revocations: Path | None, application: Path | None, strict: bool
) -> VerifiedCertificate:
    """Return what a certificate states once its signature holds, offline; ``file``: it, or the folder of its trial.

    Raises:
        InvalidProofError: forged, altered, expired, revoked, about another application, or with more in its folder than
            its digest covers.
        UnknownProofError: under ``strict``, if its revocation cannot be checked.
    """
    file = file / "certificate.json" if file.is_dir() else file
    listed = read_evidence(revocations) if revocations else None
    roots = read_trust_roots(read_evidence(trust))
    verification = verify_certificate(read_evidence(file), roots, revocations=listed, strict=strict, at=utc_now())
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


def earlier_lines(base: Base, certificate: Certificate, asked_at: datetime) -> Iterator[Text]:
    """Yield that ``certificate`` was issued before ``asked_at``, and its present state; nothing for a new one."""
    if certificate.issued_at >= asked_at:
        return
    yield text("worker.line_earlier", at=format_minute(certificate.issued_at))
    stands = standing_of(certificate, revocations_of(base.lab.view), asked_at)
    if stands.entry is not None:
        code = f"worker.line_{stands.status}"
        yield text(code, at=format_minute(stands.entry.at), reason=spoken_reason(stands.entry.reason))


def revoke_certificate(base: Base, file: Path, reason: str) -> Text:
    """Name a certificate in the base's signed revocation list; return what was done.

    Raises as `verify_certificate` and `revoke`.
    """
    now = base.lab.store.clock()
    serial = verify_certificate(read_evidence(file), base.trust.roots(), at=now).certificate.serial
    revoke(base.trust, base.lab.view, base.revocations, serial, reason, now)
    return text("worker.revoked", file=file, list=base.revocations)


def standing_certificate(base: Base, serial: str) -> Certificate:
    """Return a certificate that accepts and is valid now, so that evidence may build on it; raises `RefusedError`."""
    known = proven_head(base.lab.store, certificate_head(digest_of(serial)), "certificate.issued")
    if known is None:
        raise NotFoundError("hub.no_certificate")
    certificate = base.lab.view.load(known, IssuedCertificate).certificate
    status = standing_of(certificate, revocations_of(base.lab.view), base.lab.store.clock()).status
    if status is not CertificateStatus.VALID or not certificate.accepts:
        named = abbreviated(certificate.serial)
        raise RefusedError(
            "trial.carries_no_standing",
            serial=named,
            standing=text(f"portal.status.{status.value}"),
            verdict=certificate.verdict_in_words,
        )
    return certificate
