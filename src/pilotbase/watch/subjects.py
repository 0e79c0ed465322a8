"""Whose service it is, who hands in for it, and the watch that it has."""

from __future__ import annotations

from pilotbase.documents.errors import RefusedError
from pilotbase.documents.service import Service
from pilotbase.documents.watch import Watch
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.records import Stored
from pilotbase.workspace.store import View


def stored_service(view: View, name: str) -> Stored:
    """Return the service of this name as it is stored; raises `NotFoundError` where the actor sees none."""
    found = view.named([f"service:{name}"]).get(f"service:{name}")
    if found is None:
        raise NotFoundError("service.none_seen", service=name)
    return found


def service_of(view: View, name: str) -> Service:
    """Return the service of this name; raises `NotFoundError` where the actor sees none."""
    return stored_service(view, name).load(Service)


def own_service(view: View, name: str) -> Service:
    """Return a service for which the actor may hand in: its owner's, or any for the operator.

    Raises:
        NotFoundError: the actor sees no such service.
        RefusedError: it sees it, as a supplier does, and may hand in nothing.
    """
    service = service_of(view, name)
    if not view.actor.may_write_for(service.organisation):
        raise RefusedError("observation.not_yours", service=name)
    return service


def require_operator(view: View) -> None:
    """Return if the actor is the operator, who arms and silences; raises `RefusedError`."""
    if not view.actor.is_operator:
        raise RefusedError("workspace.operator_only", organisation=view.actor.organisation)


def head_of(service: str) -> str:
    """Return the name under which the watch of a service stands in the store."""
    return f"watch:{service}"


def watch_of(view: View, service: str) -> Watch | None:
    """Return the newest watch of a service, armed or not; None where there is none that the actor sees."""
    found = view.named([head_of(service)]).get(head_of(service))
    return None if found is None else found.load(Watch)
