"""Who may do what to a service: one table, read by the engine, the pages and the API."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pilotbase.documents.permissions import MACHINE, OPERATOR, OWNER, REGULATOR, Acting, Grant, Stands, relations


class ServiceAct(StrEnum):
    """What is done to a service; names: text ``act.<value>``."""

    CREATE = "service.create"
    """Put a certified application into service, or a newer version of it."""
    MOVE = "service.move"
    """Fall back, hand over to a person, stop, start."""
    KEYS = "service.keys"
    """Make and revoke keys."""
    BUDGET = "service.budget"
    OVERRIDE = "service.override"
    """Admit an endpoint that holds no certificate."""
    INSPECT = "service.inspect"
    """See keys (never their secrets), budgets and usage."""


SERVICE_PERMISSIONS: Mapping[ServiceAct, tuple[Grant, ...]] = {
    ServiceAct.CREATE: (OWNER, OPERATOR, MACHINE),
    ServiceAct.MOVE: (OWNER, OPERATOR, MACHINE),
    ServiceAct.KEYS: (OWNER, OPERATOR, MACHINE),
    ServiceAct.BUDGET: (OWNER, OPERATOR, MACHINE),
    ServiceAct.OVERRIDE: (OPERATOR, MACHINE),
    ServiceAct.INSPECT: (OWNER, OPERATOR, MACHINE, REGULATOR),
}


def may(act: ServiceAct, actor: Acting, organisation: str) -> bool:
    """Tell whether ``actor`` may do ``act`` to a service of ``organisation``."""
    held = relations(actor, Stands(demand_owner=organisation))
    return any(grant.role in actor.roles and grant.relation in held for grant in SERVICE_PERMISSIONS[act])
