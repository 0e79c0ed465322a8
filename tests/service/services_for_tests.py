"""A base with one certified application in service, and what tests do with it."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from pilotbase.catalogue.applications import read_application, store_application
from pilotbase.certificate.issuing import sign_certificate
from pilotbase.certificate.revoking import reinstate, revoke, suspend
from pilotbase.certificate.status import IssuedCertificate
from pilotbase.certificate.trust import create_trust
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.permissions import Act
from pilotbase.documents.plan import ApplicationReference, ScenarioReference
from pilotbase.documents.record import Result
from pilotbase.documents.scenario import Contact
from pilotbase.documents.service import CertifiedRoute, Service, ServiceStatus, ServiceTerms
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import CallEnd, Role, ServingState
from pilotbase.operations.services import NewExposure, NewKey
from pilotbase.sandbox.box.environments import build_environment
from pilotbase.service.admission import Premises
from pilotbase.service.budgets import ServiceBudget, spending_of, write_budget
from pilotbase.service.calls import CallObservation, Cost
from pilotbase.service.desk import CallDispatcher
from pilotbase.service.registry import load_service, withdraw_key, write_key
from pilotbase.service.standing import write_standing
from pilotbase.service.terms import grant_exposure, tell_exposure
from pilotbase.workspace.actors import PUBLIC, actor, parties
from pilotbase.workspace.store import Store, View
from tests.catalogue.records_for_tests import COMMISSION, MACHINE, Trial, certificate

OPERATOR = actor("base", Role.OPERATOR)
PARTIES = {
    "base": Role.OPERATOR,
    "plant": Role.DEMAND_OWNER,
    "acme": Role.SUPPLIER,
    "institute": Role.REVIEWER,
    "ministry": Role.REGULATOR,
}


def digest(name: str) -> str:
    return f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"


class SignedTrial(Trial):
    """A trial in a base that signs, whose certificate holds for some time."""

    def __init__(self, served: Served) -> None:
        super().__init__(served.store)
        self._trust = served.trust
        for name, role in PARTIES.items():
            self.register(name, role)

    def issue(self) -> None:
        now = self.store.clock()
        times = {"issued_at": now, "expires_at": now + timedelta(days=100)}
        stated = certificate(self.report).certificate.model_copy(update=times)
        issued = IssuedCertificate(certificate=stated, envelope=sign_certificate(stated, self._trust))
        self.made = self.store.as_actor(MACHINE).put(issued, PUBLIC, "certificate.issued")
        self.do(MACHINE, COMMISSION, Act.CERTIFICATE_ISSUE, Result(made=self.made))


class Served:
    """A base that signs, with services made as rows of it; the registry's own rules have tests of their own."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder = store, folder
        self.view: View = store.as_actor(OPERATOR)
        self.trust = create_trust(folder / "keys", "base", store.clock())
        self.journals = folder / "journals"

    def certify(
        self,
        version: str = "1.0.0",
        verdict: str = "accept",
        days: int = 100,
        held: tuple[str, str] | None = None,
        action: str = "certificate.issued",
    ) -> str:
        """Store a signed certificate of the application ``forest`` and return its digest.

        ``held``: digests of a folder and an environment that the base really keeps.
        """
        now: datetime = self.store.clock()
        folder, environment = held or (digest(f"folder {version}"), digest(f"environment {version}"))
        stated = Certificate(
            serial=digest(f"report {version}"),
            verdict=verdict,
            application=ApplicationReference(
                name="forest",
                version=version,
                supplier=Contact(organisation="acme"),
                digest=folder,
                environment=environment,
            ),
            scenario=ScenarioReference(
                name="milling",
                owner=Contact(organisation="plant"),
                digest=digest("scenario"),
                public_sample=digest("public"),
                hidden_set=digest("hidden"),
                hidden_cases=1000,
            ),
            plan=digest(f"plan {version}"),
            report=digest(f"report {version}"),
            attempt=1,
            claim=text("verdict.accept"),
            criteria=("recall(broken) >= 0.8",),
            guarantee="exact_anytime",
            isolation="L2",
            issued_at=now,
            expires_at=now + timedelta(days=days),
            issuer="base",
        )
        issued = IssuedCertificate(certificate=stated, envelope=sign_certificate(stated, self.trust))
        with self.view.transaction(action) as change:
            made = change.put(issued, PUBLIC, fields={"serial": stated.serial})
            change.set_head(f"certificate:{stated.report}", made, expected=None)
        return made

    def hold(self, version: str = "1.0.0") -> tuple[str, str]:
        """Keep an application's folder and its (empty) environment, as a trial leaves them; return their digests."""
        folder = self.folder / f"forest {version}"
        folder.mkdir()
        manifest = {
            "name": "forest",
            "version": version,
            "title": "Random forest",
            "supplier": {"organisation": "acme"},
            "licence": "MIT",
            "model_card": {"summary": "Trees."},
        }
        (folder / "application.yaml").write_text(json.dumps({"document": "application/1", **manifest}))
        (folder / "app.py").write_text("def predict(cases):\n    return ['fine' for _ in cases]\n")
        submission = store_application(read_application(folder), self.premises.applications)
        cache = self.premises.environments / "acme"
        cache.mkdir(parents=True, exist_ok=True)
        return submission.digest, build_environment(b"", "requirements.lock", cache).digest

    @property
    def premises(self) -> Premises:
        return Premises.of_home(self.folder, self.trust.roots())

    def serve(
        self, *certificates: str, name: str = "milling", ask_human: bool = False, scenario: str | None = None
    ) -> Service:
        """Put certificates into service under a name, the first of them answering."""
        service = Service(
            name=name,
            title="Milling",
            organisation="plant",
            scenario=scenario,
            routes=tuple(self.route(one) for one in certificates or (self.certify(),)),
            terms=ServiceTerms(ask_human=ask_human),
        )
        with self.view.transaction("service.created") as change:
            made = change.put(service, parties("acme"), owner="plant", fields={"service": name})
            change.set_head(f"service:{name}", made, expected=self.view.within(change).head(f"service:{name}"))
        self.stand(ServingState.SERVING, name=name)
        return service

    def route(self, certificate: str) -> CertifiedRoute:
        stated = self.view.load(certificate, IssuedCertificate).certificate
        return CertifiedRoute(
            certificate=certificate, serial=stated.serial, application=stated.application, plan=stated.plan
        )

    def serve_trial(self, trial: SignedTrial) -> Service:
        """Put what a trial has certified into service, with the trial named."""
        route = self.route(trial.made).model_copy(update={"commission": COMMISSION})
        service = Service(
            name="milling", title="Milling", organisation="plant", routes=(route,), terms=ServiceTerms(ask_human=False)
        )
        with self.view.transaction("service.created") as change:
            made = change.put(service, parties("acme"), owner="plant", fields={"service": "milling"})
            change.set_head("service:milling", made, expected=None)
        self.stand(ServingState.SERVING)
        return service

    def stand(self, state: ServingState, route: int = 0, name: str = "milling") -> None:
        standing = ServiceStatus(
            service=name, state=state, route=route, reason=text("verdict.accept"), at=self.store.clock()
        )
        service = load_service(self.view, name)
        with self.view.transaction("service.moved") as change:
            write_standing(change, service, standing, "by_hand")

    def budget(self, calls: int | None = None, tokens: int | None = None, period: str = "total") -> str:
        with self.view.transaction("service.budget") as change:
            write_budget(change, ServiceBudget("milling", "main", period, calls, tokens))
        return "main"

    def expose(self, name: str = "milling", **terms: object) -> None:
        """Grant an exposure."""
        grant_exposure(self.view, NewExposure(service=name, reason="a test", **terms))

    def exposed(self, name: str = "milling") -> int:
        """How many cases are gone: decided by applications, or in the hands of desks."""
        told = tell_exposure(self.view, name)
        return told.used + told.held

    def key(self, budget: str = "", service: str = "milling", **terms: object) -> str:
        """Make a key and return its secret."""
        with self.view.transaction("service.key") as change:
            return write_key(change, "plant", NewKey(service=service, title="line 3", budget=budget or None, **terms))[
                1
            ]

    def withdraw(self, identity: str) -> None:
        with self.view.transaction("service.key") as change:
            withdraw_key(change, "milling", identity)

    def revoke(self, version: str = "1.0.0") -> None:
        revoke(self.trust, self.view, self._list, digest(f"report {version}"), "wrong", self.store.clock())

    def suspend(self, version: str = "1.0.0") -> None:
        suspend(self.trust, self.view, self._list, digest(f"report {version}"), "doubt", self.store.clock())

    def reinstate(self, version: str = "1.0.0") -> None:
        reinstate(self.trust, self.view, self._list, digest(f"report {version}"), self.store.clock())

    @contextmanager
    def desk(self):
        opened = CallDispatcher.open(self.view, self.journals)
        try:
            yield opened
        finally:
            opened.close()

    def gone(self) -> Cost:
        """What has gone out of the one budget: used, or in the hands of desks."""
        (spending,) = spending_of(self.view, "milling")
        return spending.used + spending.held

    @property
    def _list(self) -> Path:
        return self.folder / "revocations.json"

    def observed(self, *ids: str, end: CallEnd = CallEnd.ANSWERED, version: str = "1.0.0") -> CallObservation:
        count = len(ids)
        inputs = {"torque": [float(number) for number in range(count)]}
        at = self.store.clock()
        return CallObservation(ids, inputs, ["fine"] * count, end, digest(f"folder {version}"), 2.5, at)
