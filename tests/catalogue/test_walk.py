"""A whole trial on its record: each step by whose work it is, on both databases, and what everybody then sees."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from pilotbase.catalogue.advancing import StaleEditError, possible_acts
from pilotbase.catalogue.saving import save
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Appeal, AppealDecision, Order, OrderLifting
from pilotbase.documents.vocabularies import Verdict
from pilotbase.workspace.checks.reconciliation import verify_store
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import Query, count
from pilotbase.workspace.log.offline import verify_log
from tests.catalogue.records_for_tests import (
    APPLICATION,
    COMMISSION,
    DESK,
    MACHINE,
    OTHER_SUPPLIER,
    OWNER,
    PLANNER,
    REGULATOR,
    REVIEWER,
    SCENARIO,
    SIGNER,
    SUPPLIER,
    VISITOR,
    approval,
    proposal,
    report,
    scenario,
    version,
)


def refused(code, act, *arguments, kind=RefusedError, **more):
    with pytest.raises(kind) as caught:
        act(*arguments, **more)
    assert caught.value.code == code
    caught.value.render("en"), caught.value.render("zh")
    return caught.value


def test_from_proposal_to_certificate_appeal_and_suspension(any_trial):
    trial = any_trial
    record = trial.reach("certified")
    assert [step.act for step in record.history][-3:] == ["acceptance.give", "certificate.sign", "certificate.issue"]
    assert record.documents["report"] == trial.report.digest()

    trial.do(SUPPLIER, COMMISSION, Act.APPEAL_FILE, Appeal(grounds="Case labels were wrong."))
    order = Order(kind="suspension", reasons="Complaints.", deadline="2026-05-03")
    trial.do(REGULATOR, COMMISSION, Act.ORDER_GIVE, order)
    waits = {(wait.act, str(wait.due)[:10]) for wait in trial.record().waits}
    assert waits == {("appeal.decide", "2026-05-16"), ("certificate.suspend", "2026-05-03")}

    assert trial.do(DESK, COMMISSION, Act.CERTIFICATE_SUSPEND).state == "suspended"
    refused("record.suspension_ordered", trial.do, DESK, COMMISSION, Act.CERTIFICATE_REINSTATE)
    trial.do(REGULATOR, COMMISSION, Act.ORDER_LIFT, OrderLifting(number=1))
    refused("record.appeal_open", trial.do, DESK, COMMISSION, Act.CERTIFICATE_REINSTATE)
    decision = AppealDecision(number=1, upheld=False, reasons="Labels were checked twice.")
    trial.do(DESK, COMMISSION, Act.APPEAL_DECIDE, decision)
    assert trial.do(DESK, COMMISSION, Act.CERTIFICATE_REINSTATE).state == "certified"
    assert trial.do(DESK, COMMISSION, Act.CERTIFICATE_REVOKE, note="Withdrawn from sale.").state == "revoked"
    verify_store(trial.store)
    verify_log(trial.store.log_copy(), trial.store.key.verifier)


def test_a_warning_asks_for_a_retrial_that_people_give_or_not(trial):
    trial.reach("certified")
    refused("record.wrong_state", trial.do, MACHINE, COMMISSION, Act.RETRIAL_ASK)
    trial.do(MACHINE, COMMISSION, Act.CERTIFICATE_SUSPEND)
    refused("record.no_cause_to_repeat", trial.do, DESK, COMMISSION, Act.TRIAL_REPEAT)
    asked = trial.do(MACHINE, COMMISSION, Act.RETRIAL_ASK)
    assert [(wait.act, wait.role, str(wait.due)[:10]) for wait in asked.waits] == [
        ("trial.repeat", "operator", "2026-05-11")
    ]
    assert trial.do(DESK, COMMISSION, Act.CERTIFICATE_REINSTATE).waits == ()
    trial.do(DESK, COMMISSION, Act.CERTIFICATE_SUSPEND)
    refused("record.no_cause_to_repeat", trial.do, DESK, COMMISSION, Act.TRIAL_REPEAT)
    trial.do(MACHINE, COMMISSION, Act.RETRIAL_ASK)
    assert trial.do(DESK, COMMISSION, Act.TRIAL_REPEAT).state == "retest"


def test_every_step_is_one_line_of_the_log_that_names_the_state(trial):
    record = trial.reach("certified")
    lines = [entry for entry in trial.store.as_actor(MACHINE).log_entries() if f"state {COMMISSION}" in entry.facts]
    assert [line.action for line in lines] == [step.act for step in record.history]
    assert [line.facts[f"state {COMMISSION}"] for line in lines] == [step.state for step in record.history]
    assert not any(person in str(line) for line in lines for person in ("p-owner", "p-supplier"))


def test_an_expired_approval_refuses_the_freeze_and_a_renewed_one_lets_it_pass(trial, clock):
    trial.reach("agreed")
    trial.prepare()
    trial.approve()
    clock.step(365 * 86400)
    refused("record.approval_expired", trial.do, PLANNER, COMMISSION, Act.PLAN_FREEZE)
    trial.do(OWNER, COMMISSION, Act.APPROVAL_FILE, approval("2027-12-31"))
    assert trial.do(PLANNER, COMMISSION, Act.PLAN_FREEZE).state == "freezing"


def test_an_approval_that_expires_while_the_plan_is_made_refuses_the_frozen_plan(trial, clock):
    trial.reach("freezing")
    clock.step(365 * 86400)
    refused("record.approval_expired", trial.freeze)
    assert trial.record().state == "freezing"


def test_a_stale_edit_says_who_did_what_meanwhile_and_writes_nothing(any_trial):
    trial = any_trial
    trial.reach("proposed")
    view = trial.store.as_actor(OWNER)
    seen = view.head(f"record:{COMMISSION}")
    trial.do(DESK, COMMISSION, Act.COMMISSION_DECLINE, note="No capacity.")
    error = refused("record.stale", trial.do, OWNER, COMMISSION, Act.COMMISSION_AGREE, seen=seen, kind=StaleEditError)
    assert [(step.organisation, step.act, step.note) for step in error.steps] == [
        ("base", "commission.decline", "No capacity.")
    ]
    assert "base" in error.render("zh")
    assert trial.record().state == "declined"


def test_what_a_step_hands_in_is_checked(trial):
    trial.reach("agreed")
    refused("record.wrong_part", trial.do, OWNER, COMMISSION, Act.APPROVAL_FILE, kind=InputError)
    refused("record.wrong_part", trial.do, OWNER, COMMISSION, Act.APPROVAL_FILE, Appeal(grounds="x"), kind=InputError)
    refused("record.wrong_state", trial.do, OWNER, COMMISSION, Act.COMMISSION_AGREE)
    refused("record.not_found", trial.do, OWNER, "commission:none", Act.COMMISSION_AGREE, kind=NotFoundError)
    refused("record.not_permitted", trial.do, SIGNER, SCENARIO, Act.COMMISSION_CANCEL)


def test_a_rectified_version_begins_a_second_round_with_the_same_commission(trial):
    trial.reach("reported")
    trial.do(OWNER, COMMISSION, Act.RECTIFICATION_ASK, note="Too many misses at night.")
    refused("record.other_version_needed", trial.do, SUPPLIER, COMMISSION, Act.RECTIFICATION_SUBMIT)
    newer = version("1.1.0")
    trial.submit_application(newer)
    record = trial.do(SUPPLIER, COMMISSION, Act.RECTIFICATION_SUBMIT)
    assert (record.state, record.round) == ("retest", 2)
    assert record.documents["folder"] == newer.folder
    assert not {"proposal", "plan", "report"} & set(record.documents)
    refused(
        "record.other_subject",
        trial.do,
        PLANNER,
        COMMISSION,
        Act.PLAN_DRAFT,
        proposal(trial.scenario, trial.version),
        kind=InputError,
    )
    trial.do(PLANNER, COMMISSION, Act.PLAN_DRAFT, proposal(trial.scenario, newer))
    assert trial.do(REVIEWER, COMMISSION, Act.PLAN_APPROVE).state == "plan_approved"


def test_no_trial_is_repeated_until_it_passes(trial):
    trial.reach("reported")
    refused("record.no_cause_to_repeat", trial.do, DESK, COMMISSION, Act.TRIAL_REPEAT)
    trial.do(SUPPLIER, COMMISSION, Act.APPEAL_FILE, Appeal(grounds="The box was slow."))
    decision = AppealDecision(number=1, upheld=True, reasons="It was.")
    trial.do(DESK, COMMISSION, Act.APPEAL_DECIDE, decision)
    assert trial.do(DESK, COMMISSION, Act.TRIAL_REPEAT).state == "retest"


def test_a_result_that_was_not_accepted_by_the_trial_is_not_accepted_by_the_owner(trial):
    trial.report = report(trial.plan, Verdict.INCONCLUSIVE)
    trial.reach("reported")
    refused("record.verdict_not_accept", trial.accept)
    offered = {one.act: one.obstacle for one in possible_acts(trial.store.as_actor(OWNER), trial.record())}
    assert offered[Act.ACCEPTANCE_GIVE].code == "record.verdict_not_accept"
    assert offered[Act.ACCEPTANCE_REFUSE] is None


def test_the_commissions_of_a_scenario_are_listed_for_those_who_see_them(any_trial):
    any_trial.reach("proposed")
    for who, found in ((OWNER, 1), (SUPPLIER, 1), (DESK, 1), (OTHER_SUPPLIER, 0), (VISITOR, 0)):
        view = any_trial.store.as_actor(who)
        assert count(view, Query("commission", scenario=SCENARIO)) == found
        assert count(view, Query("commission", application=APPLICATION)) == found
        assert count(view, Query("commission", scenario=f"{SCENARIO}-2")) == 0


@pytest.mark.prove
def test_a_crowd_that_writes_at_once_is_served(any_trial):
    """Each step reads while it holds the one writer's place: it must not need a second connection of a full pool."""
    made = [scenario(name=f"s{number}") for number in range(40)]
    with ThreadPoolExecutor(40) as crowd:
        records = list(crowd.map(lambda one: save(any_trial.store.as_actor(OWNER), one), made))
    assert {record.state for record in records} == {"draft"}
    assert count(any_trial.store.as_actor(OWNER), Query("scenario")) == 40


def test_of_many_who_take_the_same_step_at_once_one_does(any_trial):
    any_trial.reach("proposed")

    def agree(_):
        try:
            return any_trial.do(OWNER, COMMISSION, Act.COMMISSION_AGREE).state
        except RefusedError as error:
            return error.code

    with ThreadPoolExecutor(8) as crowd:
        ends = sorted(crowd.map(agree, range(8)))
    assert ends == ["agreed"] + ["record.wrong_state"] * 7
    assert [step.act for step in any_trial.record().history].count(Act.COMMISSION_AGREE) == 1
