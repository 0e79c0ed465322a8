"""A service of the world's trial."""

from datetime import timedelta

from pilotbase.certificate.status import IssuedCertificate
from pilotbase.documents.service import ActConsent, CertifiedRoute, Service, ServiceStatus
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import ServingState
from pilotbase.service.consents import ask_consent
from pilotbase.service.registry import load_service, seen_by
from pilotbase.service.standing import write_standing
from pilotbase.trial.arena.fencing import act_digest
from tests.catalogue.records_for_tests import MACHINE


def serve(world) -> Service:
    """Put the world's certificate into service, as `create_service` does where the files are there."""
    view, trial = world.trial.store.as_actor(MACHINE), world.trial
    digest = view.head(f"certificate:{trial.report.digest()}")
    stated = view.load(digest, IssuedCertificate).certificate
    route = CertifiedRoute(
        certificate=digest,
        serial=stated.serial,
        application=stated.application,
        plan=stated.plan,
        commission="commission:c1",
    )
    service = Service(
        name="milling",
        title="Mill watch",
        organisation="plant",
        scenario="scenario:plant/milling",
        commission="commission:c1",
        routes=(route,),
    )
    with view.transaction("service.created") as change:
        made = change.put(service, seen_by(service), owner="plant", fields={"service": "milling"})
        change.set_head("service:milling", made, expected=None)
        standing = ServiceStatus(
            service="milling",
            state=ServingState.SERVING,
            reason=text("service.reason.version", application="forest 1.0.0"),
            at=change.now,
        )
        write_standing(change, service, standing, "create")
    return service


def let_ask(view, service: str, identity: str, tool="pay", **arguments) -> None:
    """Put an act of an agent before whoever has to consent; it waits for ten years."""
    now = view.store.clock()
    consent = ActConsent(
        consent=identity,
        service=service,
        dialogue="0" * 32,
        version=f"sha256:{0:064x}",
        act=act_digest(tool, arguments),
        act_class="pay",
        tool=tool,
        arguments=arguments,
        reversible=False,
        asked_at=now,
        expires_at=now + timedelta(days=3650),
    )
    ask_consent(view, load_service(view, service), consent)
