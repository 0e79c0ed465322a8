"""From a report to a signed certificate. Rejections and inconclusive trials are signed too; rehearsals never."""

from __future__ import annotations

from datetime import datetime

from pilotbase.certificate.claim import claim_sentence, weakest_guarantee
from pilotbase.certificate.envelope import Envelope, seal
from pilotbase.certificate.statement import PAYLOAD_TYPE, write_statement
from pilotbase.certificate.trust import TrustFolder
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.endpoint import EndpointStatement
from pilotbase.documents.errors import InvalidProofError, RefusedError
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.report import Report
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Outcome

NO_SEPARATION_OF_DUTIES = text("certificate.remark.no_separation")
"""For a base of one person: who ran the trial also signed."""
SIMULATED_DATA = text("certificate.remark.simulated")


def issue_certificate(
    report: Report,
    plan: TrialPlan,
    *,
    issuer: str,
    now: datetime,
    expires_at: datetime,
    remarks: tuple[Text, ...] = (NO_SEPARATION_OF_DUTIES,),
) -> Certificate:
    """Return the certificate over the ``report`` of a trial under ``plan``: the full one, or what a site has let out.

    Raises:
        RefusedError: the report is a rehearsal's or a supplier's view.
        InvalidProofError: the report is about another plan.
    """
    scenario, attempt = report.scenario, report.attempt
    if not report.evidence or scenario is None or attempt is None:
        raise RefusedError("certificate.no_evidence", application=report.application.name)
    if report.view == "supplier":
        raise RefusedError("certificate.partial_view")
    if report.plan != plan.digest() or report.application != plan.application or scenario != plan.scenario:
        raise InvalidProofError("certificate.other_plan", plan=plan.digest(), report=report.plan)
    simulated = (SIMULATED_DATA,) if report.data_nature == "simulated" else ()
    endpoint = None if report.endpoint is None else report.endpoint.statement
    kept = () if endpoint is None else (endpoint_remark(endpoint),)
    digest = report.digest()
    return Certificate(
        serial=digest,
        verdict=report.verdict,
        application=report.application,
        scenario=scenario,
        plan=plan.digest(),
        report=digest,
        attempt=attempt.number,
        claim=claim_sentence(report, plan),
        criteria=tuple(result.rule for result in report.criteria),
        guarantee=weakest_guarantee(report.criteria),
        isolation=report.isolation.level.value,
        not_measured=_not_measured(report),
        remarks=(*remarks, *simulated, *kept),
        endpoint=endpoint,
        issued_at=now,
        expires_at=expires_at,
        issuer=issuer,
    )


def endpoint_remark(endpoint: EndpointStatement) -> Text:
    """Return what a certificate says in place of a digest of the model."""
    model = " ".join(filter(None, (endpoint.model, endpoint.version)))
    days = {"since": endpoint.period.since, "until": endpoint.period.until}
    return text("certificate.remark.endpoint", url=endpoint.url, model=model, **days)


def sign_certificate(certificate: Certificate, trust: TrustFolder) -> Envelope:
    """Return ``certificate`` as a signed statement that brings along the delegations of the signing key.

    Raises:
        RefusedError: the certificate is not wholly within the time of the signing key (it was issued before a rotation,
            or ends later than the key), it names another issuer, or the key file is not there.
    """
    if certificate.issuer != trust.issuer:
        raise RefusedError("certificate.other_issuer", folder=trust.path, found=trust.issuer, issuer=certificate.issuer)
    begins, ends = trust.signing_span()
    if not begins <= certificate.issued_at < certificate.expires_at <= ends:
        raise RefusedError(
            "certificate.outside_key",
            begins=begins.date(),
            ends=ends.date(),
            issued=certificate.issued_at.date(),
            expires=certificate.expires_at.date(),
        )
    return seal(PAYLOAD_TYPE, write_statement(certificate), trust.signing_key(), trust.chain)


def _not_measured(report: Report) -> tuple[str, ...]:
    found: list[str] = []
    for section in report.sections:
        if section.outcome is Outcome.NOT_MEASURED:
            found.append(section.verification.value)
            continue
        missing = [finding.check for finding in section.findings if finding.outcome is Outcome.NOT_MEASURED]
        found += [f"{section.verification.value}: {check}" for check in missing]
    return tuple(found)
