"""Who may do what: every act by every role in every relation, against a table written by hand.

The table below was written from the issue and the design, not from the code. A letter says that the act goes through:

    o  operator's person            m  the base's own process
    D  the demand owner of it       d  another demand owner
    S  the supplier of it           s  another supplier
    R  the reviewer named for it    r  another reviewer (and a colleague of the named one)
    g  regulator                    v  a visitor
    x  people of the right organisation in the wrong role
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from pilotbase.catalogue.advancing import Move, advance, possible_acts
from pilotbase.documents.certificate import Acceptance
from pilotbase.documents.demand import WordedDemand
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.lifecycles import transition
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Interest, JoinedDemand, MadeScenario, Reviewer
from pilotbase.documents.subjects import Organisation, verdicts_head
from pilotbase.documents.vocabularies import Role
from pilotbase.workspace.actors import PUBLIC, actor, parties
from pilotbase.workspace.failures import NotFoundError
from tests.catalogue.agreements_for_tests import AGREEMENT, DATASET, agree, agreement, dataset, publish
from tests.catalogue.records_for_tests import (
    APPLICATION,
    COMMISSION,
    DESK,
    MACHINE,
    NOW,
    OTHER_OWNER,
    OTHER_REVIEWER,
    OTHER_SUPPLIER,
    OWNER,
    REGULATOR,
    REVIEWER,
    SCENARIO,
    SUPPLIER,
    VISITOR,
    Appeal,
    AppealDecision,
    Order,
    OrderLifting,
    Result,
    Trial,
    approval,
    asked,
    commission,
    digest,
    proposal,
    version,
)

PEOPLE = {
    "o": [actor("base", Role.OPERATOR, person="p-someone-else")],
    "m": [MACHINE],
    "D": [actor("plant", Role.DEMAND_OWNER, person="p-colleague")],
    "d": [OTHER_OWNER],
    "S": [SUPPLIER],
    "s": [OTHER_SUPPLIER],
    "R": [REVIEWER],
    "r": [OTHER_REVIEWER, actor("institute", Role.REVIEWER, person="p-colleague-of-reviewer")],
    "g": [REGULATOR],
    "v": [VISITOR],
    "x": [
        actor("plant", Role.SUPPLIER, person="p-x"),
        actor("plant", Role.REVIEWER, person="p-reviewer"),
        actor("acme", Role.DEMAND_OWNER, person="p-x"),
        actor("acme", Role.REVIEWER, person="p-supplier"),
        actor("institute", Role.SUPPLIER, Role.DEMAND_OWNER, person="p-reviewer"),
        actor("base", Role.SUPPLIER, Role.DEMAND_OWNER, Role.REVIEWER, person="p-x"),
        actor("ministry", Role.DEMAND_OWNER, Role.SUPPLIER, Role.REVIEWER, person="p-x"),
    ],
}

DEMAND, HOST_DEMAND = "demand:plant/spindles", "demand:hospital/wards"
DEMANDED = WordedDemand(name="spindles", title="Spindles", owner={"organisation": "plant"}, text="Spindles break.")
MAY = {
    "organisation.register": "om",
    "organisation.edit": "o",
    "organisation.declare": "Sxx",
    "demand.register": "D",
    "demand.edit": "D",
    "demand.take_up": "m",
    "demand.join": "D",
    "demand.admit": "d",
    "demand.decline": "d",
    "demand.leave": "D",
    "demand.withdraw": "oD",
    "scenario.register": "oD",
    "scenario.edit": "oD",
    "scenario.submit": "D",
    "scenario.return": "o",
    "scenario.open": "o",
    "scenario.close": "oD",
    "scenario.withdraw": "D",
    "application.register": "S",
    "application.edit": "S",
    "application.rehearse": "S",
    "application.rehearsed": "m",
    "application.board": "S",
    "application.stop": "oS",
    "application.submit": "S",
    "application.withdraw": "S",
    "commission.propose": "S",
    "commission.counter": "D",
    "commission.revise": "S",
    "commission.agree": "D",
    "commission.concede": "S",
    "commission.decline": "oDS",
    "commission.cancel": "oDS",
    "approval.file": "oDS",
    "reviewer.name": "o",
    "reviewer.release": "o",
    "interest.declare": "R",
    "plan.draft": "o",
    "plan.return": "oR",
    "plan.approve": "R",
    "plan.freeze": "o",
    "plan.frozen": "m",
    "plan.refused": "m",
    "trial.queue": "o",
    "trial.start": "m",
    "trial.stop": "o",
    "trial.fail": "m",
    "trial.report": "m",
    "trial.hold": "m",
    "trial.judge": "m",
    "trial.judged": "D",
    "consent.give": "S",
    "consent.refuse": "oS",
    "trial.repeat": "o",
    "retrial.ask": "m",
    "report.review": "R",
    "rectification.ask": "oD",
    "rectification.submit": "S",
    "acceptance.give": "D",
    "acceptance.refuse": "D",
    "certificate.sign": "o",
    "certificate.issue": "m",
    "certificate.fail": "m",
    "certificate.suspend": "om",
    "certificate.reinstate": "o",
    "certificate.revoke": "o",
    "appeal.file": "DS",
    "appeal.decide": "o",
    "order.give": "g",
    "order.lift": "g",
    "dataset.register": "D",
    "dataset.edit": "D",
    "dataset.publish": "D",
    "dataset.revise": "D",
    "dataset.withdraw": "oD",
    "agreement.offer": "D",
    "agreement.take": "S",
    "agreement.ask": "S",
    "agreement.agree": "S",
    "agreement.grant": "D",
    "agreement.begin": "m",
    "agreement.expire": "m",
    "agreement.revoke": "oD",
    "agreement.release": "oD",
    "agreement.end": "S",
}

SEES = {
    "demand": "omDg",
    "scenario": "omDg",
    "application": "omSg",
    "commission": "omDSRg",
    "organisation": "omSg",
    "dataset": "omDg",
    "agreement": "omDSg",
}
"""Who sees the record at all; for all others it does not exist. The named reviewer's colleagues see the commission."""


def test_the_table_by_hand_speaks_of_every_act():
    assert set(MAY) == {act.value for act in Act}


def walk(trial: Trial) -> Iterator[tuple[str, tuple[Act, ...]]]:
    """Take a trial through its states; yield a subject and the acts that can be tried where it stands."""
    operator = PEOPLE["o"][0]
    yield "organisation:acme", (Act.ORGANISATION_REGISTER,)
    trial.register("acme", Role.SUPPLIER)
    yield "organisation:acme", (Act.ORGANISATION_EDIT, Act.ORGANISATION_DECLARE)
    yield DEMAND, (Act.DEMAND_REGISTER,)
    trial.do(OWNER, DEMAND, Act.DEMAND_REGISTER, DEMANDED)
    yield DEMAND, (Act.DEMAND_EDIT, Act.DEMAND_TAKE_UP, Act.DEMAND_WITHDRAW)
    theirs = WordedDemand(name="wards", title="Wards", owner={"organisation": "hospital"}, text="Patients fall.")
    trial.do(OTHER_OWNER, HOST_DEMAND, Act.DEMAND_REGISTER, theirs)
    yield DEMAND, (Act.DEMAND_JOIN,)
    trial.do(OWNER, DEMAND, Act.DEMAND_JOIN, JoinedDemand(demand=HOST_DEMAND))
    yield DEMAND, (Act.DEMAND_ADMIT, Act.DEMAND_DECLINE, Act.DEMAND_LEAVE)
    yield from walk_scenario(trial)
    yield from walk_agreement(trial)
    yield APPLICATION, (Act.APPLICATION_REGISTER,)
    trial.do(SUPPLIER, APPLICATION, Act.APPLICATION_REGISTER, trial.version)
    elsewhere = (Act.APPLICATION_REGISTER, Act.APPLICATION_STOP)
    yield APPLICATION, tuple(act for act in Act if act.startswith("application.") and act not in elsewhere)
    trial.do(SUPPLIER, APPLICATION, Act.APPLICATION_REHEARSE)
    yield APPLICATION, (Act.APPLICATION_STOP,)
    trial.do(SUPPLIER, APPLICATION, Act.APPLICATION_SUBMIT)
    yield from walk_terms(trial)
    yield from walk_to_report(trial)
    trial.do(SUPPLIER, COMMISSION, Act.APPEAL_FILE, Appeal(grounds="Unfair."))
    trial.do(REGULATOR, COMMISSION, Act.ORDER_GIVE, Order(kind="rerun", reasons="Doubts.", deadline="2026-06-01"))
    yield COMMISSION, (Act.APPEAL_DECIDE, Act.ORDER_LIFT, Act.TRIAL_REPEAT)
    trial.do(REGULATOR, COMMISSION, Act.ORDER_LIFT, OrderLifting(number=1))
    trial.do(DESK, COMMISSION, Act.APPEAL_DECIDE, AppealDecision(number=1, upheld=False, reasons="Fair."))
    trial.accept()
    yield COMMISSION, (Act.CERTIFICATE_SIGN,)
    trial.sign()
    trial.store.as_actor(MACHINE).put(trial.certificate, PUBLIC, "test.certificate")
    yield COMMISSION, (Act.CERTIFICATE_ISSUE, Act.CERTIFICATE_FAIL)
    trial.do(MACHINE, COMMISSION, Act.CERTIFICATE_ISSUE, Result(made=trial.certificate.digest()))
    yield COMMISSION, (Act.CERTIFICATE_SUSPEND, Act.CERTIFICATE_REVOKE)
    trial.do(operator, COMMISSION, Act.CERTIFICATE_SUSPEND)
    yield COMMISSION, (Act.CERTIFICATE_REINSTATE, Act.RETRIAL_ASK)
    trial.do(OWNER, COMMISSION, Act.RECTIFICATION_ASK)
    trial.submit_application(version("1.1.0"))
    yield COMMISSION, (Act.RECTIFICATION_SUBMIT,)


def walk_scenario(trial: Trial) -> Iterator[tuple[str, tuple[Act, ...]]]:
    yield SCENARIO, (Act.SCENARIO_REGISTER,)
    trial.do(OWNER, SCENARIO, Act.SCENARIO_REGISTER, trial.scenario)
    yield SCENARIO, (Act.SCENARIO_EDIT, Act.SCENARIO_SUBMIT, Act.SCENARIO_WITHDRAW)
    trial.do(OWNER, SCENARIO, Act.SCENARIO_SUBMIT)
    yield SCENARIO, (Act.SCENARIO_RETURN, Act.SCENARIO_OPEN)
    trial.do(PEOPLE["o"][0], SCENARIO, Act.SCENARIO_OPEN)
    yield SCENARIO, (Act.SCENARIO_CLOSE,)


def walk_agreement(trial: Trial) -> Iterator[tuple[str, tuple[Act, ...]]]:
    what, clock = dataset(), trial.store.clock
    yield DATASET, (Act.DATASET_REGISTER,)
    trial.do(OWNER, DATASET, Act.DATASET_REGISTER, what)
    yield DATASET, (Act.DATASET_EDIT, Act.DATASET_PUBLISH)
    trial.do(OWNER, DATASET, Act.DATASET_PUBLISH)
    yield DATASET, (Act.DATASET_REVISE, Act.DATASET_WITHDRAW)
    yield AGREEMENT, (Act.AGREEMENT_OFFER, Act.AGREEMENT_TAKE, Act.AGREEMENT_ASK)
    trial.do(SUPPLIER, "agreement:a2", Act.AGREEMENT_ASK, agreement(what))
    yield "agreement:a2", (Act.AGREEMENT_GRANT,)
    trial.do(OWNER, AGREEMENT, Act.AGREEMENT_OFFER, agreement(what, ends="2026-05-01"))
    yield AGREEMENT, (Act.AGREEMENT_AGREE,)
    trial.do(SUPPLIER, AGREEMENT, Act.AGREEMENT_AGREE)
    yield AGREEMENT, (Act.AGREEMENT_BEGIN, Act.AGREEMENT_REVOKE, Act.AGREEMENT_RELEASE, Act.AGREEMENT_END)
    before = clock.now
    clock.now = before + timedelta(days=1)
    yield AGREEMENT, (Act.AGREEMENT_EXPIRE,)
    clock.now = before


def walk_terms(trial: Trial) -> Iterator[tuple[str, tuple[Act, ...]]]:
    yield COMMISSION, (Act.COMMISSION_PROPOSE,)
    terms = commission(trial.scenario, trial.version)
    trial.do(SUPPLIER, COMMISSION, Act.COMMISSION_PROPOSE, terms)
    yield COMMISSION, (Act.COMMISSION_COUNTER, Act.COMMISSION_REVISE, Act.COMMISSION_AGREE, Act.COMMISSION_DECLINE)
    trial.do(OWNER, COMMISSION, Act.COMMISSION_COUNTER, commission(trial.scenario, trial.version, scope="Two."))
    yield COMMISSION, (Act.COMMISSION_CONCEDE,)
    trial.do(SUPPLIER, COMMISSION, Act.COMMISSION_REVISE, terms)
    trial.agree()
    yield COMMISSION, (Act.PLAN_DRAFT,)


def walk_to_report(trial: Trial) -> Iterator[tuple[str, tuple[Act, ...]]]:
    trial.prepare()
    trial.do(REVIEWER, COMMISSION, Act.INTEREST_DECLARE, Interest(has_interest=False))
    yield (
        COMMISSION,
        (
            Act.COMMISSION_CANCEL,
            Act.APPROVAL_FILE,
            Act.REVIEWER_NAME,
            Act.REVIEWER_RELEASE,
            Act.INTEREST_DECLARE,
            Act.PLAN_RETURN,
            Act.PLAN_APPROVE,
        ),
    )
    trial.do(REVIEWER, COMMISSION, Act.PLAN_APPROVE)
    yield COMMISSION, (Act.PLAN_FREEZE,)
    trial.order_freeze()
    with trial.store.as_actor(MACHINE).transaction("test.results") as change:
        change.put(trial.plan, parties("acme"), owner="plant")
        change.put(trial.report, parties(), owner="plant")
    yield COMMISSION, (Act.PLAN_FROZEN, Act.PLAN_REFUSED)
    trial.do(MACHINE, COMMISSION, Act.PLAN_FROZEN, Result(made=trial.plan.digest()))
    yield COMMISSION, (Act.TRIAL_QUEUE,)
    trial.queue()
    yield COMMISSION, (Act.TRIAL_START, Act.TRIAL_STOP, Act.TRIAL_FAIL)
    trial.start()
    yield COMMISSION, (Act.TRIAL_REPORT, Act.TRIAL_HOLD, Act.TRIAL_JUDGE)
    trial.hold()
    yield COMMISSION, (Act.CONSENT_GIVE, Act.CONSENT_REFUSE)
    trial.do(SUPPLIER, COMMISSION, Act.CONSENT_GIVE)
    trial.start()
    trial.do(MACHINE, COMMISSION, Act.TRIAL_JUDGE)
    with trial.store.as_actor(MACHINE).transaction("test.verdicts") as change:
        change.set_head(verdicts_head(trial.plan.digest()), trial.plan.digest(), expected=None)
    yield COMMISSION, (Act.TRIAL_JUDGED, Act.TRIAL_STOP)
    trial.do(OWNER, COMMISSION, Act.TRIAL_JUDGED)
    trial.start()
    trial.do(MACHINE, COMMISSION, Act.TRIAL_REPORT, Result(made=trial.report.digest()))
    yield (
        COMMISSION,
        (
            Act.REPORT_REVIEW,
            Act.RECTIFICATION_ASK,
            Act.ACCEPTANCE_GIVE,
            Act.ACCEPTANCE_REFUSE,
            Act.APPEAL_FILE,
            Act.ORDER_GIVE,
        ),
    )


def brought(trial: Trial, act: Act):
    """Return what a well-prepared person hands in with ``act``."""
    decision = "declined" if act is Act.ACCEPTANCE_REFUSE else "accepted"
    made = {
        Act.PLAN_FROZEN: trial.plan.digest(),
        Act.TRIAL_REPORT: trial.report.digest(),
        Act.CERTIFICATE_ISSUE: trial.certificate.digest(),
        Act.APPLICATION_REHEARSED: digest("rehearsal"),
    }
    return {
        None: None,
        "demand": DEMANDED,
        "made-scenario": MadeScenario(scenario=SCENARIO),
        "joined-demand": JoinedDemand(demand=HOST_DEMAND),
        "organisation": Organisation(name="acme", title="Acme", roles=(Role.SUPPLIER,), related=("globex",)),
        "scenario": trial.scenario,
        "application-version": trial.version,
        "commission": commission(trial.scenario, trial.version),
        "plan-proposal": proposal(trial.scenario, trial.version),
        "approval": approval(),
        "reviewer": Reviewer(organisation="institute", person="p-reviewer"),
        "interest": Interest(has_interest=False),
        "acceptance": Acceptance(report=trial.report.digest(), organisation="plant", decision=decision, at=NOW),
        "appeal": Appeal(grounds="Unfair."),
        "appeal-decision": AppealDecision(number=1, upheld=True, reasons="Right."),
        "order": Order(kind="rerun", reasons="Doubts.", deadline="2026-06-01"),
        "order-lifting": OrderLifting(number=1),
        "dataset": dataset("1.1.0" if act is Act.DATASET_REVISE else "1.0.0"),
        "agreement": agreement(dataset()),
        "consent-asked": asked(trial.plan),
        "result": Result(made=made.get(act, digest("nothing"))),
    }[transition(act).brings]


@pytest.mark.parametrize("of", [3, pytest.param(1, marks=pytest.mark.prove)])
def test_exactly_those_may_whom_the_table_by_hand_names(any_trial, monkeypatch, of):
    """In the quick suite each third act of a state is tried."""
    trial, found = any_trial, {}
    view_of_all = trial.store.as_actor(MACHINE)
    for subject, acts in walk(trial):
        before = view_of_all.head(f"record:{subject}")
        for act in [*acts][::of]:
            move = Move(brought(trial, act))
            found[act.value] = "".join(
                letter
                for letter, people in PEOPLE.items()
                for person in people
                if _goes_through(trial, person, subject, act, move, monkeypatch)
            )
        assert view_of_all.head(f"record:{subject}") == before
    assert found == (MAY if of == 1 else {act: MAY[act] for act in found})


class RolledBackError(Exception):
    """Raised at the end of a transaction that a test only tries out."""


def _goes_through(trial: Trial, person, subject: str, act: Act, move: Move, monkeypatch) -> bool:
    """Try the step and undo it: the transaction is broken off at its end."""

    def break_off(*_):
        raise RolledBackError

    with monkeypatch.context() as patch:
        patch.setattr("pilotbase.catalogue.writing.put_listing", break_off)
        try:
            advance(trial.store.as_actor(person), subject, act, move)
        except RolledBackError:
            return True
        except PilotbaseError as error:
            assert error.code in {"record.not_permitted", "record.not_found", "record.not_payer"}, (person, error)
    return False


@pytest.mark.one_in(3)
@pytest.mark.parametrize("kind", SEES)
def test_a_record_that_is_not_theirs_does_not_exist_for_them(any_trial, kind):
    trial = any_trial
    trial.reach("plan_review")
    trial.register("acme", Role.SUPPLIER)
    agree(trial, publish(trial, dataset()))
    trial.do(OWNER, DEMAND, Act.DEMAND_REGISTER, DEMANDED)
    subject = {
        "demand": DEMAND,
        "scenario": SCENARIO,
        "application": APPLICATION,
        "commission": COMMISSION,
        "organisation": "organisation:acme",
        "dataset": DATASET,
        "agreement": AGREEMENT,
    }[kind]
    act = {
        "demand": Act.DEMAND_WITHDRAW,
        "scenario": Act.SCENARIO_CLOSE,
        "application": Act.APPLICATION_WITHDRAW,
        "commission": Act.COMMISSION_CANCEL,
        "organisation": Act.ORGANISATION_DECLARE,
        "dataset": Act.DATASET_WITHDRAW,
        "agreement": Act.AGREEMENT_END,
    }[kind]
    record = trial.record(subject)
    for letter, people in PEOPLE.items():
        if letter == "x":
            continue  # they sit in organisations that do see it
        view = trial.store.as_actor(people[0])
        sees = view.head(f"record:{subject}") is not None
        assert sees == (letter in SEES[kind]), (letter, kind)
        if sees:
            continue
        with pytest.raises(NotFoundError) as hidden:
            advance(view, subject, act)
        with pytest.raises(NotFoundError) as missing:
            advance(view, f"{subject}-none", act)
        assert hidden.value.render().replace(subject, "X") == missing.value.render().replace(f"{subject}-none", "X")
        assert view.get(record.digest()) is None


def test_a_page_offers_exactly_what_goes_through_from_the_state(trial):
    record = trial.reach("reported")
    offered = {
        letter: {str(one.act) for one in possible_acts(trial.store.as_actor(people[0]), record) if not one.obstacle}
        for letter, people in PEOPLE.items()
    }
    assert offered["D"] == {"acceptance.give", "acceptance.refuse", "rectification.ask", "appeal.file"}
    assert offered["S"] == {"appeal.file"}
    assert offered["g"] == {"order.give"}
    assert offered["R"] == {"interest.declare", "report.review"}
    assert offered["v"] == offered["s"] == offered["d"] == offered["r"] == set()
    repeat = [one for one in possible_acts(trial.store.as_actor(PEOPLE["o"][0]), record) if one.act is Act.TRIAL_REPEAT]
    assert repeat[0].obstacle.code == "record.no_cause_to_repeat"
