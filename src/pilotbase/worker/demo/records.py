"""The examples as records, each step taken by its own party: scenarios, applications, trials in several states."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path
from typing import Literal

from pilotbase.catalogue.advancing import Move, advance
from pilotbase.catalogue.records import load_record
from pilotbase.catalogue.saving import save
from pilotbase.catalogue.subjects import new_commission
from pilotbase.documents.application import Application
from pilotbase.documents.base import Localized, Part
from pilotbase.documents.certificate import Acceptance
from pilotbase.documents.loading import load_document
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import (
    Approval,
    Commission,
    Interest,
    PlanProposal,
    Price,
    Record,
    Reviewer,
)
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.states import CommissionState
from pilotbase.documents.subjects import Organisation, holder_of, organisation_subject, record_head
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Role
from pilotbase.worker.base import Base
from pilotbase.worker.demo.examples import agree_on, find_examples, prepare_example, publish_dataset, sectors_of
from pilotbase.worker.intake.kept_files import take_application, take_scenario
from pilotbase.worker.jobs.worker import JobWorker, default_name
from pilotbase.workspace.actors import Actor
from pilotbase.workspace.store import View

PARTIES = {
    "harmony-machining": ("Harmony Machining", "和谐机械加工", Role.DEMAND_OWNER),
    "river-hospital-group": ("River Hospital Group", "江滨医院集团", Role.DEMAND_OWNER),
    "three-airports-desk": ("Three Airports Desk", "三机场运行中心", Role.DEMAND_OWNER),
    "old-town-savings": ("Old Town Savings", "老城储蓄银行", Role.DEMAND_OWNER),
    "riverside-power": ("Riverside Power", "滨江电力", Role.DEMAND_OWNER),
    "lakeside-ai": ("Lakeside AI", "湖畔智能", Role.SUPPLIER),
    "harbour-university": ("Harbour University", "港湾大学", Role.SUPPLIER),
    "quickwin-labs": ("Quickwin Labs", "速赢实验室", Role.SUPPLIER),
    "north-institute": ("North Institute", "北方研究院", Role.REVIEWER),
    "city-data-bureau": ("City Data Bureau", "市数据局", Role.REGULATOR),
}
"""Organisation → its title in both languages, and its role; all are fictitious."""
STAGES = {
    "manufacturing": ("failure-trees", CommissionState.CERTIFIED),
    "healthcare": ("triage-score", CommissionState.PROPOSED),
    "transport": ("delay-trees", CommissionState.AGREED),
    "finance": ("careful-score", CommissionState.PLAN_REVIEW),
    "energy": ("output-trees", CommissionState.QUEUED),
}
"""Sector → the application whose trial is under way, and its state; other sectors have none."""


@dataclass(frozen=True)
class Cast:
    """The people of the demonstration, by the opaque identifiers of their accounts."""

    base: str
    desk: str
    planner: str
    signer: str
    owner: str
    supplier: str
    reviewer: str
    regulator: str

    @classmethod
    def alone(cls, base: str) -> Cast:
        """Return a cast for a base without a hub, where nobody has an account."""
        return cls(base, *(name.name for name in fields(cls)[1:]))

    def operator(self, person: str) -> Actor:
        return Actor(self.base, frozenset({Role.OPERATOR}), person)


def fill(base: Base, cast: Cast) -> Iterator[Text]:
    """Make what is missing and yield what is being done; the certified trial really runs."""
    register(base, cast)
    examples = find_examples()
    for sector in sectors_of(examples):
        if not is_played(base, examples / sector):
            yield text("hub.demo_sector", sector=text(f"sector.{sector}"))
            _fill_sector(base, cast, sector)


def register(base: Base, cast: Cast) -> None:
    """Register the organisations of the demonstration that the base does not have."""
    desk = base.lab.store.as_actor(cast.operator(cast.desk))
    own = {cast.base: ("Pilot base", "中试基地", Role.OPERATOR)}
    for name, (english, chinese, role) in {**own, **PARTIES}.items():
        organisation = Organisation(name=name, title=Localized(en=english, zh=chinese), roles=(role,))
        if desk.head(record_head(organisation_subject(organisation.name))) is None:
            save(desk, organisation)


def _fill_sector(base: Base, cast: Cast, sector: str) -> None:
    folder = prepare_example(base, find_examples(), sector)
    scenario = open_scenario(base, cast, folder)
    subjects = [submit(base, cast, one, scenario) for one in sorted((folder / "applications").iterdir())]
    if sector in STAGES:
        name, state = STAGES[sector]
        under_way = next(subject for subject in subjects if subject.endswith(f"/{name}"))
        PlayedTrial(base, cast, scenario, under_way).reach(state)


def open_scenario(base: Base, cast: Cast, folder: Path) -> str:
    """Publish the scenario in ``folder`` and its dataset as its owner, open it at the desk, and return its subject."""
    publish_dataset(base, folder, cast.owner)
    owned = load_document(Scenario, folder / "scenario.yaml").owner.organisation
    owner = base.lab.store.as_actor(Actor(owned, frozenset({Role.DEMAND_OWNER}), cast.owner))
    subject = take_scenario(base, owner, folder).subject
    advance(owner, subject, Act.SCENARIO_SUBMIT)
    advance(base.lab.store.as_actor(cast.operator(cast.desk)), subject, Act.SCENARIO_OPEN)
    return subject


def is_played(base: Base, folder: Path) -> bool:
    """Return whether the base has a record of the scenario in ``folder``."""
    planned = load_document(Scenario, folder / "scenario.yaml")
    return base.lab.view.head(record_head(planned.subject)) is not None


def submit(base: Base, cast: Cast, folder: Path, scenario: str) -> str:
    """Hand in the application in ``folder``, or its next version, for ``scenario``; return its subject."""
    application = load_document(Application, folder / "application.yaml")
    supplier = Actor(application.supplier.organisation, frozenset({Role.SUPPLIER}), cast.supplier)
    view = base.lab.store.as_actor(supplier)
    planned = load_record(base.lab.view, scenario)[0].documents["scenario"]
    dataset = base.lab.view.load(planned, Scenario).data.dataset
    if dataset is not None:
        agree_on(base, dataset, supplier.organisation, cast.supplier)
    record = take_application(base, view, folder, scenario)
    advance(view, record.subject, Act.APPLICATION_SUBMIT)
    return record.subject


class PlayedTrial:
    """One trial of an application on a scenario (subjects), on its way."""

    def __init__(self, base: Base, cast: Cast, scenario: str, application: str) -> None:
        self.base, self.cast, self.scenario, self.application = base, cast, scenario, application
        store = base.lab.store
        self.owner = self._view(holder_of(scenario), Role.DEMAND_OWNER, cast.owner)
        self.supplier = self._view(holder_of(application), Role.SUPPLIER, cast.supplier)
        self.reviewer = self._view("north-institute", Role.REVIEWER, cast.reviewer)
        self.desk = store.as_actor(cast.operator(cast.desk))
        self.planner = store.as_actor(cast.operator(cast.planner))
        self.signer = store.as_actor(cast.operator(cast.signer))
        self.subject = new_commission()

    def _view(self, organisation: str, role: Role, person: str) -> View:
        return self.base.lab.store.as_actor(Actor(organisation, frozenset({role}), person))

    def reach(self, state: CommissionState) -> None:
        """Take the steps up to ``state``: proposed, agreed, plan_review, queued or certified."""
        for _ in self.way_to(state):
            self._work()

    def way_to(self, state: CommissionState) -> Iterator[None]:
        """Take the steps up to ``state``, and yield wherever a worker has to do something first."""
        steps: dict[CommissionState, Callable[[], Iterator[None] | None]] = {
            CommissionState.PROPOSED: self.propose,
            CommissionState.AGREED: self.agree,
            CommissionState.PLAN_REVIEW: self.plan,
            CommissionState.QUEUED: self.queue,
            CommissionState.CERTIFIED: self.finish,
        }
        for reached, step in steps.items():
            yield from step() or ()
            if reached == state:
                return

    def do(self, view: View, act: Act, brings: Part | None = None) -> Record:
        return advance(view, self.subject, act, Move(brings))

    def record(self) -> Record:
        return load_record(self.desk, self.subject)[0]

    def propose(self) -> None:
        scenario = load_record(self.desk, self.scenario)[0].documents["scenario"]
        version = load_record(self.desk, self.application)[0].documents["application"]
        terms = Commission(
            scenario=self.scenario,
            application=self.application,
            scenario_version=scenario,
            application_version=version,
            scope=Localized(
                en="One trial of all acceptance criteria on the hidden cases.",
                zh="在隐藏案例上对全部验收准则进行一次测试。",
            ),
            price=Price(amount="12000"),
            results="supplier",
            deadline=(self.supplier.store.clock() + timedelta(days=90)).date().isoformat(),
        )
        self.do(self.supplier, Act.COMMISSION_PROPOSE, terms)

    def agree(self) -> None:
        self.do(self.owner, Act.COMMISSION_AGREE)

    def plan(self) -> None:
        record = self.record()
        lacking = set(record.approvals_needed) - {approval.kind for approval in record.approvals}
        for kind in sorted(lacking):
            self.do(self.owner, Act.APPROVAL_FILE, Approval(kind=kind, issued_by="Ethics board", reference="2026-017"))
        named = Reviewer(organisation="north-institute", person=self.cast.reviewer)
        self.do(self.desk, Act.REVIEWER_NAME, named)
        scenario = self.desk.load(record.documents["scenario"], Scenario)
        proposal = PlanProposal(
            commission=self.subject,
            scenario_version=record.documents["scenario"],
            folder=record.documents["folder"],
            criteria=tuple(criterion.rule for criterion in scenario.criteria),
        )
        self.do(self.planner, Act.PLAN_DRAFT, proposal)

    def queue(self) -> Iterator[None]:
        self.do(self.reviewer, Act.INTEREST_DECLARE, Interest(has_interest=False))
        self.do(self.reviewer, Act.PLAN_APPROVE)
        self.do(self.planner, Act.PLAN_FREEZE)
        yield
        self.do(self.planner, Act.TRIAL_QUEUE)

    def finish(self) -> Iterator[None]:
        yield
        yield from self.accept()

    def accept(self) -> Iterator[None]:
        self.do(self.owner, Act.ACCEPTANCE_GIVE, self.opinion("accepted"))
        self.do(self.signer, Act.CERTIFICATE_SIGN)
        yield

    def opinion(self, decision: Literal["accepted", "declined"]) -> Acceptance:
        """Return the owner's opinion on the report."""
        organisation, now = self.owner.actor.organisation, self.owner.store.clock()
        return Acceptance(
            report=self.record().documents["report"], organisation=organisation, decision=decision, at=now
        )

    def _work(self) -> None:
        """Let a worker process the queue until this trial has moved on."""
        before = self.record().state
        while self.record().state == before and JobWorker(self.base, default_name()).work_once() is not None:
            pass


def parties_in(role: Role) -> tuple[str, ...]:
    """Return the organisations of the demonstration that have a role."""
    return tuple(name for name, (_, _, own) in PARTIES.items() if own is role)
