"""The register of services, as an actor sees it: what there is, and who may do what to it."""

from __future__ import annotations

from pilotbase.documents.contract import Contract
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import ServiceAct, SubjectRelation, permitted
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.service import CertifiedRoute, Route, Service, ServiceStatus
from pilotbase.documents.subjects import service_subject, standing_head
from pilotbase.workspace.actors import Visibility, parties
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View

MAXIMUM = 1000


def load_service(view: View, name: str) -> Service:
    """Return the service of that name; raises `NotFoundError` where there is none that the actor may see."""
    found = view.load_head(service_subject(name), Service)
    if found is None:
        raise NotFoundError("service.none_seen", service=name)
    return found


def services_of(view: View) -> list[tuple[Service, ServiceStatus]]:
    """Return the services that the actor sees and where each stands, by name; of very many the newest `MAXIMUM`."""
    names = sorted({found.load(Service).name for found in view.find("service", limit=MAXIMUM)})
    heads = view.named([head for name in names for head in (service_subject(name), standing_head(name))])
    seen = [name for name in names if service_subject(name) in heads and standing_head(name) in heads]
    return [
        (heads[service_subject(name)].load(Service), heads[standing_head(name)].load(ServiceStatus)) for name in seen
    ]


def contract_behind(view: View, route: Route) -> Contract | None:
    """Return the contract that an application was certified under, if its plan is kept here."""
    if not isinstance(route, CertifiedRoute):
        return None
    found = view.get(route.plan)
    return None if found is None else found.load(TrialPlan).contract


def world_behind(view: View, route: Route) -> Digest | None:
    """Return the world that an application was certified in, if it acts in one and its plan is kept here."""
    contract = contract_behind(view, route)
    return None if contract is None else contract.world


def services_behind(view: View, certificate: str) -> list[Service]:
    """Return the services that the actor sees on whose routes the certificate stands."""
    return [
        service
        for service, _ in services_of(view)
        if any(isinstance(route, CertifiedRoute) and route.certificate == certificate for route in service.routes)
    ]


def require_permitted(view: View, act: ServiceAct, organisation: str) -> None:
    """Return if the actor may do ``act`` to services of ``organisation``; raises `RefusedError`."""
    if not permitted(act, view.actor, SubjectRelation(demand_owner=organisation)):
        raise RefusedError("service.not_yours", organisation=organisation)


def may_act(view: View, act: ServiceAct, service: Service) -> bool:
    """Return whether the actor may do ``act`` to the service, for what a page offers."""
    return permitted(act, view.actor, SubjectRelation(demand_owner=service.organisation))


def opened(view: View, name: str, act: ServiceAct) -> Service:
    """Return a service to which the actor may do ``act``; raises `NotFoundError` and `RefusedError`."""
    service = load_service(view, name)
    require_permitted(view, act, service.organisation)
    return service


def seen_by(service: Service) -> Visibility:
    """Return who sees a service besides its owner: the suppliers of what answers."""
    certified = (route for route in service.routes if isinstance(route, CertifiedRoute))
    return parties(*{route.application.supplier.organisation for route in certified})
