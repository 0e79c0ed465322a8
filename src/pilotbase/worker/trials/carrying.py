"""Which certificate of an earlier version a trial may build on."""

from __future__ import annotations

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import abbreviated
from pilotbase.documents.plan import MOST_CARRIED, ApplicationReference, CarriedEvidence
from pilotbase.trial.carried import still_shown
from pilotbase.trial.scoring import settle_criteria
from pilotbase.trial.sealed import OpenedScenario
from pilotbase.worker.base import Base
from pilotbase.worker.trials.certificates import standing_certificate


def carried_evidence(
    base: Base, serial: str, sealed: OpenedScenario, candidate: ApplicationReference
) -> CarriedEvidence:
    """Return what a trial of ``candidate`` carries of the certificate ``serial`` (hex digits) of an earlier version.

    Raises:
        NotFoundError: there is no such certificate.
        RefusedError: it is not valid or accepts nothing, is of another scenario, application or an endpoint, the
            scenario states no margin, or `MOST_CARRIED` comparisons in a row were made.
        InvalidProofError: the log does not record it as issued.
    """
    certificate, scenario = standing_certificate(base, serial), sealed.scenario
    earlier, of, named = certificate.application, certificate.scenario, abbreviated(certificate.serial)
    if certificate.endpoint is not None or earlier.subject != candidate.subject or earlier.digest == candidate.digest:
        raise RefusedError("trial.carries_other_application", serial=named, application=candidate.name)
    if (of.digest, of.hidden_set) != (sealed.reference.digest, sealed.reference.hidden_set):
        raise RefusedError("trial.carries_other_scenario", serial=named, scenario=scenario.name)
    before = certificate.carries
    serials = (certificate.serial, *(before.certificates if before is not None else ()))
    if len(serials) > MOST_CARRIED:
        raise RefusedError("trial.carries_too_long", serial=named, most=MOST_CARRIED)
    criteria = still_shown(settle_criteria(scenario), len(serials))
    if not criteria:
        raise RefusedError("trial.carries_no_margin", scenario=scenario.name)
    return CarriedEvidence(certificates=serials, application=earlier, criteria=criteria)
