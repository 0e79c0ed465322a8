"""A certified service in a store, and days of cases that it answers."""

import hashlib
import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl

from pilotbase.certificate.envelope import Envelope
from pilotbase.certificate.status import IssuedCertificate
from pilotbase.documents.certificate import Certificate
from pilotbase.documents.limits import IsolationLevel, Limits
from pilotbase.documents.plan import ApplicationReference, ScenarioReference, TrialPlan
from pilotbase.documents.scenario import Contact, Criterion, Scenario
from pilotbase.documents.service import CertifiedRoute, Service
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import RedBy
from pilotbase.documents.watch import WatchTerms
from pilotbase.trial.sealed import SealedScenario
from pilotbase.vault.envelopes import seal_sample
from pilotbase.vault.place import Vault
from pilotbase.vault.sealing import Chunk, HiddenSet
from pilotbase.watch.arming import arm, prepare_watch, replay_watch
from pilotbase.watch.observations import ingest
from pilotbase.watch.packs import packed
from pilotbase.watch.running import run
from pilotbase.workspace.actors import PUBLIC, parties
from pilotbase.workspace.blobs import BlobStore
from pilotbase.workspace.keys import KeyFolder
from pilotbase.workspace.store import Store
from tests.watch.services_for_tests import BASE, WATCHED, labelled, observed

SCENARIO = {
    "document": "scenario/1",
    "name": "milling",
    "title": "Milling",
    "owner": {"organisation": "plant"},
    "problem": "Parts break.",
    "data": {
        "file": "d.csv",
        "fields": [
            {"name": "x", "dataType": "sc:Float"},
            {"name": "shift", "dataType": "sc:Text"},
            {"name": "broken", "dataType": "sc:Text"},
        ],
        "target": "broken",
    },
    "task": "classification",
    "positive": "broken",
}
TERMS = WatchTerms(tolerance=0.0, label_seconds=86_400, chunk=100, silence_seconds=10**7, red_by=RedBy.CASE)
DAY = timedelta(days=1)


def digest(name: str) -> str:
    return f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"


class World:
    """A service whose certificate accepts these criteria, and what its days bring."""

    def __init__(self, store: Store, folder: Path, *criteria: str, dataset: str | None = None) -> None:
        """``dataset``: what its cases are of, whose public sample lies sealed then."""
        self.store, self.view, self.dataset = store, store.as_actor(BASE), dataset
        vault = Vault(self.view, BlobStore(str(folder / "blobs")), KeyFolder(folder / "keys"))
        self.lab = SimpleNamespace(view=self.view, vault=vault)
        self.random = np.random.default_rng(7)
        self._certify(tuple(criteria) or ("accuracy >= 0.85", "latency.p95 <= 100 ms", "gap(accuracy by shift) <= 0.2"))
        self.day = 0

    def arm(self, **terms) -> None:
        watch = prepare_watch(self.lab, self.view, "milling", TERMS.model_copy(update=terms))
        replay_watch(self.lab, self.view, watch)
        arm(self.view, "milling")

    def bring(
        self, cases: int, wrong: float, labels: float = 1.0, moved: float = 0.0, milliseconds: float = 12.5
    ) -> None:
        """Hand in a day of calls of one case, ``wrong`` of them answered wrongly; wrong ones are labelled first."""
        self.day += 1
        ids = [f"d{self.day}-{row}" for row in range(cases)]
        bad = self.random.random(cases) < wrong
        answers = dict.fromkeys(ids, "fine")
        truth = dict(zip(ids, np.where(bad, "broken", "fine").tolist(), strict=True))
        inputs = {
            "x": (self.random.normal(moved, 1, cases)).tolist(),
            "shift": self.random.choice(["day", "night"], cases).tolist(),
        }
        batch = packed(observed(f"day-{self.day}", self.store.clock(), answers, inputs=inputs))
        each = replace(
            batch.pack, at=[at + row for row, at in enumerate(batch.pack.at)], milliseconds=[milliseconds] * cases
        )
        ingest(self.view, [replace(batch, pack=each)])
        first = sorted(ids, key=lambda one: truth[one] == "fine")[: round(labels * cases)]
        if first:
            ingest(self.view, [labelled(f"labels-{self.day}", {one: truth[one] for one in first})])

    def pass_days(self, clock, days: int) -> None:
        clock.now += days * DAY
        run(self.view, "milling")

    def _certify(self, criteria: tuple[str, ...]) -> None:
        scenario = Scenario.model_validate(SCENARIO)
        sample = pl.DataFrame({"x": self.random.normal(0, 1, 4000), "shift": ["day", "night"] * 2000})
        buffer = io.BytesIO()
        sample.write_parquet(buffer)
        hidden, vault = self._hidden_set(scenario), self.lab.vault
        plain = self.dataset is None
        sealed = SealedScenario(
            scenario=scenario.digest(),
            source=digest("source"),
            public_sample=(
                vault.blobs.put(buffer.getvalue()) if plain else seal_sample(vault, hidden, buffer.getvalue())
            ),
            sample_sealed=None if plain else True,
            public_cases=4000,
            hidden_set=hidden.digest(),
            hidden_cases=1000,
            classes=("broken", "fine"),
        )
        plan = self._plan(scenario, sealed, criteria)
        issued = self._issued(plan)
        route = CertifiedRoute(
            certificate=issued.digest(),
            serial=issued.certificate.serial,
            application=plan.application,
            plan=plan.digest(),
        )
        service = Service(name="milling", title="Milling", organisation="plant", routes=(route,))
        with self.view.transaction("service.created") as change:
            for document in (scenario, issued):
                change.put(document, PUBLIC)
            for document in (sealed, plan, hidden):
                change.put(document, parties("plant", "acme"))
            made = change.put(service, parties("acme"), owner="plant", fields={"service": "milling"})
            change.set_head("service:milling", made, expected=None)

    def _hidden_set(self, scenario: Scenario) -> HiddenSet:
        return HiddenSet(
            identity="0" * 32,
            scenario=scenario.digest(),
            owner="plant",
            rows=1000,
            alpha=0.05,
            attempts=10,
            chunks=(Chunk(blob=digest("chunk"), rows=1000),),
            commitment=digest("commitment"),
            secret_commitment=digest("secret"),
            sealed_at=self.store.clock(),
            dataset=self.dataset,
        )

    def _plan(self, scenario: Scenario, sealed: SealedScenario, criteria: tuple[str, ...]) -> TrialPlan:
        application = ApplicationReference(
            name="forest",
            version="1.0.0",
            supplier=Contact(organisation="acme"),
            digest=WATCHED,
            environment=digest("environment"),
        )
        return TrialPlan(
            scenario=ScenarioReference(
                name="milling",
                owner=Contact(organisation="plant"),
                digest=scenario.digest(),
                public_sample=sealed.public_sample,
                hidden_set=sealed.hidden_set,
                hidden_cases=1000,
            ),
            application=application,
            sealed=sealed.digest(),
            contract=scenario.contract(("broken", "fine")),
            positive="broken",
            criteria=tuple(Criterion(rule=rule) for rule in criteria),
            cases=1000,
            attempts=10,
            isolation=IsolationLevel.L2,
            limits=Limits(),
            batch_rows=256,
            order_commitment=digest("order"),
            nonce="0" * 32,
            frozen_at=self.store.clock(),
            software="pilotbase",
        )

    def _issued(self, plan: TrialPlan) -> IssuedCertificate:
        now = self.store.clock()
        stated = Certificate(
            serial=digest("report"),
            verdict="accept",
            application=plan.application,
            scenario=plan.scenario,
            plan=plan.digest(),
            report=digest("report"),
            attempt=1,
            claim=text("verdict.accept"),
            criteria=tuple(criterion.rule for criterion in plan.criteria),
            guarantee="exact_anytime",
            isolation="L2",
            issued_at=now,
            expires_at=now + 100 * DAY,
            issuer="base",
        )
        envelope = Envelope(payload="", payload_type="x", signatures=({"sig": ""},))
        return IssuedCertificate(certificate=stated, envelope=envelope)
