"""Putting into service: a certified application under a name, or an endpoint for which the operator has signed."""

from __future__ import annotations

from pilotbase.catalogue.records import everything, load_record, trial_with
from pilotbase.certificate.status import IssuedCertificate
from pilotbase.certificate.trust import TrustFolder
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import ServiceAct
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
from pilotbase.documents.vocabularies import ServingState
from pilotbase.operations.services import CertifiedVersion, NewOverride, NewService
from pilotbase.service.admission import Premises, admit_certificate
from pilotbase.service.known import sign_override
from pilotbase.service.registry import opened, require_permitted, seen_by
from pilotbase.service.standing import write_standing
from pilotbase.workspace.actors import BASE
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

MOST_ROUTES = 10


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
    certificate, commission = certificate_of(view, wanted)
    stated = view.load(certificate, IssuedCertificate).certificate
    owner, scenario = stated.scenario.owner.organisation, stated.scenario.name
    require_permitted(view, ServiceAct.CREATE, owner)
    route = admit_certificate(everything(view), premises, certificate, commission, wanted.model)
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
        let_serve(
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
        route = filled(EndpointRoute, override, override=digest)
        service = Service(
            name=wanted.service,
            title=before.title if before else wanted.model,
            organisation=wanted.organisation,
            scenario=before.scenario if before else None,
            commission=before.commission if before else None,
            routes=_with_earlier(route, before),
            terms=before.terms if before else ServiceTerms(),
        )
        let_serve(change, service, text("service.reason.override", reason=wanted.reason))
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


def certificate_of(view: View, wanted: CertifiedVersion) -> tuple[Digest, Subject | None]:
    """Return the certificate that is meant, and its trial where the base keeps one; raises `NotFoundError`."""
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


def let_serve(change: Transaction, service: Service, reason: Text, stands: ServiceStatus | None = None) -> None:
    """Let ``service`` be as it is from the end of ``change``, and its first route answer; ``stands``: or as it did."""
    made = change.put(service, seen_by(service), owner=service.organisation, fields={"service": service.name})
    change.let_stand(service_subject(service.name), made)
    standing = ServiceStatus(service=service.name, state=ServingState.SERVING, reason=reason, at=change.now)
    if stands is not None:
        standing = standing.model_copy(update={"state": stands.state, "route": stands.route})
    write_standing(change, service, standing, "create")
    change.settle(made)


def _before(change: Transaction, view: View, name: str, owner: str) -> Service | None:
    """Return the service that has the name now.

    Raises:
        ConflictError: it is somebody else's. RefusedError: a release of it is under way.
    """
    before = everything(view).within(change).load_head(service_subject(name), Service)
    if before is not None and before.organisation != owner:
        raise ConflictError("service.name_taken", service=name)
    if before is not None and before.release is not None:
        raise RefusedError("service.release_running", service=name)
    return before


def _with_earlier(route: Route, before: Service | None) -> tuple[Route, ...]:
    """Return the routes with ``route`` first, and the earlier ones after it."""
    earlier = before.routes if before is not None else ()
    return (route, *(one for one in earlier if _what(one) != _what(route)))[:MOST_ROUTES]


def _what(route: Route) -> tuple[str, ...]:
    if isinstance(route, CertifiedRoute):
        return (route.application.digest, route.application.environment)
    return (route.protocol, route.url, route.model)
