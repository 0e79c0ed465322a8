"""A service of the world's trial."""

import json
from dataclasses import asdict
from datetime import timedelta

from sqlalchemy import insert

from pilotbase.certificate.status import IssuedCertificate
from pilotbase.documents.service import (
    ActConsent,
    CertifiedRoute,
    ReleaseTerms,
    Service,
    ServiceStatus,
    ServiceTerms,
    VersionRelease,
)
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import ServingState
from pilotbase.evidence.canary import CanaryEvidence
from pilotbase.service.consents import ask_consent
from pilotbase.service.registry import load_service, seen_by
from pilotbase.service.releases import take_outcomes
from pilotbase.service.standing import write_standing
from pilotbase.trial.arena.fencing import act_digest
from pilotbase.workspace.tables import service_releases
from tests.catalogue.records_for_tests import MACHINE


def serve(world, name="milling", scenario="scenario:plant/milling", **terms) -> Service:
    """Put the world's certificate into service, as `create_service` does where the files are there."""
    view, trial = world.trial.store.as_actor(MACHINE), world.trial
    digest = view.head(f"certificate:{trial.record().documents['report']}")
    stated = view.load(digest, IssuedCertificate).certificate
    route = CertifiedRoute(
        certificate=digest,
        serial=stated.serial,
        application=stated.application,
        plan=stated.plan,
        commission="commission:c1",
    )
    service = Service(
        name=name,
        title="Mill watch",
        organisation="plant",
        scenario=scenario,
        commission="commission:c1",
        routes=(route,),
        terms=ServiceTerms(**terms),
    )
    with view.transaction("service.created") as change:
        made = change.put(service, seen_by(service), owner="plant", fields={"service": name})
        change.set_head(service.subject, made, expected=None)
        standing = ServiceStatus(
            service=name,
            state=ServingState.SERVING,
            reason=text("service.reason.version", application="forest 1.0.0"),
            at=change.now,
        )
        write_standing(change, service, standing, "create")
    return service


def let_an_older_version_answer(view, name: str) -> None:
    """Let a service answer by another version than that of its certificate, which can then be released."""
    with view.transaction("service.created") as change:
        service = load_service(view.within(change), name)
        route = service.routes[0]
        older = route.application.model_copy(update={"digest": f"sha256:{1:064x}"})
        changed = service.model_copy(update={"routes": (route.model_copy(update={"application": older}),)})
        made = change.put(changed, seen_by(changed), owner=changed.organisation, fields={"service": name})
        change.let_stand(service.subject, made)


def let_release(view, name: str, outcomes: str) -> None:
    """Let a newer version of a service be under release; ``outcomes``: n, N: a call of the new one, failed; o, O."""
    release = VersionRelease(
        identity=f"{7:032x}", candidate=f"sha256:{2:064x}", since=view.store.clock(), terms=ReleaseTerms(share=0.5)
    )
    with view.transaction("service.release_begun") as change:
        service = load_service(view.within(change), name)
        newer = service.routes[0].application.model_copy(update={"version": "2.0.0", "digest": release.candidate})
        routes = (*service.routes, service.routes[0].model_copy(update={"application": newer}))
        changed = service.model_copy(update={"routes": routes, "release": release})
        made = change.put(changed, seen_by(changed), owner=changed.organisation, fields={"service": name})
        change.let_stand(service.subject, made)
        row = {"release": release.identity, "service": name, "version": "forest 2.0.0", "state": "running"}
        row |= {"evidence": json.dumps(asdict(CanaryEvidence(1, 0.02))), "since": release.since}
        change.connection.execute(insert(service_releases).values(row))
    seen = [{"release": release.identity, "new": one in "nN", "failed": one.isupper()} for one in outcomes]
    with view.store.database.write() as connection:
        take_outcomes(connection, seen)


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
