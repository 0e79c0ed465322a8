"""Attacks on separation of duties: one person in two organisations, a reviewer with an interest, tied companies."""

import pytest

from pilotbase.catalogue.records import everything, ties
from pilotbase.documents.errors import InputError, InvalidProofError, RefusedError
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Interest, Reviewer
from pilotbase.documents.subjects import Organisation
from pilotbase.documents.vocabularies import Role
from pilotbase.worker.trials.certificates import remarks_of
from pilotbase.workspace.actors import actor, parties
from tests.catalogue.records_for_tests import (
    APPLICATION,
    COMMISSION,
    DESK,
    MACHINE,
    OWNER,
    PLANNER,
    REVIEWER,
    SCENARIO,
    SUPPLIER,
    Result,
    commission,
    plan,
    proposal,
    version,
)

SUBMITTER = "p-supplier"


def refused(code, act, *arguments, **more):
    with pytest.raises(RefusedError) as caught:
        act(*arguments, **more)
    assert caught.value.code == code, caught.value
    return caught.value


def test_the_submitter_cannot_sign_with_a_second_job_at_the_operator(trial):
    trial.reach("accepted")
    two_faced = actor("base", Role.OPERATOR, person=SUBMITTER)
    refused("record.duties_mixed", trial.do, two_faced, COMMISSION, Act.CERTIFICATE_SIGN)
    assert trial.record().state == "accepted"


def test_whoever_submitted_the_application_before_the_commission_cannot_approve_its_plan(trial):
    """The one who submits the application and the one who proposes the commission are two persons: both are held."""
    trial.open_scenario()
    first = actor("acme", Role.SUPPLIER, person="p-engineer")
    trial.do(first, APPLICATION, Act.APPLICATION_REGISTER, trial.version)
    trial.do(first, APPLICATION, Act.APPLICATION_SUBMIT)
    trial.do(SUPPLIER, COMMISSION, Act.COMMISSION_PROPOSE, commission(trial.scenario, trial.version))
    trial.agree()
    trial.prepare()
    for person in ("p-engineer", SUBMITTER):
        trial.do(DESK, COMMISSION, Act.REVIEWER_NAME, Reviewer(organisation="academy", person=person))
        judge = actor("academy", Role.REVIEWER, person=person)
        trial.do(judge, COMMISSION, Act.INTEREST_DECLARE, Interest(has_interest=False))
        refused("record.duties_mixed", trial.do, judge, COMMISSION, Act.PLAN_APPROVE)


def test_the_planner_neither_reviews_nor_signs(trial):
    trial.reach("plan_review")
    trial.do(DESK, COMMISSION, Act.REVIEWER_NAME, Reviewer(organisation="academy", person="p-planner"))
    judge = actor("academy", Role.REVIEWER, person="p-planner")
    trial.do(judge, COMMISSION, Act.INTEREST_DECLARE, Interest(has_interest=False))
    refused("record.duties_mixed", trial.do, judge, COMMISSION, Act.PLAN_APPROVE)
    trial.reach("accepted")
    refused("record.duties_mixed", trial.do, PLANNER, COMMISSION, Act.CERTIFICATE_SIGN)


def test_who_wrote_the_scenario_does_not_open_it_with_another_hat(trial):
    trial.do(OWNER, SCENARIO, Act.SCENARIO_REGISTER, trial.scenario)
    trial.do(OWNER, SCENARIO, Act.SCENARIO_SUBMIT)
    refused(
        "record.duties_mixed",
        trial.do,
        actor("base", Role.OPERATOR, person="p-owner"),
        SCENARIO,
        Act.SCENARIO_OPEN,
    )


def test_a_duty_needs_a_person(trial):
    trial.open_scenario()
    trial.do(SUPPLIER, APPLICATION, Act.APPLICATION_REGISTER, trial.version)
    refused("record.person_unknown", trial.do, actor("acme", Role.SUPPLIER), APPLICATION, Act.APPLICATION_SUBMIT)


def test_a_plan_whose_approver_declares_an_interest_is_approved_anew_by_another(trial):
    trial.reach("plan_approved")
    trial.do(REVIEWER, COMMISSION, Act.INTEREST_DECLARE, Interest(has_interest=True, explanation="A new job at acme."))
    refused("record.approver_has_interest", trial.do, DESK, COMMISSION, Act.PLAN_FREEZE)
    assert trial.do(DESK, COMMISSION, Act.PLAN_RETURN).state == "agreed"


def test_a_reviewer_with_an_interest_cannot_review_even_after_thinking_better_of_it(trial):
    trial.reach("plan_review")
    refused("record.interest_undeclared", trial.do, REVIEWER, COMMISSION, Act.PLAN_APPROVE)
    trial.do(REVIEWER, COMMISSION, Act.INTEREST_DECLARE, Interest(has_interest=True, explanation="Shares of acme."))
    refused("record.interest_declared", trial.do, REVIEWER, COMMISSION, Act.PLAN_APPROVE)
    trial.do(REVIEWER, COMMISSION, Act.INTEREST_DECLARE, Interest(has_interest=False))
    refused("record.interest_declared", trial.do, REVIEWER, COMMISSION, Act.PLAN_APPROVE)


@pytest.mark.parametrize("organisation", ["plant", "acme", "acme-holding"])
def test_a_reviewer_of_a_party_or_of_its_owner_cannot_review(trial, organisation):
    trial.register("acme", Role.SUPPLIER, related=("acme-holding",))
    trial.reach("plan_review")
    insider = actor(organisation, Role.REVIEWER, person="p-insider")
    trial.do(DESK, COMMISSION, Act.REVIEWER_NAME, Reviewer(organisation=organisation, person="p-insider"))
    trial.do(insider, COMMISSION, Act.INTEREST_DECLARE, Interest(has_interest=False))
    refused("record.interest_of_organisation", trial.do, insider, COMMISSION, Act.PLAN_APPROVE)


@pytest.mark.parametrize(
    ("tied", "inside_passes"), [((), True), (("acme",), False)], ids=["no ties", "operator owns supplier"]
)
def test_ties_between_operator_and_supplier_need_a_reviewer_from_outside(trial, tied, inside_passes):
    trial.register("base", Role.OPERATOR, related=tied)
    trial.register("acme", Role.SUPPLIER)
    trial.reach("plan_review")
    inside = actor("base", Role.REVIEWER, person="p-inside")
    trial.do(DESK, COMMISSION, Act.REVIEWER_NAME, Reviewer(organisation="base", person="p-inside"))
    trial.do(inside, COMMISSION, Act.INTEREST_DECLARE, Interest(has_interest=False))
    if inside_passes:
        assert trial.do(inside, COMMISSION, Act.PLAN_APPROVE).state == "plan_approved"
        return
    with pytest.raises(RefusedError) as caught:
        trial.do(inside, COMMISSION, Act.PLAN_APPROVE)
    assert caught.value.code in ("record.outside_reviewer_needed", "record.interest_of_organisation")
    trial.do(REVIEWER, COMMISSION, Act.INTEREST_DECLARE, Interest(has_interest=False))
    assert trial.do(REVIEWER, COMMISSION, Act.PLAN_APPROVE).state == "plan_approved"
    view = trial.store.as_actor(MACHINE)
    assert [(tie.one, tie.other) for tie in ties(everything(view), trial.record())] == [("base", "acme")]
    said = [remark.render("zh") for remark in remarks_of(view, trial.record())]
    assert any("股权关联" in sentence and "institute" in sentence for sentence in said)


def test_ties_among_owner_and_supplier_keep_the_operators_people_out_too(trial):
    trial.register("base", Role.OPERATOR)
    trial.register("plant", Role.DEMAND_OWNER, related=("acme",))
    trial.reach("plan_review")
    inside = actor("base", Role.REVIEWER, person="p-inside")
    trial.do(DESK, COMMISSION, Act.REVIEWER_NAME, Reviewer(organisation="base", person="p-inside"))
    trial.do(inside, COMMISSION, Act.INTEREST_DECLARE, Interest(has_interest=False))
    refused("record.outside_reviewer_needed", trial.do, inside, COMMISSION, Act.PLAN_APPROVE)


def test_an_organisation_declares_its_ties_but_gives_itself_no_role(trial):
    trial.register("acme", Role.SUPPLIER)
    subject = "organisation:acme"
    grab = Organisation(name="acme", title="Acme", roles=(Role.SUPPLIER, Role.REGULATOR))
    refused("record.roles_fixed", trial.do, SUPPLIER, subject, Act.ORGANISATION_DECLARE, grab)
    honest = Organisation(name="acme", title="Acme", roles=(Role.SUPPLIER,), related=("base",))
    assert trial.do(SUPPLIER, subject, Act.ORGANISATION_DECLARE, honest).version == 2


def test_another_plan_than_the_approved_one_is_not_taken(trial):
    trial.reach("freezing")
    foreign = plan(trial.scenario, version("9.9.9"))
    trial.store.as_actor(MACHINE).put(foreign, parties("acme"), "trial.plan_frozen", owner="plant")
    with pytest.raises(InvalidProofError):
        trial.do(MACHINE, COMMISSION, Act.PLAN_FROZEN, Result(made=foreign.digest()))


def test_a_plan_is_drafted_with_the_criteria_of_the_scenario_and_no_others(trial):
    trial.reach("agreed")
    easier = proposal(trial.scenario, trial.version).model_copy(update={"criteria": ("recall(broken) >= 0.10",)})
    with pytest.raises(InputError):
        trial.do(PLANNER, COMMISSION, Act.PLAN_DRAFT, easier)
