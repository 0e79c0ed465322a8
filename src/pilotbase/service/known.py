"""What a desk knows of keys, services and where they stand: read again as soon as anything was changed."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from pilotbase.certificate.envelope import Envelope, seal
from pilotbase.certificate.status import REVOCATIONS_HEAD, IssuedCertificate, RevocationList
from pilotbase.certificate.trust import TrustFolder
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.base import Document
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.record import Record
from pilotbase.documents.service import (
    CertifiedRoute,
    ExposureGrant,
    HoldBack,
    HoldBackSeed,
    Override,
    Route,
    Service,
    ServiceStatus,
)
from pilotbase.documents.states import CommissionState
from pilotbase.documents.subjects import (
    exposure_head,
    hold_back_head,
    hold_back_seed_head,
    record_head,
    service_subject,
    standing_head,
)
from pilotbase.operations.services import NewOverride
from pilotbase.service.budgets import ServiceBudget, find_budget
from pilotbase.service.calls import HoldBackDraw
from pilotbase.service.registry import ServiceKey, find_key
from pilotbase.workspace.engine import Freshness
from pilotbase.workspace.records import Stored
from pilotbase.workspace.store import View

_OVERRIDE_TYPE = "application/vnd.pilotbase.override+json"
Barred = Literal["revoked", "suspended", "expired"]
_BARRED: Mapping[str, Barred] = {CommissionState.REVOKED: "revoked", CommissionState.SUSPENDED: "suspended"}
"""State of a trial's record → what its certificate is then."""


class SignedOverride(Document):
    """An override with the envelope that was signed over it."""

    document: Literal["signed-override/1"] = "signed-override/1"
    override: Override
    envelope: Envelope


def sign_override(wanted: NewOverride, trust: TrustFolder, now: datetime) -> SignedOverride:
    """Return what is wanted as the word of the base, signed by the key that signs its certificates.

    Raises:
        RefusedError: it would not be wholly within the time of the signing key, or the key file is not there.
    """
    expires = now + timedelta(days=wanted.days)
    begins, ends = trust.signing_span()
    if not begins <= now < expires <= ends:
        raise RefusedError("service.override_outside_key", expires=expires.date(), ends=ends.date())
    override = filled(Override, wanted, issued_at=now, expires_at=expires, issuer=trust.issuer)
    envelope = seal(_OVERRIDE_TYPE, override.canonical(), trust.signing_key(), trust.chain)
    return SignedOverride(override=override, envelope=envelope)


@dataclass(frozen=True)
class RouteStatus:
    """A route of a service, and why it may not answer."""

    route: Route
    expires_at: datetime
    barred: Barred | None = None

    def why_not(self, now: datetime) -> Barred | None:
        """Return why it may not answer at ``now``, or None: it may."""
        return self.barred or ("expired" if now >= self.expires_at else None)


@dataclass(frozen=True)
class Serving:
    """A service as it stands now."""

    service: Service
    standing: ServiceStatus
    ways: tuple[RouteStatus, ...]
    hold_back: HoldBackDraw | None = None
    exposure: ServiceBudget | None = None
    """The exposure limit of its scenario; None: there is none."""

    def way(self, now: datetime) -> RouteStatus | None:
        """Return the first way, from where the service stands, that may answer at ``now``."""
        return next((way for way in self.ways[self.standing.route :] if way.why_not(now) is None), None)

    def after(self, route: Route | None, now: datetime) -> tuple[Route, ...]:
        """Return the further routes that may answer at ``now`` where ``route`` does not; None: a person is asked."""
        if route is None or len(self.ways) == 1:
            return ()
        later = self.ways[self.standing.route :]
        return tuple(way.route for way in later if way.route is not route and way.why_not(now) is None)


@dataclass(frozen=True)
class KeyAccess:
    """A key with the budget that its calls are taken from."""

    key: ServiceKey
    budget: ServiceBudget | None


@dataclass
class _Seen:
    """What was read since the log had so many entries."""

    entries: int
    accesses: dict[str, KeyAccess] = field(default_factory=dict)
    services: dict[str, Serving] = field(default_factory=dict)
    revocations: RevocationList | None = None


class KnownServices:
    """What `view` sees of services, never older than the store. Safe to share between threads.

    A reader that finds the store unchanged takes what it has; otherwise everything is forgotten and read as needed.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._freshness = Freshness(view.store.database)
        self._seen = _Seen(-1)
        self._lock = threading.Lock()
        self._revocations: tuple[str | None, RevocationList | None] = (None, None)

    def refresh(self) -> None:
        """Forget what may be out of date; raises `PilotbaseError` when the store cannot be asked."""
        entries = self._freshness.entries()
        if entries != self._seen.entries:
            self._seen = _Seen(entries)

    def access(self, hashed: str) -> KeyAccess | None:
        """Return what the key with this hash opens, or None; an unknown one is not remembered."""
        seen = self._seen
        found = seen.accesses.get(hashed)
        if found is None:
            found = self._read_access(hashed)
            if found is not None:
                seen.accesses[hashed] = found
        return found

    def serving(self, name: str) -> Serving | None:
        """Return a service as it stands, or None; an unknown one is not remembered."""
        seen = self._seen
        found = seen.services.get(name)
        if found is None:
            found = read_serving(self._view, name, self._listed())
            if found is not None:
                seen.services[name] = found
        return found

    def close(self) -> None:
        """Close the connection over which the store is asked."""
        self._freshness.close()

    def _read_access(self, hashed: str) -> KeyAccess | None:
        with self._view.reading() as connection:
            key = find_key(connection, hashed)
            if key is None:
                return None
            return KeyAccess(key, find_budget(connection, key.service, key.budget) if key.budget else None)

    def _listed(self) -> RevocationList | None:
        digest = self._view.head(REVOCATIONS_HEAD)
        with self._lock:
            if digest is not None and self._revocations[0] != digest:
                self._revocations = (digest, self._view.load(digest, RevocationList))
            return self._revocations[1]


def read_serving(view: View, name: str, listed: RevocationList | None) -> Serving | None:
    """Return a service as it stands, or None where ``view`` sees none; ``listed`` is what was revoked."""
    found = view.named([service_subject(name), standing_head(name), hold_back_head(name)])
    if service_subject(name) not in found or standing_head(name) not in found:
        return None
    service = found[service_subject(name)].load(Service)
    standing = found[standing_head(name)].load(ServiceStatus)
    ways = tuple(_way(view, route, listed) for route in service.routes)
    granted = view.load_head(exposure_head(service.exposed), ExposureGrant)
    exposure = ServiceBudget.of_exposure(granted) if granted is not None else None
    return Serving(service, standing, ways, _draw(view, found.get(hold_back_head(name))), exposure)


def _draw(view: View, newest: Stored | None) -> HoldBackDraw | None:
    """Return how units are drawn; None where none are, or ``view`` may not see the seed."""
    running = newest.load(HoldBack) if newest is not None else None
    if running is None or running.ended_at is not None:
        return None
    seed = view.load_head(hold_back_seed_head(running.identity), HoldBackSeed)
    return HoldBackDraw(seed.seed, running.terms.share) if seed is not None else None


def barred(view: View, route: CertifiedRoute, listed: RevocationList | None) -> Barred | None:
    """Return whether what was certified is revoked or suspended, by the list or by the record of its trial."""
    return _on_the_list(view, route, listed) or _in_its_record(view, route)


def _way(view: View, route: Route, listed: RevocationList | None) -> RouteStatus:
    if not isinstance(route, CertifiedRoute):
        return RouteStatus(route, view.load(route.override, SignedOverride).override.expires_at)
    certificate = view.load(route.certificate, IssuedCertificate).certificate
    return RouteStatus(route, certificate.expires_at, barred(view, route, listed))


def _on_the_list(view: View, route: CertifiedRoute, listed: RevocationList | None) -> Barred | None:
    if listed is None:
        return None
    serials = view.load(route.certificate, IssuedCertificate).certificate.serials
    if listed.find(*serials):
        return "revoked"
    return "suspended" if listed.find_suspended(*serials) else None


def _in_its_record(view: View, route: CertifiedRoute) -> Barred | None:
    """Return what the record of its trial says: whoever decides there need not wait until a worker signs the list."""
    record = view.load_head(record_head(route.commission), Record) if route.commission is not None else None
    if record is None or record.documents.get("certificate") != route.certificate:
        return None
    return _BARRED.get(record.state)
