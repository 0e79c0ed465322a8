"""A base with a published call, five teams and seven experts, on a clock that the test sets."""

from datetime import datetime, timedelta

import pytest

from pilotbase.documents.call import CallTerms, ClaimTerms
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Reviewer
from pilotbase.documents.vocabularies import Role
from pilotbase.worker.base import Base
from pilotbase.worker.trials import call_awards, call_judging, calls
from pilotbase.workspace.actors import Actor, actor
from tests.catalogue import records_for_tests as records
from tests.catalogue.records_for_tests import DESK, NOW, OWNER, SIGNER, Trial, commission, version

CALL = "call:plant/spindle-2026"
TEAMS = ("acme", "globex", "initech", "umbrella", "wayne")
PRICES = dict(zip(TEAMS, ("900", "1000", "800", "950", "1000"), strict=True))
EXPERTS = [Reviewer(organisation=f"lab{number}", person=f"p-lab{number}") for number in range(1, 8)]
MEMBERS = {(one.organisation, one.person) for one in EXPERTS}
TERMS = {
    "title": "Fewer broken spindles",
    "task": "Warn the shift before a spindle breaks.",
    "weight_tender": 0,
    "weight_experts": 70,
    "weight_price": 30,
    "criteria": [{"title": "Plan", "weight": 60}, {"title": "Team", "weight": 40}],
    "prize": "1000",
    "milestones": [
        {"title": "First site", "due": "2027-01-31", "share": 40},
        {"title": "In service", "due": "2027-06-30", "share": 60, "evidence": "certificate"},
    ],
    "closes": "2026-05-20",
}

VOUCHERS = {
    **{"name": "pilot", "title": "For calls", "issuer": "city", "begins": "2026-01-01", "ends": "2027-12-31"},
    **{"claimed_by": ["supplier"], "rate": 3000, "cap_voucher": 10**6, "cap_year": 10**6, "total": 10**7},
    **{"minimum": 100, "valid_days": 90, "hold_hours": 48, "settle_hours": 24, "claim_days": 30},
}
"""The rules of a programme of vouchers."""


class Clock:
    """The clock of a base, which a test moves."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_days(self, days: float) -> None:
        self.now += timedelta(days=days)


class RivalTrial(Trial):
    """The trial of another team's application on the same scenario."""

    def __init__(self, store, supplier: str) -> None:
        super().__init__(store)
        self.supplier = supplier
        self.version = version(supplier=supplier)
        reference = self.plan.application.model_copy(update={"supplier": records.Contact(organisation=supplier)})
        self.plan = self.plan.model_copy(update={"application": reference, "nonce": "1" * 32})
        self.report = records.report(self.plan)

    def do(self, who, subject, act, brings=None, **move):
        who = actor(self.supplier, Role.SUPPLIER, person=f"p-{self.supplier}") if who == records.SUPPLIER else who
        subject = {
            records.APPLICATION: application_of(self.supplier),
            records.COMMISSION: f"commission:{self.supplier}",
        }.get(subject, subject)
        if act is Act.PLAN_DRAFT:
            brings = brings.model_copy(update={"commission": subject})
        return super().do(who, subject, act, brings, **move)

    def record(self, subject=None, who=records.MACHINE):
        return super().record(subject or f"commission:{self.supplier}", who)

    def propose(self) -> None:
        terms = commission(self.scenario, self.version, application=application_of(self.supplier))
        self.do(records.SUPPLIER, records.COMMISSION, Act.COMMISSION_PROPOSE, terms)


def application_of(team: str) -> str:
    return f"application:{team}/forest"


class Called:
    """A call on a base, and what people do about it."""

    def __init__(self, base: Base, clock: Clock) -> None:
        self.base, self.clock, self.call = base, clock, CALL
        self.scenario = records.SCENARIO
        self.trial = Trial(base.lab.store)
        for organisation, role in (("base", "operator"), ("plant", "demand_owner"), ("ministry", "regulator")):
            self.trial.register(organisation, Role(role))
        for one in EXPERTS:
            self.trial.register(one.organisation, Role.REVIEWER)
        for team in TEAMS:
            self.trial.register(team, Role.SUPPLIER, related=("lab4",) if team == "umbrella" else ())
        self.trial.open_scenario()
        for team in TEAMS:
            who = self.team(team)
            self.trial.do(who, application_of(team), Act.APPLICATION_REGISTER, version(supplier=team))
            self.trial.do(who, application_of(team), Act.APPLICATION_SUBMIT)

    def view(self, who: Actor):
        return self.base.lab.store.as_actor(who)

    def team(self, name: str) -> Actor:
        return actor(name, Role.SUPPLIER, person=f"p-{name}")

    def expert(self, number: int) -> Actor:
        return actor(f"lab{number}", Role.REVIEWER, person=f"p-lab{number}")

    def known(self, organisation: str, person: str) -> bool:
        return (organisation, person) in MEMBERS

    def draft(self, **changes):
        terms = CallTerms.model_validate({**TERMS, **changes})
        return calls.draft_call(self.base, self.view(OWNER), self.call, self.scenario, terms)

    def publish(self, **changes):
        self.draft(**changes)
        return calls.publish_call(self.base, self.view(OWNER), self.call)

    def claim(self, team: str, **changes):
        value = {
            "application": application_of(team),
            "plan": f"The plan of {team}.",
            "price": PRICES[team],
            "commitment": True,
            **changes,
        }
        return calls.hand_in_claim(self.base, self.view(self.team(team)), self.call, ClaimTerms.model_validate(value))

    def name(self, people=tuple(EXPERTS)):
        return calls.name_reviewers(self.base, self.view(DESK), self.call, people, self.known)

    def turn_key(self, who: Actor):
        return calls.open_claims(self.base, self.view(who), self.call, self.known)

    def open(self):
        self.turn_key(DESK)
        return self.turn_key(SIGNER)

    @property
    def history(self):
        return calls.history_of(self.base, self.call)

    @property
    def stage(self) -> str:
        return self.history.stage(self.clock()).value

    def claim_of(self, team: str) -> str:
        return self.history.newest[team].claim

    def score(self, who: Actor, team: str, *points: int):
        given = (self.claim_of(team), points, "Well thought out.")
        return call_judging.give_score(self.base, self.view(who), self.call, given, self.known)

    def panel(self) -> list[Actor]:
        return [actor(one.organisation, Role.REVIEWER, person=one.person) for one in self.history.panel]

    def score_all(self, points=None, skip: int = 0) -> None:
        """Let the panel score every claim, except for the last ``skip`` scores."""
        points = points or dict(zip(TEAMS, ((5, 5), (4, 4), (2, 3), (3, 2), (1, 1)), strict=True))
        wanted = [(who, team) for who in self.panel() for team in sorted(self.history.newest)]
        for who, team in wanted[: len(wanted) - skip]:
            self.score(who, team, *points[team])

    def reach_opened(self, **changes) -> None:
        self.publish(**changes)
        for team in TEAMS:
            self.claim(team)
        self.name()
        self.clock.pass_days(30)
        self.open()

    def reach_awarded(self, call: str, team: str = "acme", **changes) -> None:
        """Award a call to a team that has passed its trial, and accept the first milestone."""
        self.call = call
        self.reach_opened(closes=f"{self.clock.now + timedelta(days=20):%Y-%m-%d}", **changes)
        self.score_all()
        given = (self.base, self.view(OWNER), call)
        call_judging.rank_call(*given)
        call_awards.propose_award(*given, team, "")
        self.clock.pass_days(8)
        call_awards.accept_milestone(*given, 1, "Runs at the first site.")

    def try_applications(self) -> None:
        """Let the trials of the two best teams end with accept."""
        self.trial._walked = 0
        self.trial.propose = lambda: self.trial.do(
            records.SUPPLIER,
            records.COMMISSION,
            Act.COMMISSION_PROPOSE,
            commission(self.trial.scenario, self.trial.version),
        )
        self.trial.reach("reported")
        RivalTrial(self.base.lab.store, "globex").reach("reported")


def refused(code, act, *given, **more):
    with pytest.raises(PilotbaseError) as caught:
        act(*given, **more)
    assert caught.value.code == code, caught.value
    return caught.value
