"""A trial that was accepted, as documents: what a certificate is made from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pilotbase.certificate.issuing import issue_certificate, sign_certificate
from pilotbase.certificate.trust import TrustFolder, create_trust
from pilotbase.documents.contract import Contract, DataType, Field, Prediction
from pilotbase.documents.limits import EndReason, IsolationLevel, Limits
from pilotbase.documents.plan import ApplicationReference, ScenarioReference, TrialPlan
from pilotbase.documents.report import Attempt, CriterionResult, Finding, Isolation, Report, Section
from pilotbase.documents.scenario import Contact, Criterion
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Estimand, Outcome, Role, Verdict, Verification
from pilotbase.workspace.actors import actor
from pilotbase.workspace.home import init_home
from pilotbase.workspace.store import View

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
MakeReport = Callable[..., Report]


def digest(name: str) -> str:
    return f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"


def criterion(rule: str = "recall(failure) >= 0.80", **changes: object) -> CriterionResult:
    value: dict[str, object] = {
        "rule": rule,
        "outcome": Outcome.PASS,
        "threshold": 0.8,
        "estimate": 0.91,
        "lower": 0.83,
        "upper": 0.97,
        "scored": 620,
        "available": 1000,
        "estimand": Estimand.HIDDEN_SET,
        "unit": "case",
        "confidence": 0.975,
        "guarantee": "exact_anytime",
        "claim": text("estimand.hidden_set"),
    }
    return CriterionResult.model_validate({**value, **changes})


@pytest.fixture(scope="session")
def plan() -> TrialPlan:
    scenario = ScenarioReference(
        name="machine-failure",
        owner=Contact(organisation="plant-one"),
        digest=digest("scenario"),
        public_sample=digest("public"),
        hidden_set=digest("hidden"),
        hidden_cases=5000,
    )
    application = ApplicationReference(
        name="forest",
        version="1.2.0",
        supplier=Contact(organisation="acme"),
        digest=digest("application"),
        environment=digest("environment"),
    )
    return TrialPlan(
        scenario=scenario,
        sealed=digest("sealed"),
        application=application,
        contract=Contract(
            features=(Field(name="torque", data_type=DataType.FLOAT, unit="Nm"),),
            prediction=Prediction(kind="label", classes=("failure", "ok")),
        ),
        criteria=(Criterion(rule="recall(failure) >= 0.80"),),
        cases=1000,
        attempts=10,
        isolation=IsolationLevel.L2,
        limits=Limits(),
        batch_rows=256,
        order_commitment=digest("order"),
        nonce="0" * 32,
        frozen_at=NOW,
        software="pilotbase 0.1.0",
    )


@pytest.fixture(scope="session")
def make_report(plan: TrialPlan) -> MakeReport:
    def make(**changes: object) -> Report:
        value: dict[str, object] = {
            "plan": plan.digest(),
            "scenario": plan.scenario,
            "scenario_title": "Machine failure",
            "sector": "manufacturing",
            "data_nature": "measured",
            "application": plan.application,
            "application_title": "Forest",
            "contract": plan.contract,
            "verdict": Verdict.ACCEPT,
            "reasons": (text("verdict.accept"),),
            "attempt": Attempt(number=2, alpha=0.05 / 6, alpha_of_all=0.05, reserved=1000, answered=1000, scored=620),
            "sections": (
                Section(verification=Verification.DESIGN, outcome=Outcome.PASS),
                Section(verification=Verification.PROCESS, outcome=Outcome.NOT_MEASURED),
                Section(
                    verification=Verification.ADAPTATION,
                    outcome=Outcome.PASS,
                    findings=(
                        Finding(check="python-3.13", outcome=Outcome.NOT_MEASURED, sentence=text("outcome.pass")),
                    ),
                ),
            ),
            "criteria": (criterion(),),
            "isolation": Isolation(
                level=IsolationLevel.L2, start="C", memory_watch="cgroup", limits=Limits(), end=EndReason.FINISHED
            ),
            "started_at": NOW,
            "ended_at": NOW,
            "software": "pilotbase 0.1.0",
        }
        return Report.model_validate({**value, **changes})

    return make


@pytest.fixture(scope="session")
def shared_trust(tmp_path_factory: pytest.TempPathFactory) -> TrustFolder:
    """Keys that no test rotates."""
    return create_trust(tmp_path_factory.mktemp("base") / "keys", "base-one", NOW)


@pytest.fixture
def trust(tmp_path: Path) -> TrustFolder:
    return create_trust(tmp_path / "keys", "base-one", NOW)


@pytest.fixture
def view(tmp_path: Path) -> Iterator[View]:
    """The store of base-one, as its operator sees it."""
    store = init_home(tmp_path / "home").open_store()
    yield store.as_actor(actor("base-one", Role.OPERATOR))
    store.close()


@pytest.fixture(scope="session")
def sign(plan: TrialPlan, make_report: MakeReport) -> Callable[..., bytes]:
    """Return the bytes of a certificate that ``trust`` signs."""

    def signed(trust: TrustFolder, now: datetime = NOW, **changes: object) -> bytes:
        certificate = issue_certificate(
            make_report(**changes), plan, issuer=trust.issuer, now=now, expires_at=trust.expiry(now)
        )
        return sign_certificate(certificate, trust).to_bytes()

    return signed
