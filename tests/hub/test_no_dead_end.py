"""No dead end: in every state of every record each task can be carried out, and whoever can clear a bar is told.

The walks come by every state. In each, every person's tasks are asked for over the API; each is posted as the person
would post it, up to the write, which a test takes back; what is barred is refused with the reason.
"""

from datetime import timedelta
from unittest.mock import patch

import pytest

from pilotbase.catalogue.saving import save
from pilotbase.documents.certificate import Acceptance
from pilotbase.documents.demand import WordedDemand
from pilotbase.documents.lifecycles import LIFECYCLES, states
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Appeal, Interest, JoinedDemand, Order, OrderLifting, Reviewer
from pilotbase.documents.states import DatasetState
from pilotbase.documents.subjects import verdicts_head
from pilotbase.documents.vocabularies import Role, Verdict
from pilotbase.workspace.actors import actor
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
    SUPPLIER,
    approval,
    commission,
    proposal,
    scenario,
    version,
)
from tests.hub.sealed_for_tests import seal_hidden, use_attempt
from tests.hub.walked_for_tests import Checked, notices_of
from tests.hub.worlds_for_tests import world


def comes_by(**stops):
    """Declare at which states of which kinds of records a walk stops, as ``kind="state state"``: it must, each time."""

    def declare(walk):
        walk.stops = {(kind, state) for kind, named in stops.items() for state in named.split()}
        return walk

    return declare


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
