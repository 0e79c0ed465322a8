"""A real small trial ordered through its record: people act, the worker works."""

from pathlib import Path

from pilotbase.catalogue.advancing import Move, advance
from pilotbase.catalogue.records import load_record
from pilotbase.documents.certificate import Acceptance
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Approval, Commission, Interest, PlanProposal, Price, Reviewer
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.vocabularies import Role
from pilotbase.worker.base import Base
from pilotbase.worker.intake.kept_files import take_application, take_scenario
from pilotbase.worker.jobs.worker import JobWorker
from pilotbase.workspace.actors import Actor, actor
from tests.catalogue.records_for_tests import DESK, NOW, OWNER, PLANNER, REVIEWER, SIGNER, SUPPLIER

SCENARIO, APPLICATION, COMMISSION = "scenario:plant/small-alarm", "application:acme/alarm", "commission:c1"
MACHINE = actor("test-base", Role.OPERATOR)


class Ordered:
    """One commission on a real base."""

    def __init__(
        self, base: Base, supplier: Actor = SUPPLIER, application: str = APPLICATION, commission: str = COMMISSION
    ) -> None:
        self.base, self.supplier, self.application, self.commission = base, supplier, application, commission
        self.worker = JobWorker(base, "w1")

    def view(self, who: Actor):
        return self.base.lab.store.as_actor(who)

    def do(self, who: Actor, act: Act, brings=None, subject: str = "", **more):
        return advance(self.view(who), subject or self.commission, act, Move(brings, **more))

    def record(self, subject: str = ""):
        return load_record(self.view(MACHINE), subject or self.commission)[0]

    def work(self) -> list[tuple[str, str]]:
        """Do all that is queued; return kinds and ends."""
        done = []
        while (one := self.worker.work_once()) is not None:
            done.append((one[0].kind, one[1].value))
        return done

    def open(self, scenario: Path, application: Path) -> None:
        take_scenario(self.base, self.view(OWNER), scenario)
        self.do(OWNER, Act.SCENARIO_SUBMIT, subject=SCENARIO)
        self.do(DESK, Act.SCENARIO_OPEN, subject=SCENARIO)
        take_application(self.base, self.view(SUPPLIER), application, SCENARIO)

    def propose(self) -> None:
        self.do(self.supplier, Act.APPLICATION_SUBMIT, subject=self.application)
        versions = (
            self.record(SCENARIO).documents["scenario"],
            self.record(self.application).documents["application"],
        )
        terms = Commission(
            scenario=SCENARIO,
            application=self.application,
            scenario_version=versions[0],
            application_version=versions[1],
            scope="One trial.",
            price=Price(amount="100"),
            results="supplier",
            deadline="2099-01-31",
        )
        self.do(self.supplier, Act.COMMISSION_PROPOSE, terms)
        self.do(OWNER, Act.COMMISSION_AGREE)

    def approve(self, until: str = "2099-01-01") -> None:
        self.do(OWNER, Act.APPROVAL_FILE, Approval(kind="ethics", issued_by="Board", reference="E-1", until=until))
        self.do(DESK, Act.REVIEWER_NAME, Reviewer(organisation="institute", person="p-reviewer"))
        self.draft_and_review()

    def draft_and_review(self) -> None:
        documents = self.record().documents
        scenario = self.view(MACHINE).load(documents["scenario"], Scenario)
        rules = tuple(one.rule for one in scenario.criteria)
        self.do(
            PLANNER,
            Act.PLAN_DRAFT,
            PlanProposal(
                commission=self.commission,
                scenario_version=documents["scenario"],
                folder=documents["folder"],
                criteria=rules,
            ),
        )
        self.do(REVIEWER, Act.INTEREST_DECLARE, Interest(has_interest=False))
        self.do(REVIEWER, Act.PLAN_APPROVE)

    def freeze(self) -> None:
        self.do(PLANNER, Act.PLAN_FREEZE)

    def do_queued(self) -> None:
        """Freeze what is being frozen, then run the trial."""
        self.work()
        self.do(PLANNER, Act.TRIAL_QUEUE)
        self.work()

    def accept(self) -> None:
        report = self.record().documents["report"]
        opinion = Acceptance(report=report, organisation="plant", decision="accepted", at=NOW)
        self.do(OWNER, Act.ACCEPTANCE_GIVE, opinion)
        self.do(SIGNER, Act.CERTIFICATE_SIGN)
