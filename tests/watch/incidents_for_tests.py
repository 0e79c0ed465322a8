"""A service with its warnings, as the store keeps them, for the tests of runbooks, incidents and reactions."""

from datetime import timedelta

from pilotbase.documents.plan import ApplicationReference
from pilotbase.documents.scenario import Contact
from pilotbase.documents.service import CertifiedRoute, Service, ServiceStatus
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Colour, EventGrade, ResponseLevel, Role, ServingState, Signal
from pilotbase.documents.watch import Incident, RiskWarning
from pilotbase.watch.incidents import open_incident
from pilotbase.workspace.actors import actor, parties
from pilotbase.workspace.store import Store
from tests.catalogue.records_for_tests import digest

BASE = actor("base", Role.OPERATOR)
DESK = actor("base", Role.OPERATOR, person="p-desk")
OWNER = actor("plant", Role.DEMAND_OWNER, person="p-owner")
OTHER_OWNER = actor("hospital", Role.DEMAND_OWNER, person="p-other-owner")
SUPPLIER = actor("acme", Role.SUPPLIER, person="p-supplier")
REGULATOR = actor("ministry", Role.REGULATOR, person="p-regulator")


def route(name: str) -> CertifiedRoute:
    application = ApplicationReference(
        name=name,
        version="1.0.0",
        supplier=Contact(organisation="acme"),
        digest=digest(f"{name} folder"),
        environment=digest("environment"),
    )
    return CertifiedRoute(
        certificate=digest(f"{name} certificate"),
        serial=digest(f"{name} serial"),
        application=application,
        plan=digest(f"{name} plan"),
    )


def keep_service(store: Store, name: str = "alarm", **more) -> Service:
    """A service of the plant with two certified versions, serving by the first."""
    given = {"routes": (route("forest"), route("pine")), "organisation": "plant", "title": "Alarm", **more}
    service = Service(name=name, **given)
    standing = ServiceStatus(
        service=name,
        state=ServingState.SERVING,
        reason=text("serving.serving"),
        at=store.clock(),
    )
    with store.as_actor(BASE).transaction("service.created") as change:
        for head, document in (("service", service), ("service-standing", standing)):
            kept = change.put(document, parties(), owner=service.organisation)
            change.set_head(f"{head}:{name}", kept, expected=None)
    return service


def warning(store: Store, colour: Colour = Colour.RED, signal: Signal = Signal.RISK, **more) -> RiskWarning:
    """A warning that rises now."""
    now = store.clock()
    given = {"detector": signal.value, "seen_to": 500, "began": now - timedelta(seconds=5), "at": now, **more}
    return RiskWarning(
        service=given.pop("service", "alarm"),
        signal=signal,
        colour=colour,
        reason=text(f"signal.{signal}"),
        promise=text("signal.silence"),
        **given,
    )


def raise_warning(store: Store, one: RiskWarning) -> str:
    """Store a warning as the watch does, and return its digest."""
    view, head = store.as_actor(BASE), f"warning:{one.service}/{one.detector}"
    with view.transaction("watch.warned") as change:
        kept = change.put(one, parties(), owner="plant", fields={"service": one.service})
        change.set_head(head, kept, expected=view.within(change).head(head))
    return kept


def open_one(
    store: Store,
    grade: EventGrade = EventGrade.GENERAL,
    reporter: str = "other_operator",
    service: str = "alarm",
    cause: str = digest("warning"),
    book: str = "cn-network-security-2025",
) -> Incident:
    """An incident of the plant's service, known and opened now, for the warning ``cause``."""
    now = store.clock()
    draft = Incident(
        number=1,
        service=service,
        owner="plant",
        warning=cause,
        title=text("incident.title", service=service, signal=text("signal.risk")),
        colour=Colour.RED,
        grade=grade,
        response=ResponseLevel.III,
        known_at=now,
        opened_at=now,
        book=book,
        reporter=reporter,
    )
    view = store.as_actor(BASE)
    with view.transaction("incident.opened") as change:
        return open_incident(change, view, draft)
