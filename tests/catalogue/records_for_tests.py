"""A base with people of six organisations, and a trial that goes through its record step by step."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Literal

from pilotbase.catalogue.advancing import Move, advance
from pilotbase.catalogue.records import load_record
from pilotbase.documents.application import Application
from pilotbase.documents.base import Document
from pilotbase.documents.certificate import Acceptance, Certificate
from pilotbase.documents.contract import Contract, DataType, Field, Prediction
from pilotbase.documents.estimate import Ceiling, ConsentAsked, Payer, RunEstimate, Span
from pilotbase.documents.limits import EndReason, IsolationLevel, Limits
from pilotbase.documents.permissions import Act
from pilotbase.documents.plan import ApplicationReference, ScenarioReference, TrialPlan
from pilotbase.documents.record import (
    Appeal,
    AppealDecision,
    ApplicationVersion,
    Approval,
    Commission,
    Interest,
    Order,
    OrderLifting,
    PlanProposal,
    Price,
    Record,
    Result,
    Reviewer,
)
from pilotbase.documents.report import Attempt, Isolation, Report
from pilotbase.documents.scenario import Contact, Criterion, Scenario
from pilotbase.documents.subjects import Organisation
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Role, Verdict
from pilotbase.workspace.actors import PUBLIC, Actor, actor, parties
from pilotbase.workspace.store import Store

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SCENARIO = "scenario:plant/milling"
APPLICATION = "application:acme/forest"
COMMISSION = "commission:c1"

OWNER = actor("plant", Role.DEMAND_OWNER, person="p-owner")
SUPPLIER = actor("acme", Role.SUPPLIER, person="p-supplier")
DESK = actor("base", Role.OPERATOR, person="p-desk")
PLANNER = actor("base", Role.OPERATOR, person="p-planner")
SIGNER = actor("base", Role.OPERATOR, person="p-signer")
REVIEWER = actor("institute", Role.REVIEWER, person="p-reviewer")
REGULATOR = actor("ministry", Role.REGULATOR, person="p-regulator")
MACHINE = actor("base", Role.OPERATOR)
OTHER_OWNER = actor("hospital", Role.DEMAND_OWNER, person="p-other-owner")
OTHER_SUPPLIER = actor("globex", Role.SUPPLIER, person="p-other-supplier")
OTHER_REVIEWER = actor("academy", Role.REVIEWER, person="p-other-reviewer")
VISITOR = Actor("", frozenset())


class SignedCertificate(Document):
    """The shape in which the base keeps a certificate (`certificate.issued.IssuedCertificate`)."""

    document: Literal["issued-certificate/1"] = "issued-certificate/1"
    certificate: Certificate


def digest(name: str) -> str:
    return f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"


def scenario(approvals=("ethics",), **changes) -> Scenario:
    value = {
        "name": "milling",
        "title": {"en": "Machine failure", "zh": "设备故障预警"},
        "owner": {"organisation": "plant"},
        "sector": "manufacturing",
        "action": "industry",
        "problem": {"en": "The mill breaks.", "zh": "铣床主轴失效。"},
        "intended_use": "Warn the shift.",
        "data": {
            "file": "cases.csv",
            "licence": "CC0-1.0",
            "fields": [
                {"name": "torque", "dataType": "sc:Float"},
                {"name": "failure", "dataType": "sc:Text"},
            ],
            "target": "failure",
        },
        "task": "classification",
        "positive": "broken",
        "baseline": {"kind": "constant", "value": "fine"},
        "criteria": [{"rule": "recall(broken) >= 0.80"}],
        "trial": {"approvals": [{"kind": kind} for kind in approvals], "board": {"measure": "recall(broken)"}},
    }
    return Scenario.model_validate({**value, **changes})


def version(number: str = "1.0.0", name: str = "forest", supplier: str = "acme") -> ApplicationVersion:
    application = Application.model_validate(
        {
            "name": name,
            "version": number,
            "title": {"en": "Random forest", "zh": "随机森林"},
            "supplier": {"organisation": supplier},
            "licence": "MIT",
            "model_card": {"summary": {"en": "Trees.", "zh": "树模型，用于主轴监测。"}},
        }
    )
    return ApplicationVersion(application=application, folder=digest(f"{name} {number}"), scenario=SCENARIO)


def commission(what: Scenario, which: ApplicationVersion, **changes) -> Commission:
    value = {
        "scenario": SCENARIO,
        "application": APPLICATION,
        "scenario_version": what.digest(),
        "application_version": which.digest(),
        "scope": "One trial of all criteria.",
        "price": Price(amount="12000.00"),
        "results": "supplier",
        "deadline": "2027-01-31",
    }
    return Commission.model_validate({**value, **changes})


def proposal(what: Scenario, which: ApplicationVersion) -> PlanProposal:
    rules = tuple(criterion.rule for criterion in what.criteria)
    return PlanProposal(commission=COMMISSION, scenario_version=what.digest(), folder=which.folder, criteria=rules)


def approval(until: str | None = "2026-12-31", kind: str = "ethics") -> Approval:
    return Approval(kind=kind, issued_by="Ethics board", reference="E-2026-7", until=until)


def plan(what: Scenario, which: ApplicationVersion, nonce: str = "0" * 32) -> TrialPlan:
    return TrialPlan(
        scenario=ScenarioReference(
            name=what.name,
            owner=Contact(organisation="plant"),
            digest=what.digest(),
            public_sample=digest("public"),
            hidden_set=digest("hidden"),
            hidden_cases=5000,
        ),
        sealed=digest("sealed"),
        application=ApplicationReference(
            name="forest",
            version=which.application.version,
            supplier=Contact(organisation="acme"),
            digest=which.folder,
            environment=digest("environment"),
        ),
        contract=Contract(
            features=(Field(name="torque", data_type=DataType.FLOAT),),
            prediction=Prediction(kind="label", classes=("broken", "fine")),
        ),
        criteria=(Criterion(rule="recall(broken) >= 0.80"),),
        cases=1000,
        attempts=10,
        isolation=IsolationLevel.L2,
        limits=Limits(),
        batch_rows=256,
        order_commitment=digest("order"),
        nonce=nonce,
        frozen_at=NOW,
        software="pilotbase 0.1.0",
    )


def report(of: TrialPlan, verdict: Verdict = Verdict.ACCEPT) -> Report:
    return Report(
        plan=of.digest(),
        scenario=of.scenario,
        scenario_title="Machine failure",
        sector="manufacturing",
        data_nature="measured",
        application=of.application,
        application_title="Forest",
        contract=of.contract,
        verdict=verdict,
        reasons=(text("verdict.accept"),),
        attempt=Attempt(number=1, alpha=0.025, alpha_of_all=0.05, reserved=1000, answered=1000),
        sections=(),
        criteria=(),
        isolation=Isolation(
            level=IsolationLevel.L2, start="C", memory_watch="cgroup", limits=Limits(), end=EndReason.FINISHED
        ),
        started_at=NOW,
        ended_at=NOW,
        software="pilotbase 0.1.0",
    )


def asked(of: TrialPlan, payer: Payer = "supplier") -> ConsentAsked:
    """Return what is asked of whoever pays for a trial under that plan."""
    wall = Span(low=10_000, expected=11_000, high=13_000)
    estimate = RunEstimate(
        plan=of.digest(),
        cases=of.cases,
        seen=30,
        confidence=0.9,
        wall=wall,
        money=Span(low=1000, expected=1240, high=1500),
        ceiling=Ceiling(seconds=3600),
        made_at=NOW,
    )
    return ConsentAsked(estimate=estimate.coarse(), payer=payer)


def certificate(of: Report) -> SignedCertificate:
    return SignedCertificate(
        certificate=Certificate(
            serial=of.digest(),
            verdict=of.verdict,
            application=of.application,
            scenario=of.scenario,
            plan=of.plan,
            report=of.digest(),
            attempt=1,
            claim=text("verdict.accept"),
            criteria=(),
            guarantee="exact_anytime",
            isolation="L2",
            issued_at=NOW,
            expires_at=NOW + timedelta(days=365),
            issuer="base",
        )
    )


class Trial:
    """One trial in one store; `reach` takes it from where it stands to a state, by the people whose work it is."""

    def __init__(self, store: Store, approvals: tuple[str, ...] = ("ethics",)) -> None:
        self.store = store
        self.scenario, self.version = scenario(approvals), version()
        self.plan = plan(self.scenario, self.version)
        self.report = report(self.plan)
        self.certificate = certificate(self.report)
        self._walked = 0

    def do(self, who: Actor, subject: str, act: Act, brings=None, **move) -> Record:
        return advance(self.store.as_actor(who), subject, act, Move(brings, **move))

    def record(self, subject: str = COMMISSION, who: Actor = MACHINE) -> Record:
        return load_record(self.store.as_actor(who), subject)[0]

    def register(self, name: str, *roles: Role, related: tuple[str, ...] = ()) -> None:
        organisation = Organisation(name=name, title=name.title(), roles=roles, related=related)
        self.do(DESK, f"organisation:{name}", Act.ORGANISATION_REGISTER, organisation)

    def open_scenario(self) -> None:
        self.do(OWNER, SCENARIO, Act.SCENARIO_REGISTER, self.scenario)
        self.do(OWNER, SCENARIO, Act.SCENARIO_SUBMIT)
        self.do(DESK, SCENARIO, Act.SCENARIO_OPEN)

    def submit_application(self, new: ApplicationVersion | None = None) -> None:
        act = Act.APPLICATION_EDIT if new else Act.APPLICATION_REGISTER
        self.do(SUPPLIER, APPLICATION, act, new or self.version)
        self.do(SUPPLIER, APPLICATION, Act.APPLICATION_SUBMIT)

    def propose(self) -> None:
        self.open_scenario()
        self.submit_application()
        self.do(SUPPLIER, COMMISSION, Act.COMMISSION_PROPOSE, commission(self.scenario, self.version))

    def agree(self) -> None:
        self.do(OWNER, COMMISSION, Act.COMMISSION_AGREE)

    def prepare(self) -> None:
        self.do(OWNER, COMMISSION, Act.APPROVAL_FILE, approval())
        self.do(DESK, COMMISSION, Act.REVIEWER_NAME, Reviewer(organisation="institute", person="p-reviewer"))
        self.do(PLANNER, COMMISSION, Act.PLAN_DRAFT, proposal(self.scenario, self.version))

    def approve(self) -> None:
        self.do(REVIEWER, COMMISSION, Act.INTEREST_DECLARE, Interest(has_interest=False))
        self.do(REVIEWER, COMMISSION, Act.PLAN_APPROVE)

    def order_freeze(self) -> None:
        self.do(PLANNER, COMMISSION, Act.PLAN_FREEZE)

    def freeze(self) -> None:
        with self.store.as_actor(MACHINE).transaction("trial.plan_frozen") as change:
            change.put(self.plan, parties("acme"), owner="plant")
        self.do(MACHINE, COMMISSION, Act.PLAN_FROZEN, Result(made=self.plan.digest()))

    def queue(self) -> None:
        self.do(PLANNER, COMMISSION, Act.TRIAL_QUEUE)

    def start(self) -> None:
        self.do(MACHINE, COMMISSION, Act.TRIAL_START)

    def hold(self) -> None:
        self.do(MACHINE, COMMISSION, Act.TRIAL_HOLD, asked(self.plan))

    def finish(self) -> None:
        with self.store.as_actor(MACHINE).transaction("trial.reported") as change:
            change.put(self.report, parties(), owner="plant")
        self.do(MACHINE, COMMISSION, Act.TRIAL_REPORT, Result(made=self.report.digest()))

    def accept(self) -> None:
        opinion = Acceptance(report=self.report.digest(), organisation="plant", decision="accepted", at=NOW)
        self.do(OWNER, COMMISSION, Act.ACCEPTANCE_GIVE, opinion)

    def sign(self) -> None:
        self.do(SIGNER, COMMISSION, Act.CERTIFICATE_SIGN)

    def issue(self) -> None:
        self.store.as_actor(MACHINE).put(self.certificate, PUBLIC, "certificate.issued")
        self.do(MACHINE, COMMISSION, Act.CERTIFICATE_ISSUE, Result(made=self.certificate.digest()))

    def reach(self, state: str) -> Record:
        """Go on until the commission is in ``state``."""
        for reached, step in list(_WALK.items())[self._walked :]:
            getattr(self, step)()
            self._walked += 1
            if reached == state:
                return self.record()
        raise AssertionError(f"the walk does not come by {state}")


_WALK = {
    "proposed": "propose",
    "agreed": "agree",
    "plan_review": "prepare",
    "plan_approved": "approve",
    "freezing": "order_freeze",
    "frozen": "freeze",
    "queued": "queue",
    "running": "start",
    "reported": "finish",
    "accepted": "accept",
    "signing": "sign",
    "certified": "issue",
}

__all__ = ["Appeal", "AppealDecision", "Order", "OrderLifting"]
