"""The register of services and of their keys, each generated here, shown once, kept as a hash, scoped, revocable."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from pilotbase.documents.contract import Contract
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import Digest, hash_secret
from pilotbase.documents.permissions import ServiceAct, SubjectRelation, permitted
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.service import CertifiedRoute, Route, Service, ServiceStatus
from pilotbase.documents.subjects import service_subject, standing_head
from pilotbase.documents.vocabularies import Scope
from pilotbase.operations.services import NewKey
from pilotbase.service.budgets import require_budget
from pilotbase.workspace import tables
from pilotbase.workspace.actors import Visibility, parties
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

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


MARK = "pbk_"
"""How every secret begins, so that scanners for leaked secrets know it."""
SHOWN = len(MARK) + 6
TESTS_A_MINUTE = 10
_rows = tables.service_keys.c


@dataclass(frozen=True)
class ServiceKey:
    """A key as the base knows it: never the secret."""

    identity: str
    service: str
    organisation: str
    title: str
    prefix: str
    """How the secret begins: enough to tell keys apart."""
    scopes: frozenset[Scope]
    budget: str
    """Name of the service's budget that its calls are taken from; '': none."""
    made_by: str
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    calls_a_minute: int | None = None
    """None: any number."""

    @property
    def is_test(self) -> bool:
        """Whether its calls are tests."""
        return Scope.TEST in self.scopes

    def holds_at(self, now: datetime) -> bool:
        """Return whether it is neither revoked nor expired."""
        return self.revoked_at is None and now < self.expires_at


def write_key(change: Transaction, organisation: str, wanted: NewKey) -> tuple[ServiceKey, str]:
    """Make a key to a service of ``organisation`` and return it with its secret, which nobody can be told again.

    Raises:
        NotFoundError: the service has no such budget.
    """
    service = wanted.service
    if wanted.budget:
        require_budget(change.connection, service, wanted.budget)
    secret = MARK + secrets.token_urlsafe(32)
    key = ServiceKey(
        identity=secrets.token_hex(8),
        service=service,
        organisation=organisation,
        title=wanted.title,
        prefix=secret[:SHOWN],
        scopes=wanted.scopes,
        budget=wanted.budget or "",
        made_by=change.actor.person or "",
        made_at=change.now,
        expires_at=change.now + timedelta(days=wanted.days),
        calls_a_minute=_rate(wanted),
    )
    row = {**vars(key), "scopes": " ".join(sorted(key.scopes)), "secret": hash_secret(secret)}
    change.connection.execute(insert(tables.service_keys).values(row))
    facts = {"prefix": key.prefix, "expires": key.expires_at.isoformat(), "scopes": row["scopes"]}
    change.record("service.key_made", [service_subject(service), f"key:{key.identity}"], facts)
    return key, secret


def _rate(wanted: NewKey) -> int | None:
    """Return how many calls a minute a key may make: few tests, so that no real work is passed off as such."""
    if Scope.TEST not in wanted.scopes:
        return wanted.calls_a_minute
    return min(wanted.calls_a_minute or TESTS_A_MINUTE, TESTS_A_MINUTE)


def withdraw_key(change: Transaction, service: str, identity: str) -> None:
    """Revoke a key of ``service``, from its next call on; revoking twice changes nothing; raises `NotFoundError`."""
    here = (_rows.service == service, _rows.identity == identity)
    row = change.connection.execute(select(_rows.revoked_at).where(*here)).one_or_none()
    if row is None:
        raise NotFoundError("service.no_key", service=service, key=identity)
    if row.revoked_at is None:
        change.connection.execute(update(tables.service_keys).where(*here).values(revoked_at=change.now))
        change.record("service.key_revoked", [service_subject(service), f"key:{identity}"])


def keys_of(view: View, service: str) -> Sequence[ServiceKey]:
    """Return the keys of a service, newest first; the caller may see the service."""
    rows = select(tables.service_keys).where(_rows.service == service).order_by(_rows.made_at.desc(), _rows.identity)
    with view.reading() as connection:
        return [_read(row) for row in connection.execute(rows)]


def find_key(connection: Connection, hashed: str) -> ServiceKey | None:
    """Return the key whose secret has this hash, or None."""
    row = connection.execute(select(tables.service_keys).where(_rows.secret == hashed)).one_or_none()
    return None if row is None else _read(row)


def opened_by(view: View, secret: str, scope: Scope) -> ServiceKey:
    """Return the key of ``secret`` if it opens ``scope`` now; raises `RefusedError` as `require_open`."""
    with view.reading() as connection:
        return require_open(find_key(connection, hash_secret(secret)), scope, view.store.clock())


def require_open(key: ServiceKey | None, scope: Scope | None, now: datetime) -> ServiceKey:
    """Return ``key`` if it opens ``scope`` (None: whatever) at ``now``.

    Raises:
        RefusedError: ``service.unknown_key``, ``key_revoked``, ``key_expired``, ``wrong_scope``.
    """
    if key is None:
        raise RefusedError("service.unknown_key")
    if key.revoked_at is not None:
        raise RefusedError("service.key_revoked", key=key.prefix)
    if now >= key.expires_at:
        raise RefusedError("service.key_expired", key=key.prefix, expired=key.expires_at.date())
    opens = key.scopes | ({Scope.INFER} if key.is_test else frozenset())
    if scope is not None and scope not in opens:
        raise RefusedError("service.wrong_scope", key=key.prefix, scope=scope)
    return key


def _read(row: Row[Any]) -> ServiceKey:
    fields = {name: value for name, value in row._mapping.items() if name != "secret"}
    return ServiceKey(**{**fields, "scopes": frozenset(map(Scope, row.scopes.split()))})
