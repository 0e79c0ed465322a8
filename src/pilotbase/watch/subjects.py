"""Whose service it is, who hands in for it, and the watch that it has."""

from __future__ import annotations

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.permissions import SubjectRelation, WatchAct, permitted
from pilotbase.documents.service import Service
from pilotbase.documents.subjects import service_subject, watch_head
from pilotbase.documents.watch import Watch
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.records import Stored
from pilotbase.workspace.store import View


def stored_service(view: View, name: str) -> Stored:
    """Return the service of this name as it is stored; raises `NotFoundError` where the actor sees none."""
    found = view.named([service_subject(name)]).get(service_subject(name))
    if found is None:
        raise NotFoundError("service.none_seen", service=name)
    return found


def service_of(view: View, name: str) -> Service:
    """Return the service of this name; raises `NotFoundError` where the actor sees none."""
    return stored_service(view, name).load(Service)


def own_service(view: View, name: str, act: WatchAct = WatchAct.HAND_IN) -> Service:
    """Return a service for which the actor may hand in, or do another ``act`` of its owner's.

    Raises:
        NotFoundError: the actor sees no such service.
        RefusedError: it sees it, as a supplier does, and may hand in nothing.
    """
    service = service_of(view, name)
    if not permitted(act, view.actor, SubjectRelation(demand_owner=service.organisation)):
        raise RefusedError("observation.not_yours", service=name)
    return service


def require_permitted(view: View, act: WatchAct) -> None:
    """Return if the actor may do ``act`` to a watch, as the operator may; raises `RefusedError`."""
    if not permitted(act, view.actor):
        raise RefusedError("workspace.operator_only", organisation=view.actor.organisation)


def watch_of(view: View, service: str) -> Watch | None:
    """Return the newest watch of a service, armed or not; None where there is none that the actor sees."""
    found = view.named([watch_head(service)]).get(watch_head(service))
    return None if found is None else found.load(Watch)
