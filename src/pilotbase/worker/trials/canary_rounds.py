"""Certificates of endpoints: the canary questions are asked again; a certificate whose answers changed does not hold.

An endpoint that a supplier keeps can change under the same address. Its certificate is suspended when more answers
differ than differed among themselves in the trial; a new trial, of a new version, shows whether the present endpoint is
as good.
"""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager
from pathlib import Path

from pilotbase.catalogue.applications import read_application
from pilotbase.certificate.bounded_json import read_evidence
from pilotbase.certificate.revoking import suspend
from pilotbase.certificate.status import CertificateStatus, issued_certificates, revocations_of, standing_of
from pilotbase.certificate.verification import verify_certificate
from pilotbase.documents.certificate import CANARIES, Certificate
from pilotbase.documents.errors import InputError, InvalidProofError, PilotbaseError
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.report import Report
from pilotbase.documents.texts import Text, text
from pilotbase.sandbox.box.ends import END_TEXTS, BoxEnded
from pilotbase.sandbox.box.settings import LogPolicy
from pilotbase.trial.entering import may_leave
from pilotbase.trial.probes.canaries import CanaryComparison, compare_canaries
from pilotbase.trial.running import BoxTerms, prepare_candidate
from pilotbase.trial.sealed import load_sealed, read_public_sample
from pilotbase.worker.base import Base
from pilotbase.worker.rounds import PASSING, OnceADay, Pace, in_rounds

PACE = Pace(idle=600.0, rest=600.0)
_log = logging.getLogger("pilotbase.worker")


def check_canaries(base: Base, file: Path) -> Text:
    """Ask the canary questions of a certificate again and return that the answers match those of the trial.

    Raises:
        InvalidProofError: they do not: the certificate is suspended now. Or as `verify_certificate`.
        InputError: it is no certificate of an endpoint issued by this base.
        PilotbaseError: the endpoint does not answer; the certificate stays as it is.
    """
    roots = base.trust.roots()
    certificate = verify_certificate(read_evidence(file), roots, at=base.lab.store.clock()).certificate
    compared = ask_again(base, certificate)
    counts = {"asked": compared.asked, "changed": compared.changed, "allowed": compared.allowed}
    if not compared.holds:
        raise InvalidProofError("certificate.canaries_changed", **counts)
    return text("certificate.canaries_hold", **counts)


def ask_again(base: Base, certificate: Certificate) -> CanaryComparison:
    """Return how the answers have changed; if too many have, suspend the certificate. Raises as above."""
    view = base.lab.view
    use = None if certificate.endpoint is None else view.load(certificate.report, Report).endpoint
    if use is None or use.canaries is None:
        raise InputError("certificate.no_canaries", application=certificate.application.name)
    plan = view.load(certificate.plan, TrialPlan)
    sealed = load_sealed(view, plan.sealed)
    candidate = prepare_candidate(
        base.lab, read_application(base.lab.application_folder(certificate.application.digest))
    )
    leaves = may_leave(sealed.scenario)
    terms = BoxTerms(plan.contract, plan.limits, plan.isolation, plan.batch_rows, LogPolicy.WITHHELD, leaves)
    sample = sealed.features(read_public_sample(base.lab, sealed))
    try:
        compared = compare_canaries(use.canaries, candidate, terms, sample)
    except BoxEnded as ended:
        raise PilotbaseError("certificate.canaries_unanswered", reason=END_TEXTS[ended.reason]) from None
    if not compared.holds:
        suspend(base.trust, view, base.revocations, certificate.serial, CANARIES, base.lab.store.clock())
    return compared


def canary_round(base: Base) -> int:
    """Check the endpoints of all certificates that hold, and return how many were suspended; errors block no others."""
    listed, now = revocations_of(base.lab.view), base.lab.store.clock()
    suspended = 0
    for certificate in issued_certificates(base.lab.view):
        holds = standing_of(certificate, listed, now).status is CertificateStatus.VALID
        if certificate.endpoint is None or not certificate.accepts or not holds:
            continue
        try:
            suspended += not ask_again(base, certificate).holds
        except PASSING:
            raise
        except PilotbaseError as problem:  # asked again tomorrow
            _log.warning("canaries of %s: %s", certificate.endpoint.url, problem)
    return suspended


def asking_canaries(base: Base) -> AbstractContextManager[None]:
    """Ask once a day, in a thread, until the end of the block."""
    return in_rounds("canaries", OnceADay(base.lab.store.clock, lambda: canary_round(base)), PACE)
