"""Putting into service: a certified application under a name, or an endpoint for which the operator has signed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pilotbase.catalogue.applications import read_application
from pilotbase.catalogue.folders import kept_folder
from pilotbase.catalogue.records import everything, load_record, trial_with
from pilotbase.certificate.roots import TrustRoots
from pilotbase.certificate.status import IssuedCertificate, revocations_of
from pilotbase.certificate.trust import TrustFolder
from pilotbase.certificate.verification import verify_certificate
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.errors import InputError, InvalidProofError, RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import ServiceAct
from pilotbase.documents.plan import ApplicationReference
from pilotbase.documents.service import (
    CertifiedRoute,
    EndpointRoute,
    Route,
    Service,
    ServiceStatus,
    ServiceTerms,
)
from pilotbase.documents.subjects import Subject, certificate_head, scenario_subject, service_subject
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import ServingState, Verdict
from pilotbase.operations.services import NewOverride, NewService
from pilotbase.sandbox.box.environments import find_environment
from pilotbase.sandbox.box.installed import INSTALLED
from pilotbase.service.known import barred, sign_override
from pilotbase.service.registry import opened, require_permitted, seen_by
from pilotbase.service.standing import write_standing
from pilotbase.workspace.actors import BASE
from pilotbase.workspace.checks.proofs import proven_head
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

_MOST_ROUTES = 10


@dataclass(frozen=True)
class Premises:
    """What a base holds of applications, and the roots that its certificates are checked against."""

    roots: TrustRoots
    applications: Path
    """One folder a version, by the hex digits of its digest."""
    environments: Path
    """One folder a supplier, and one for what loads models of everybody's."""

    @classmethod
    def of_home(cls, home: Path, roots: TrustRoots) -> Premises:
        """Return the premises of the home at ``home``."""
        return cls(roots, home / "applications", home / "environments")


def admit_certificate(
    view: View, premises: Premises, certificate: Digest, commission: Subject | None
) -> CertifiedRoute:
    """Return the route on which the application of ``certificate`` answers.

    Raises:
        NotFoundError: no such certificate was issued here.
        InvalidProofError: the log does not know it, or its signature does not hold.
        RefusedError: it is no acceptance, or expired, revoked or suspended; or this base does not hold the very
            application and environment that were verified.
    """
    stored = view.get(certificate)
    if stored is None or stored.kind != "issued-certificate":
        raise NotFoundError("service.no_certificate", certificate=certificate)
    issued = stored.load(IssuedCertificate)
    stated, now = issued.certificate, view.store.clock()
    if proven_head(view.store, certificate_head(stated.report), "certificate.issued") != certificate:
        raise InvalidProofError("service.not_issued", certificate=certificate)
    _require_in_time(stated, now)
    verified = verify_certificate(issued.envelope.to_bytes(), premises.roots, at=now)
    if verified.certificate != stated:
        raise InvalidProofError("service.not_issued", certificate=certificate)
    route = _route(issued, commission)
    _require_standing(view, stated, route)
    require_held(premises, stated.application)
    return route


def why_not_admitted(view: View, issued: IssuedCertificate, commission: Subject | None) -> RefusedError | None:
    """Return what is known against serving by a certificate now, as `admit_certificate` would say; None: nothing.

    Signature and files are not looked at: that takes longer than a page may.
    """
    stated = issued.certificate
    try:
        _require_in_time(stated, view.store.clock())
        _require_standing(view, stated, _route(issued, commission))
    except RefusedError as refusal:
        return refusal
    return None


def require_held(premises: Premises, application: ApplicationReference) -> None:
    """Return if application and environment, as they were verified, are kept here unchanged; raises `RefusedError`."""
    folder = kept_folder(premises.applications, application.digest)
    try:
        found = read_application(folder).digest
    except InputError:
        raise RefusedError("service.application_missing", application=application.name) from None
    if found != application.digest:
        raise RefusedError("service.application_changed", application=application.name, found=found)
    caches = [premises.environments / name for name in (application.supplier.organisation, INSTALLED)]
    if not any(find_environment(cache, application.environment) for cache in caches):
        raise RefusedError("service.environment_missing", application=application.name)


def create_service(view: View, premises: Premises, wanted: NewService) -> Service:
    """Put a certified application into service and return the service as it then is.

    It belongs to the owner of the scenario that its certificate speaks of. Under a name that serves already the new
    version answers, and the earlier ones are what is fallen back to.

    Raises:
        NotFoundError: there is no such certificate or trial, or none that the actor may see.
        InvalidProofError, RefusedError: it is not admitted (`admit_certificate`), or not for the actor to do this.
        ConflictError: the name belongs to another service.
    """
    known = view.done(Service)
    if known is not None:
        return known
    certificate, commission = _certificate(view, wanted)
    stated = view.load(certificate, IssuedCertificate).certificate
    owner, scenario = stated.scenario.owner.organisation, stated.scenario.name
    require_permitted(view, ServiceAct.CREATE, owner)
    route = admit_certificate(everything(view), premises, certificate, commission)
    with view.transaction("service.created") as change:
        before = _before(change, view, wanted.name, owner)
        service = Service(
            name=wanted.name,
            title=wanted.title or (before.title if before else route.application.name),
            organisation=owner,
            scenario=scenario_subject(owner, scenario),
            commission=commission,
            routes=_with_earlier(route, before),
            terms=wanted.terms or (before.terms if before else ServiceTerms()),
        )
        if before is not None and before.scenario not in (None, service.scenario):
            raise RefusedError("service.other_scenario", service=before.name, scenario=before.scenario)
        _write(
            change,
            service,
            text("service.reason.version", application=f"{route.application.name} {route.application.version}"),
        )
    return service


def admit_endpoint(view: View, trust: TrustFolder, wanted: NewOverride) -> Service:
    """Let an endpoint without a certificate answer for a time, on the operator's signed word; return the service.

    Raises:
        RefusedError: it is not for the actor to do this, or the signing key ends before the override would.
        ConflictError: the name belongs to another service.
    """
    known = view.done(Service)
    if known is not None:
        return known
    require_permitted(view, ServiceAct.OVERRIDE, wanted.organisation)
    with view.transaction("service.overridden") as change:
        before = _before(change, view, wanted.service, wanted.organisation)
        signed = sign_override(wanted, trust, change.now)
        override = signed.override
        digest = change.put(signed, BASE, fields={"service": wanted.service})
        route = EndpointRoute(override=digest, protocol=override.protocol, url=override.url, model=override.model)
        service = Service(
            name=wanted.service,
            title=before.title if before else wanted.model,
            organisation=wanted.organisation,
            scenario=before.scenario if before else None,
            commission=before.commission if before else None,
            routes=_with_earlier(route, before),
            terms=before.terms if before else ServiceTerms(),
        )
        _write(change, service, text("service.reason.override", reason=wanted.reason))
    return service


def set_terms(view: View, name: str, terms: ServiceTerms) -> Service:
    """Let a service answer on other terms from its next call on, and return it; what answers stays.

    Raises:
        NotFoundError: there is no such service, or none that the actor may see.
        RefusedError: it is not for the actor to do this.
    """
    with view.transaction("service.terms_set") as change:
        here = view.within(change)
        before = opened(here, name, ServiceAct.CREATE)
        known = here.done(Service)
        if known is not None:
            return known
        service = before.model_copy(update={"terms": terms})
        made = change.put(service, seen_by(service), owner=service.organisation, fields={"service": name})
        change.let_stand(service_subject(name), made)
        change.settle(made)
    return service


def _require_in_time(stated: Certificate, now: datetime) -> None:
    if now >= stated.expires_at:
        raise RefusedError("service.certificate_out_of_time", expired=stated.expires_at.date())


def _route(issued: IssuedCertificate, commission: Subject | None) -> CertifiedRoute:
    stated = issued.certificate
    return filled(CertifiedRoute, stated, certificate=issued.digest(), commission=commission)


def _require_standing(view: View, stated: Certificate, route: CertifiedRoute) -> None:
    """Return if it was accepted and is not barred, by the list or by the record of its trial."""
    if stated.verdict is not Verdict.ACCEPT:
        raise RefusedError("service.not_accepted", verdict=stated.verdict_in_words)
    found = barred(view, route, revocations_of(view))
    if found == "revoked":
        raise RefusedError("service.revoked", application=route.application.name)
    if found == "suspended":
        raise RefusedError("service.suspended", application=route.application.name)


def _certificate(view: View, wanted: NewService) -> tuple[Digest, Subject | None]:
    """Return the certificate that is meant, and its trial where the base keeps one."""
    if wanted.certificate is not None:
        base = everything(view)
        issued = base.head(certificate_head(wanted.certificate))
        if issued is None:
            raise NotFoundError("service.no_certificate", certificate=wanted.certificate)
        stated = base.load(issued, IssuedCertificate).certificate
        trial = trial_with(base, issued, stated.scenario.subject, stated.application.subject)
        return issued, trial.subject if trial is not None else None
    assert wanted.commission is not None
    record, _ = load_record(view, wanted.commission)
    found = record.documents.get("certificate")
    if found is None:
        raise InputError("service.trial_without_certificate", trial=wanted.commission)
    return found, wanted.commission


def _before(change: Transaction, view: View, name: str, owner: str) -> Service | None:
    """Return the service that has the name now; raises `ConflictError` where it is somebody else's."""
    before = everything(view).within(change).load_head(service_subject(name), Service)
    if before is not None and before.organisation != owner:
        raise ConflictError("service.name_taken", service=name)
    return before


def _with_earlier(route: Route, before: Service | None) -> tuple[Route, ...]:
    """Return the routes with ``route`` first, and the earlier ones after it."""
    earlier = before.routes if before is not None else ()
    return (route, *(one for one in earlier if _what(one) != _what(route)))[:_MOST_ROUTES]


def _what(route: Route) -> tuple[str, ...]:
    if isinstance(route, CertifiedRoute):
        return (route.application.digest, route.application.environment)
    return (route.protocol, route.url, route.model)


def _write(change: Transaction, service: Service, reason: Text) -> None:
    made = change.put(service, seen_by(service), owner=service.organisation, fields={"service": service.name})
    change.let_stand(service_subject(service.name), made)
    standing = ServiceStatus(service=service.name, state=ServingState.SERVING, reason=reason, at=change.now)
    write_standing(change, service, standing, "create")
    change.settle(made)
