"""No dead end: in every state of every record each task can be carried out, and whoever can clear a bar is told.

The walks come by every state. In each, every person's tasks are asked for over the API; each is posted as the person
would post it, up to the write, which a test takes back; what is barred is refused with the reason.
"""

import json
from datetime import timedelta
from unittest.mock import patch

import pytest

from pilotbase.catalogue import advancing
from pilotbase.catalogue.advancing import possible_acts
from pilotbase.catalogue.saving import save
from pilotbase.documents.api.records import SECTIONS
from pilotbase.documents.certificate import Acceptance
from pilotbase.documents.demand import WordedDemand
from pilotbase.documents.lifecycles import LIFECYCLES, states, transition
from pilotbase.documents.permissions import Act, Relation
from pilotbase.documents.record import Appeal, AppealDecision, Interest, JoinedDemand, Order, OrderLifting, Reviewer
from pilotbase.documents.states import DatasetState
from pilotbase.documents.subjects import verdicts_head
from pilotbase.documents.vocabularies import Role, Verdict
from pilotbase.worker.reactions.noticing import Noticing, Ways
from pilotbase.workspace.actors import actor
from pilotbase.workspace.failures import BusyError
from tests.catalogue.agreements_for_tests import AGREEMENT, DATASET, agreement, dataset
from tests.catalogue.records_for_tests import (
    APPLICATION,
    COMMISSION,
    DESK,
    MACHINE,
    NOW,
    OTHER_OWNER,
    OWNER,
    PLANNER,
    REGULATOR,
    REVIEWER,
    SCENARIO,
    SIGNER,
    SUPPLIER,
    approval,
    commission,
    proposal,
    report,
    scenario,
    version,
)
from tests.hub.sealed_for_tests import seal_hidden, use_attempt
from tests.hub.worlds_for_tests import world

PEOPLE = {
    "desk": DESK,
    "planner": PLANNER,
    "signer": SIGNER,
    "owner": OWNER,
    "supplier": SUPPLIER,
    "reviewer": REVIEWER,
    "regulator": REGULATOR,
}
WRITTEN = "hub.failed"
"""What an act answers here that was about to be written."""


def comes_by(**stops):
    """Declare at which states of which kinds of records a walk stops, as ``kind="state state"``: it must, each time."""

    def declare(walk):
        walk.stops = {(kind, state) for kind, named in stops.items() for state in named.split()}
        return walk

    return declare


class Checked:
    """A world in which every stop of a walk is looked at by everybody."""

    def __init__(self, made):
        self.world, self.trial = made, made.trial
        self.scenario, self.version = made.trial.scenario, made.trial.version
        self.clients = {who: made.client(who) for who in PEOPLE}
        self.tasks: dict[str, list[tuple[str, str]]] = {}
        self.seen: set[tuple[str, str]] = set()

    def do(self, who, subject, act, brings=None, **move):
        return self.trial.do(who, subject, act, brings, **move)

    def get(self, who, path):
        answer = self.clients[who].get(path)
        assert answer.status_code == 200, (who, path, answer.content[:300])
        return answer

    def look(self, *subjects):
        """Look at everybody's work; ``subjects``: the records that stand somewhere new."""
        work = {who: self.get(who, "/api/work").json() for who in PEOPLE}
        self.tasks = {who: [(one["subject"], one["act"]) for one in found["tasks"]] for who, found in work.items()}
        for who, found in work.items():
            for one in found["tasks"]:
                self.can_be_done(who, one["subject"], Act(one["act"]))
            for one in found["held"]:
                self.somebody_clears(who, one)
        for subject in subjects or (COMMISSION,):
            record = self.trial.record(subject)
            self.seen.add((record.kind, str(record.state)))
            self.goes_on(record)
            self.bars_hold(record)

    def can_be_done(self, who, subject, act):
        told = {one["act"]: one["obstacle"] for one in self.get(who, f"/api{address(subject)}/acts").json()}
        assert told[act] is None, (who, subject, act, told[act])
        self.get(who, f"{address(subject)}/")
        answer = self.post(who, subject, act)
        assert answer.json().get("code") == WRITTEN, (who, subject, act, answer.content[:400])

    def somebody_clears(self, who, item):
        bar = item["bar"]
        assert bar["reason"] and bar["hint"]
        if bar["code"] == "record.duties_mixed":
            others = [name for name, tasks in self.tasks.items() if (item["subject"], item["act"]) in tasks]
            assert others, f"{who} may not, and no colleague is asked: {item}"
            return
        assert bar["remedies"], f"nobody can clear it: {item}"
        for remedy in bar["remedies"]:
            told = [name for name, tasks in self.tasks.items() if (remedy["subject"], remedy["act"]) in tasks]
            assert any(remedy["role"] in PEOPLE[name].roles for name in told), f"nobody is told: {remedy} of {item}"

    def goes_on(self, record):
        """In each state somebody can move the record or make way for it, or the base moves it, or it is over."""
        rows = [row for row in LIFECYCLES[record.kind] if record.state in row.sources and row.target is not None]
        by_base = any(grant.relation is Relation.MACHINE for row in rows for grant in row.act.grants)
        moved = [
            one.act
            for who in PEOPLE.values()
            for one in possible_acts(self.trial.store.as_actor(who), record)
            if one.bar is None and transition(one.act).target not in (None, record.state)
        ]
        told = any(subject == record.subject for tasks in self.tasks.values() for subject, _ in tasks)
        assert moved or told or by_base or not rows, f"nobody moves {record.subject} out of {record.state}"

    def bars_hold(self, record):
        """What `acts` says is barred, the API refuses with the same reason: 409, or 422 where contents lack."""
        for who in PEOPLE:
            answer = self.clients[who].get(f"/api{address(record.subject)}/acts")
            for one in answer.json() if answer.status_code == 200 else ():
                if one["obstacle"] and one["brings"] in (None, "plan-proposal", "acceptance"):
                    refused = self.post(who, record.subject, Act(one["act"]))
                    assert refused.status_code in (409, 403, 422), (one, refused.content)
                    if refused.status_code == 403:
                        assert refused.json()["code"] == "record.duties_mixed"
                    if refused.status_code == 409:
                        assert refused.json()["title"] == one["obstacle"]

    def post(self, who, subject, act):
        """Post an act as its form or a program would, and take it back before it is written."""
        body, method, path = self.body(subject, act), "post", f"/api{address(subject)}/acts/{act}"
        if transition(act).brings in ("scenario", "application-version", "dataset", "demand"):
            method, path = "put", f"/api{address(subject)}?why_holds=true"
        with patch.object(advancing, "_write", side_effect=BusyError(WRITTEN, request="–")):
            return getattr(self.clients[who], method)(path, json.dumps(body), content_type="application/json")

    def body(self, subject, act):
        record, brings = self.trial.record(subject), transition(act).brings
        open_appeal = next((one.number for one in record.appeals if one.decision is None), 1)
        standing = next((one.number for one in record.orders if one.lifted_at is None), 1)
        decision = "declined" if act is Act.ACCEPTANCE_REFUSE else "accepted"
        made = {
            None: lambda: None,
            "commission": lambda: commission(self.scenario, self.version),
            "plan-proposal": lambda: self.proposal(record),
            "approval": lambda: approval(None),
            "reviewer": lambda: Reviewer(organisation="academy", person="p-other-reviewer"),
            "interest": lambda: Interest(has_interest=False),
            "acceptance": lambda: Acceptance(
                report=record.documents["report"], organisation="plant", decision=decision, at=NOW
            ),
            "appeal": lambda: Appeal(grounds="Unfair."),
            "appeal-decision": lambda: AppealDecision(number=open_appeal, upheld=False, reasons="Fair."),
            "order": lambda: Order(kind="rerun", reasons="Doubts.", deadline="2099-01-01"),
            "order-lifting": lambda: OrderLifting(number=standing),
            "scenario": lambda: self.fresh("cases-fresh.csv"),
            "application-version": lambda: version("9.9.9"),
            "dataset": lambda: dataset("9.0.0"),
            "demand": lambda: {"text": "They break more often.", "apart": "Another line."},
        }[brings]()
        if made is None:
            return {}
        return made if isinstance(made, dict) else made.to_json_value()

    def fresh(self, file):
        return self.scenario.model_copy(update={"data": self.scenario.data.model_copy(update={"file": file})})

    def proposal(self, record):
        made = proposal(self.scenario, self.version)
        return made.model_copy(
            update={"scenario_version": record.documents["scenario"], "folder": record.documents["folder"]}
        )

    def to_plan_review(self):
        self.trial.propose()
        self.trial.agree()
        self.do(OWNER, COMMISSION, Act.APPROVAL_FILE, approval(None))
        self.do(DESK, COMMISSION, Act.REVIEWER_NAME, Reviewer(organisation="institute", person="p-reviewer"))
        self.do(PLANNER, COMMISSION, Act.PLAN_DRAFT, proposal(self.scenario, self.version))

    def to_report(self, verdict=Verdict.ACCEPT):
        self.to_plan_review()
        self.trial.approve()
        self.trial.order_freeze()
        self.trial.freeze()
        self.trial.queue()
        self.trial.start()
        self.trial.report = report(self.trial.plan, verdict)
        self.trial.finish()

    def to_certificate(self):
        self.trial.accept()
        self.trial.sign()
        self.trial.issue()

    def refresh(self, file="cases-2.csv"):
        """Bring fresh data: the owner's new version, submitted and opened."""
        self.do(OWNER, SCENARIO, Act.SCENARIO_EDIT, self.fresh(file))
        yield
        self.do(OWNER, SCENARIO, Act.SCENARIO_SUBMIT)
        yield
        self.do(DESK, SCENARIO, Act.SCENARIO_OPEN)
        yield


def notices_of(walk, who):
    """Return the page of a person's notices after a round of noticing."""
    from pilotbase.hub.base import base

    Noticing(base(), Ways()).tell_changes()
    return walk.get(who, "/notices/").content.decode()


def address(subject):
    kind, _, name = subject.partition(":")
    return f"/{SECTIONS[kind]}/{name}"


@pytest.fixture
def walk(tmp_path, request):
    with world(tmp_path) as made:
        yield (walked := Checked(made))
    missed = request.function.stops - walked.seen
    assert not missed, f"the walk does not come by {sorted(missed)}, as it says"


@comes_by(
    agreement="agreed asked ended expired in_force offered revoked",
    application="draft submitted withdrawn",
    dataset="draft published withdrawn",
    organisation="registered",
    scenario="closed draft open review withdrawn",
)
@pytest.mark.prove
def test_scenarios_applications_datasets_and_agreements(walk):
    bare = walk.scenario.model_copy(update={"criteria": ()})
    walk.look("organisation:plant", "organisation:acme")
    walk.do(OWNER, SCENARIO, Act.SCENARIO_REGISTER, bare)
    walk.look(SCENARIO)
    assert walk.tasks["owner"] == [(SCENARIO, Act.SCENARIO_EDIT)], "it cannot be submitted before it is complete"
    walk.do(OWNER, SCENARIO, Act.SCENARIO_EDIT, walk.scenario)
    walk.look(SCENARIO)
    assert walk.tasks["owner"] == [(SCENARIO, Act.SCENARIO_SUBMIT)]
    walk.do(OWNER, SCENARIO, Act.SCENARIO_SUBMIT)
    walk.look(SCENARIO)
    walk.do(DESK, SCENARIO, Act.SCENARIO_OPEN)
    walk.do(SUPPLIER, APPLICATION, Act.APPLICATION_REGISTER, walk.version)
    walk.look(SCENARIO, APPLICATION)
    walk.do(SUPPLIER, APPLICATION, Act.APPLICATION_SUBMIT)
    walk.look(APPLICATION)
    walk.do(SUPPLIER, APPLICATION, Act.APPLICATION_WITHDRAW)
    walk.do(OWNER, SCENARIO, Act.SCENARIO_CLOSE)
    walk.do(OWNER, "scenario:plant/pumps", Act.SCENARIO_REGISTER, scenario(name="pumps"))
    walk.do(OWNER, "scenario:plant/pumps", Act.SCENARIO_WITHDRAW)
    walk.look(SCENARIO, APPLICATION, "scenario:plant/pumps")
    walk_datasets(walk)


@comes_by(demand="open joining joined taken_up withdrawn")
def test_demands_in_words(walk):
    for name in ("spindles", "belts"):
        said = WordedDemand(name=name, title=name, owner={"organisation": "plant"}, text=f"The {name} break.")
        walk.do(OWNER, f"demand:plant/{name}", Act.DEMAND_REGISTER, said)
    theirs = WordedDemand(name="wards", title="wards", owner={"organisation": "hospital"}, text="Spindles break.")
    walk.do(OTHER_OWNER, "demand:hospital/wards", Act.DEMAND_REGISTER, theirs)
    walk.do(OTHER_OWNER, "demand:hospital/wards", Act.DEMAND_JOIN, JoinedDemand(demand="demand:plant/spindles"))
    walk.look("demand:plant/spindles", "demand:hospital/wards")
    walk.do(OWNER, "demand:hospital/wards", Act.DEMAND_ADMIT)
    walk.look("demand:plant/spindles", "demand:hospital/wards")
    save(walk.trial.store.as_actor(OWNER), scenario(name="belts", demand="demand:plant/belts"))
    walk.do(OWNER, "demand:plant/spindles", Act.DEMAND_WITHDRAW)
    walk.look("demand:plant/spindles", "demand:plant/belts")


def walk_datasets(walk):
    what = dataset()
    walk.do(OWNER, DATASET, Act.DATASET_REGISTER, what.model_copy(update={"license": None}))
    walk.look(DATASET)
    assert (DATASET, Act.DATASET_EDIT) in walk.tasks["owner"]
    walk.do(OWNER, DATASET, Act.DATASET_EDIT, what)
    walk.look(DATASET)
    walk.do(OWNER, DATASET, Act.DATASET_PUBLISH)
    made = {name: f"agreement:{name}" for name in ("a2", "a3", "a4", "a5")}
    walk.do(OWNER, AGREEMENT, Act.AGREEMENT_OFFER, agreement(what))
    walk.do(SUPPLIER, made["a2"], Act.AGREEMENT_ASK, agreement(what))
    walk.look(DATASET, AGREEMENT, made["a2"])
    walk.do(SUPPLIER, AGREEMENT, Act.AGREEMENT_AGREE)
    walk.look(AGREEMENT)
    walk.do(MACHINE, AGREEMENT, Act.AGREEMENT_BEGIN)
    walk.look(AGREEMENT)
    walk.do(SUPPLIER, AGREEMENT, Act.AGREEMENT_END)
    walk.do(SUPPLIER, made["a3"], Act.AGREEMENT_TAKE, agreement(what))
    walk.do(OWNER, made["a3"], Act.AGREEMENT_REVOKE)
    walk.do(OWNER, made["a4"], Act.AGREEMENT_OFFER, agreement(what, ends="2026-05-01"))
    walk.do(SUPPLIER, made["a4"], Act.AGREEMENT_AGREE)
    expire(walk, made["a4"])
    walk.do(OWNER, made["a5"], Act.AGREEMENT_OFFER, agreement(what))
    walk.do(OWNER, DATASET, Act.DATASET_WITHDRAW)
    assert walk.trial.record(DATASET).state == DatasetState.WITHDRAWN
    walk.look(DATASET, AGREEMENT, *made.values())
    assert (made["a5"], Act.AGREEMENT_REVOKE) in walk.tasks["owner"], "an offer of what is withdrawn is taken back"
    assert (made["a5"], Act.AGREEMENT_AGREE) not in walk.tasks["supplier"]


def expire(walk, subject):
    store = walk.trial.store
    with patch.object(type(store.clock), "__call__", lambda _: NOW + timedelta(days=2)):
        walk.do(MACHINE, subject, Act.AGREEMENT_EXPIRE)


@pytest.mark.prove
@comes_by(
    commission="agreed consent countered freezing frozen judging plan_approved plan_review proposed queued reported "
    "running"
)
def test_a_trial_from_its_proposal_to_its_report(walk):
    trial = walk.trial
    trial.propose()
    walk.look()
    walk.do(OWNER, COMMISSION, Act.COMMISSION_COUNTER, commission(walk.scenario, walk.version, scope="Two."))
    walk.look()
    walk.do(SUPPLIER, COMMISSION, Act.COMMISSION_CONCEDE)
    walk.look()
    walk.do(PLANNER, COMMISSION, Act.PLAN_DRAFT, proposal(walk.scenario, walk.version))
    walk.look()
    assert (COMMISSION, Act.REVIEWER_NAME) in walk.tasks["desk"]
    walk.do(DESK, COMMISSION, Act.REVIEWER_NAME, Reviewer(organisation="institute", person="p-reviewer"))
    walk.look()
    assert walk.tasks["reviewer"] == [(COMMISSION, Act.INTEREST_DECLARE)], "nobody reviews who has not declared"
    walk.do(REVIEWER, COMMISSION, Act.INTEREST_DECLARE, Interest(has_interest=True, explanation="A share."))
    walk.look()
    assert walk.tasks["reviewer"] == []
    assert (COMMISSION, Act.REVIEWER_NAME) in walk.tasks["desk"], "another reviewer is needed"
    other = actor("academy", Role.REVIEWER, person="p-other-reviewer")
    walk.do(DESK, COMMISSION, Act.REVIEWER_NAME, Reviewer(organisation="academy", person="p-other-reviewer"))
    walk.do(other, COMMISSION, Act.INTEREST_DECLARE, Interest(has_interest=False))
    walk.do(other, COMMISSION, Act.PLAN_APPROVE)
    walk.look()
    assert (COMMISSION, Act.APPROVAL_FILE) in walk.tasks["owner"], "the freeze waits for it"
    assert (COMMISSION, Act.PLAN_FREEZE) not in walk.tasks["planner"]
    walk.do(OWNER, COMMISSION, Act.APPROVAL_FILE, approval("2026-05-02"))
    walk.do(PLANNER, COMMISSION, Act.PLAN_FREEZE)
    walk.look()
    trial.freeze()
    walk.look()
    assert (COMMISSION, Act.APPROVAL_FILE) in walk.tasks["owner"], "it has expired since: the frozen trial waits for it"
    walk.do(OWNER, COMMISSION, Act.APPROVAL_FILE, approval(None))
    walk.look()
    assert (COMMISSION, Act.TRIAL_QUEUE) in walk.tasks["planner"]
    for step in (trial.queue, trial.start, trial.hold):
        step()
        walk.look()
    assert (COMMISSION, Act.CONSENT_GIVE) in walk.tasks["supplier"]
    walk.do(SUPPLIER, COMMISSION, Act.CONSENT_GIVE)
    trial.start()
    walk.do(MACHINE, COMMISSION, Act.TRIAL_JUDGE)
    walk.look()
    with trial.store.as_actor(MACHINE).transaction("test.verdicts") as change:
        change.set_head(verdicts_head(trial.plan.digest()), trial.plan.digest(), expected=None)
    walk.do(OWNER, COMMISSION, Act.TRIAL_JUDGED)
    trial.start()
    trial.finish()
    walk.look()
    walk.do(SUPPLIER, COMMISSION, Act.APPEAL_FILE, Appeal(grounds="Slow."))
    walk.look()
    assert (COMMISSION, Act.ACCEPTANCE_GIVE) not in walk.tasks["owner"], "an appeal is open"
    assert (COMMISSION, Act.APPEAL_DECIDE) in walk.tasks["desk"]


@comes_by(commission="cancelled rectification refused reported")
@pytest.mark.prove
def test_a_rejected_trial_waits_for_no_acceptance(walk):
    walk.to_report(Verdict.REJECT)
    walk.look()
    assert walk.tasks["owner"] == [(COMMISSION, Act.ACCEPTANCE_REFUSE)]
    page = walk.get("supplier", "/trials/c1/").content.decode().partition("Waiting for")[2].partition("</ul>")[0]
    assert page.index("Decline the result") < page.index("“Accept the result” depends on this")
    declined = Acceptance(report=walk.trial.report.digest(), organisation="plant", decision="declined", at=NOW)
    walk.do(OWNER, COMMISSION, Act.ACCEPTANCE_REFUSE, declined)
    walk.look()
    walk.do(OWNER, COMMISSION, Act.RECTIFICATION_ASK)
    walk.look()
    assert walk.tasks["supplier"] == [(APPLICATION, Act.APPLICATION_EDIT)]
    walk.do(SUPPLIER, APPLICATION, Act.APPLICATION_EDIT, version("1.1.0"))
    walk.look()
    assert walk.tasks["supplier"] == [(APPLICATION, Act.APPLICATION_SUBMIT)]
    walk.do(SUPPLIER, APPLICATION, Act.APPLICATION_SUBMIT)
    walk.look()
    assert walk.tasks["supplier"] == [(COMMISSION, Act.RECTIFICATION_SUBMIT)]
    walk.do(SUPPLIER, APPLICATION, Act.APPLICATION_WITHDRAW)
    walk.look()
    assert (COMMISSION, Act.COMMISSION_CANCEL) in walk.tasks["owner"], "nothing can be handed in any more"
    walk.do(OWNER, COMMISSION, Act.COMMISSION_CANCEL)
    walk.look()


@pytest.mark.prove
@comes_by(commission="accepted certified reported retest signing suspended", scenario="draft open review")
def test_a_suspended_certificate_whose_attempts_are_used_waits_for_its_owner(walk):
    walk.to_report()
    walk.look()
    walk.trial.accept()
    walk.look()
    walk.do(REGULATOR, COMMISSION, Act.ORDER_GIVE, Order(kind="suspension", reasons="Wait.", deadline="2099-01-01"))
    walk.look()
    assert (COMMISSION, Act.ORDER_LIFT) in walk.tasks["regulator"], "nothing is signed until it is lifted"
    walk.do(REGULATOR, COMMISSION, Act.ORDER_LIFT, OrderLifting(number=1))
    walk.look()
    walk.trial.sign()
    walk.look()
    walk.trial.issue()
    walk.do(REGULATOR, COMMISSION, Act.ORDER_GIVE, Order(kind="rerun", reasons="Doubts.", deadline="2099-01-01"))
    walk.look()
    assert (COMMISSION, Act.CERTIFICATE_SUSPEND) in walk.tasks["desk"], "a re-run begins with it"
    hidden = seal_hidden(walk.world, attempts=1)
    use_attempt(hidden, "first")
    walk.do(MACHINE, COMMISSION, Act.CERTIFICATE_SUSPEND)
    walk.do(MACHINE, COMMISSION, Act.RETRIAL_ASK)
    walk.look()
    assert (COMMISSION, Act.TRIAL_REPEAT) not in walk.tasks["desk"]
    assert walk.tasks["owner"] == [(SCENARIO, Act.SCENARIO_EDIT)], "the owner alone can bring fresh data"
    told = notices_of(walk, "owner")
    assert "“Repeat the trial” is blocked until someone takes the step “Make a new version of the scenario”" in told
    assert "Overdue since 2026-05-11: Repeat the trial" not in notices_of(walk, "desk"), "it is barred"
    refused = walk.clients["desk"].post("/api/trials/c1/acts/trial.repeat", "{}", content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (409, "trial.no_attempts_left")
    assert walk.trial.record().state == "suspended", "the API refuses what is barred"
    steps = iter(walk.refresh())
    next(steps)
    walk.look(SCENARIO)
    assert walk.tasks["owner"] == [(SCENARIO, Act.SCENARIO_SUBMIT)]
    next(steps)
    walk.look(SCENARIO)
    assert (SCENARIO, Act.SCENARIO_OPEN) in walk.tasks["desk"]
    next(steps)
    walk.look(SCENARIO)
    assert (COMMISSION, Act.TRIAL_REPEAT) in walk.tasks["desk"]
    repeated = walk.do(DESK, COMMISSION, Act.TRIAL_REPEAT)
    assert repeated.documents["scenario"] == walk.fresh("cases-2.csv").digest(), "it is tried on the fresh data"
    walk.look()


@comes_by(commission="revoked suspended")
@pytest.mark.prove
def test_where_nobody_can_bring_fresh_data_the_certificate_is_revoked(walk):
    walk.to_report()
    walk.to_certificate()
    use_attempt(seal_hidden(walk.world, attempts=1), "first")
    walk.do(OWNER, SCENARIO, Act.SCENARIO_CLOSE)
    walk.do(MACHINE, COMMISSION, Act.CERTIFICATE_SUSPEND)
    walk.do(MACHINE, COMMISSION, Act.RETRIAL_ASK)
    walk.look()
    assert (COMMISSION, Act.CERTIFICATE_REVOKE) in walk.tasks["desk"]
    walk.do(DESK, COMMISSION, Act.CERTIFICATE_REVOKE)
    walk.look()


@comes_by(commission="agreed cancelled plan_approved", scenario="draft open review")
@pytest.mark.prove
def test_a_plan_on_used_up_data_is_returned_and_drawn_up_on_fresh_ones(walk):
    walk.to_plan_review()
    walk.trial.approve()
    use_attempt(seal_hidden(walk.world, attempts=1), "another supplier's")
    walk.look()
    assert (COMMISSION, Act.PLAN_FREEZE) not in walk.tasks["planner"]
    assert walk.tasks["owner"] == [(SCENARIO, Act.SCENARIO_EDIT)]
    for _ in walk.refresh():
        walk.look(SCENARIO)
    assert (COMMISSION, Act.PLAN_RETURN) in walk.tasks["planner"]
    returned = walk.do(PLANNER, COMMISSION, Act.PLAN_RETURN)
    assert returned.documents["scenario"] == walk.fresh("cases-2.csv").digest()
    walk.look()
    walk.do(OWNER, COMMISSION, Act.COMMISSION_CANCEL)
    walk.look()


@comes_by(commission="declined")
def test_a_proposal_is_declined(walk):
    walk.trial.propose()
    walk.do(OWNER, COMMISSION, Act.COMMISSION_DECLINE)
    walk.look()


def test_the_walks_come_by_every_state():
    """Each walk is held to what it declares by its fixture, wherever it runs."""
    declared = [one.stops for name, one in globals().items() if name.startswith("test_") and hasattr(one, "stops")]
    assert set().union(*declared) == {(kind, str(state)) for kind in LIFECYCLES for state in states(kind)}
