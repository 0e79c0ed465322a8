"""No sequence of acts, by whomever, reaches `frozen` without approvals or a certificate without acceptance and signer.

Random people try random acts on random records; what was reached is judged from the history alone, by rules written
here. People have several hats: one person works for the supplier, the operator and the reviewers' institute.
"""

import random

import pytest

from pilotbase.documents.certificate import Acceptance
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.lifecycles import COMMISSION as TRANSITIONS
from pilotbase.documents.lifecycles import Transition
from pilotbase.documents.permissions import Act, permitted
from pilotbase.documents.record import Appeal, AppealDecision, Interest, Order, OrderLifting, Record, Reviewer
from pilotbase.documents.vocabularies import Role
from pilotbase.workspace.actors import PUBLIC, Actor, actor, parties
from tests.catalogue.records_for_tests import (
    APPLICATION,
    COMMISSION,
    MACHINE,
    NOW,
    REGULATOR,
    Result,
    Trial,
    approval,
    asked,
    certificate,
    commission,
    digest,
    plan,
    proposal,
    report,
    version,
)

PEOPLE = [
    actor("plant", Role.DEMAND_OWNER, person="owner"),
    actor("plant", Role.DEMAND_OWNER, person="two-hats"),
    actor("acme", Role.SUPPLIER, person="engineer"),
    actor("acme", Role.SUPPLIER, person="two-hats"),
    actor("base", Role.OPERATOR, person="planner"),
    actor("base", Role.OPERATOR, person="signer"),
    actor("base", Role.OPERATOR, person="two-hats"),
    actor("institute", Role.REVIEWER, person="judge"),
    actor("institute", Role.REVIEWER, person="two-hats"),
    actor("institute", Role.REVIEWER, person="planner"),
    actor("globex", Role.SUPPLIER, person="stranger"),
    REGULATOR,
    MACHINE,
]
SUBMITS = {"commission.propose", "commission.revise", "commission.concede", "rectification.submit"}
BACK = {Act.PLAN_RETURN, Act.PLAN_REFUSED, Act.TRIAL_STOP, Act.TRIAL_FAIL, Act.CERTIFICATE_FAIL, Act.COMMISSION_COUNTER}
BACK |= {Act.TRIAL_HOLD, Act.TRIAL_JUDGE, Act.RECTIFICATION_ASK, Act.TRIAL_REPEAT, Act.ACCEPTANCE_REFUSE}
ENDS = {
    Act.CONSENT_REFUSE,
    Act.COMMISSION_DECLINE,
    Act.COMMISSION_CANCEL,
    Act.CERTIFICATE_REVOKE,
    Act.COMMISSION_PROPOSE,
}


class Chance:
    """What random people hand in: right things mostly, wrong ones too."""

    def __init__(self, trial: Trial, seed: int) -> None:
        self.trial, self.draw, self.versions = trial, random.Random(seed), [trial.version]
        self.made: list[str] = []

    def brings(self, act: Act, kind: str | None):
        trial, draw, current = self.trial, self.draw, self.versions[-1]
        until = draw.choice(["2026-04-30", "2026-05-20", "2026-12-31", None])
        decision = "declined" if act is Act.ACCEPTANCE_REFUSE else draw.choice(["accepted", "accepted", "declined"])
        documents = trial.record().documents
        return {
            None: lambda: None,
            "commission": lambda: commission(trial.scenario, trial.version),
            "plan-proposal": lambda: proposal(trial.scenario, current),
            "approval": lambda: approval(until, draw.choice(["ethics", "data", "other"])),
            "reviewer": lambda: Reviewer(
                organisation="institute", person=draw.choice(["judge", "two-hats", "planner"])
            ),
            "interest": lambda: Interest(has_interest=draw.random() < 0.05),
            "acceptance": lambda: Acceptance(
                report=documents.get("report", digest("none")), organisation="plant", decision=decision, at=NOW
            ),
            "appeal": lambda: Appeal(grounds="Unfair."),
            "appeal-decision": lambda: AppealDecision(
                number=draw.randint(1, 3), upheld=draw.random() < 0.5, reasons="So."
            ),
            "order": lambda: Order(
                kind=draw.choice(["rerun", "rectification", "suspension"]), reasons="Doubts.", deadline="2027-01-01"
            ),
            "order-lifting": lambda: OrderLifting(number=draw.randint(1, 3)),
            "consent-asked": lambda: asked(
                plan(trial.scenario, current), draw.choice(["supplier", "demand_owner", "base"])
            ),
            "result": lambda: Result(made=self.result(act)),
        }[kind]()

    def result(self, act: Act) -> str:
        """Return the right result mostly, else another one."""
        place = {Act.PLAN_FROZEN: -3, Act.TRIAL_REPORT: -2, Act.CERTIFICATE_ISSUE: -1}.get(act, -1)
        return self.made[place] if self.draw.random() < 0.8 else self.draw.choice(self.made)

    def step(self, record: Record) -> tuple[Transition, Actor]:
        """Choose what is tried and by whom: steps forward often, by people whom the table lets do it mostly."""
        rows = [row for row in TRANSITIONS if record.state in row.sources and row.act not in ENDS]
        weights = [1 if row.target is None else 0.4 if row.act in BACK else 3 for row in rows]
        row = self.draw.choices(rows, weights)[0]
        allowed = [who for who in PEOPLE if permitted(row.act, who, record.stands)]
        return row, self.draw.choice(allowed if allowed and self.draw.random() < 0.85 else PEOPLE)

    def prepare(self) -> None:
        """Let the base's own work exist, for the newest version and others: the records must take the right one."""
        view = self.trial.store.as_actor(MACHINE)
        for which in self.versions[-2:]:
            frozen = plan(self.trial.scenario, which)
            found = report(frozen)
            with view.transaction("test.made") as change:
                change.put(frozen, parties("acme", "institute"), owner="plant")
                change.put(found, parties("institute"), owner="plant")
                change.put(certificate(found), PUBLIC)
            self.made = [*self.made[-3:], frozen.digest(), found.digest(), certificate(found).digest()]


def judge(trial: Trial, submitters: set[str]) -> None:
    """Judge the newest step of the record from its history."""
    record = trial.record()
    last, now = record.history[-1], trial.store.clock().date().isoformat()
    if last.state == "frozen" and last.act == Act.PLAN_FROZEN:
        for kind in record.approvals_needed:
            assert any(a.kind == kind and (a.until is None or a.until >= now) for a in record.approvals), kind
        approvals = [step for step in record.history if step.act == Act.PLAN_APPROVE]
        planners = {step.person for step in record.history if step.act == Act.PLAN_DRAFT}
        assert approvals[-1].person not in submitters | planners
        assert not any(one.has_interest and one.person == approvals[-1].person for one in record.interests)
    if last.act == Act.CERTIFICATE_ISSUE:
        acts = [step.act for step in record.history]
        reported = len(acts) - 1 - acts[::-1].index(Act.TRIAL_REPORT)
        after = record.history[reported:]
        accepted = [step for step in after if step.act == Act.ACCEPTANCE_GIVE]
        signed = [step for step in after if step.act == Act.CERTIFICATE_SIGN]
        assert accepted
        assert accepted[-1].organisation == "plant"
        signer = signed[-1].person
        assert signer is not None
        assert signer not in submitters | {step.person for step in after if step.act == Act.ACCEPTANCE_GIVE}


@pytest.mark.prove
@pytest.mark.parametrize("start", ["proposed", "reported"])
@pytest.mark.parametrize("seed", range(3, 40))
def test_random_people_find_no_way_around_approvals_acceptance_and_separation(store, clock, seed, start):
    trial = Trial(store, ("ethics", "data") if start == "proposed" else ("ethics",))
    trial.reach(start)
    chance, reached = Chance(trial, seed), {start}
    submitters = {"p-supplier"}
    chance.prepare()
    for _ in range(300):
        row, who = chance.step(trial.record())
        try:
            trial.do(who, COMMISSION, row.act, chance.brings(row.act, row.brings))
        except PilotbaseError:
            clock.step(chance.draw.choice([0, 0, 0, 3600]))
            continue
        if row.act.value in SUBMITS and who.person:
            submitters.add(who.person)
        judge(trial, submitters)
        reached.add(trial.record().state)
        if trial.record().state == "rectification" and chance.draw.random() < 0.8:
            chance.versions.append(version(f"1.{len(chance.versions)}.0"))
            engineer = PEOPLE[2]
            trial.do(engineer, APPLICATION, Act.APPLICATION_EDIT, chance.versions[-1])
            trial.do(engineer, APPLICATION, Act.APPLICATION_SUBMIT)
            submitters.add("engineer")
            chance.prepare()
    assert seed > 3 or {"proposed": "freezing", "reported": "certified"}[start] in reached
