"""The ledger's books: of what the change feed tells of services, rows from which services are counted and listed.

A row is a copy for counting; the truth are the documents. The books are kept by whoever reads the ledger and by the
worker: each change is entered once, and entered again it changes nothing.
"""

from __future__ import annotations

from pilotbase.catalogue.records import both_languages, everything
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.record import Record
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.service import CertifiedRoute, Service, ServiceStatus
from pilotbase.documents.subjects import record_head, service_subject, standing_head
from pilotbase.documents.vocabularies import Colour, ServingState
from pilotbase.documents.watch import RiskWarning
from pilotbase.workspace.changes import Change, move, position
from pilotbase.workspace.checks.journeys import BOOKS
from pilotbase.workspace.journeys import Journey, note_first, put_journey
from pilotbase.workspace.listings import Listing, put_listing
from pilotbase.workspace.records import Stored, copy_of
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

_FEED = BOOKS
_KINDS = ("service", "service-standing", "risk-warning")
_AT_ONCE = 500
_ANSWERS = (ServingState.SERVING, ServingState.FALLEN_BACK)


def keep_books(view: View) -> int:
    """Enter what is new of services, whoever asks, and return how many changes were new."""
    base, entered = everything(view), 0
    while True:
        with base.reading() as connection:
            since = position(connection, _FEED)
        found = base.changes(since or 0, _AT_ONCE, _KINDS)
        if not found:
            return entered
        with base.transaction("ledger.kept") as change:
            if move(change.connection, _FEED, expected=since, to=found[-1].sequence):
                for one in found:
                    _enter(change, base.within(change), one)
                entered += len(found)


def _enter(change: Transaction, base: View, told: Change) -> None:
    stored = copy_of(change.connection, told.digest, told.owner) if told.event == "moved" else None
    if stored is None:
        return
    if stored.kind == "service":
        _enter_terms(change, base, stored)
    elif stored.kind == "service-standing":
        _enter_standing(change, base, stored.load(ServiceStatus))
    else:
        warning = stored.load(RiskWarning)
        if warning.colour is not Colour.GREEN:
            note_first(change, service_subject(warning.service), "warned", warning.at)


def _enter_terms(change: Transaction, base: View, stored: Stored) -> None:
    """Enter a version of a service: each trial behind it, the earlier ones too, is in use since it first came there."""
    service = stored.load(Service)
    _list(change, base, service.name)
    behind = {route.commission for route in service.routes if isinstance(route, CertifiedRoute)}
    for commission in behind | {service.commission}:
        if commission is not None:
            note_first(change, commission, "served", stored.stored_at)


def _enter_standing(change: Transaction, base: View, standing: ServiceStatus) -> None:
    service = _list(change, base, standing.service)
    if service is None:
        return
    if standing.state in _ANSWERS and _is_certified(service, standing):
        note_first(change, service_subject(service.name), "served", standing.at)
    elif standing.state is ServingState.STOPPED:
        note_first(change, service_subject(service.name), "stopped", standing.at)


def _list(change: Transaction, base: View, name: str) -> Service | None:
    """Let the listing of a service say where it stands now; None while it has no terms or no standing."""
    found = base.named([service_subject(name), standing_head(name)])
    if len(found) < 2:
        return None
    stored = found[service_subject(name)]
    service, standing = stored.load(Service), found[standing_head(name)].load(ServiceStatus)
    scenario = _scenario_of(base, service)
    listing = _listing(stored, service, standing, scenario)
    put_listing(change, listing, [])
    supports = frozenset(scenario.supports) if scenario is not None else frozenset()
    put_journey(change, Journey(service_subject(name), listing.kind, supplier=_supplier(service), supports=supports))
    return service


def _is_certified(service: Service, standing: ServiceStatus) -> bool:
    """Tell whether what answers, or would, holds a certificate: an endpoint on the operator's word is no use."""
    return isinstance(service.routes[min(standing.route, len(service.routes) - 1)], CertifiedRoute)


def _listing(stored: Stored, service: Service, standing: ServiceStatus, scenario: Scenario | None) -> Listing:
    title = both_languages(service.title)
    return Listing(
        subject=service_subject(service.name),
        kind="service" if _is_certified(service, standing) else "endpoint",
        state=standing.state.value,
        digest=stored.digest,
        owner=stored.owner,
        title=title,
        sector=scenario.sector.value if scenario is not None else "",
        action=scenario.action.value if scenario is not None and scenario.action is not None else "",
        words="\n".join([service.name, title.render("en"), title.render("zh"), service.organisation]),
        scenario=service.scenario or "",
    )


def _scenario_of(base: View, service: Service) -> Scenario | None:
    """Return the scenario that a service serves: of its record, else of the plan under which it was certified."""
    digest, route = None, service.routes[0]
    head = record_head(service.scenario or "")
    record = base.named([head]).get(head)
    if record is not None:
        digest = record.load(Record).documents.get("scenario")
    elif isinstance(route, CertifiedRoute) and (plan := base.get(route.plan)) is not None:
        digest = plan.load(TrialPlan).scenario.digest
    found = base.get(digest) if digest is not None else None
    return found.load(Scenario) if found is not None else None


def _supplier(service: Service) -> str:
    route = service.routes[0]
    return route.application.supplier.organisation if isinstance(route, CertifiedRoute) else ""
