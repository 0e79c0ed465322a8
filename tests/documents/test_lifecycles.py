"""The tables of the record: complete, reachable, and named in both languages."""

import pytest

from pilotbase.documents.lifecycles import INCOMPATIBLE, LIFECYCLES, Duty, kind_moved, listed_states, states, transition
from pilotbase.documents.permissions import (
    Act,
    DeskAct,
    ExchangeAct,
    IncidentAct,
    PluginAct,
    ReadScope,
    Relation,
    Restricted,
    ServiceAct,
    SubjectRelation,
    WatchAct,
    may_begin,
    permitted,
    relations,
)
from pilotbase.documents.record import BROUGHT
from pilotbase.documents.states import (
    NEW,
    AgreementState,
    ApplicationState,
    CommissionState,
    DatasetState,
    DemandState,
    OrganisationState,
    ScenarioState,
)
from pilotbase.documents.texts import LANGUAGES, template
from pilotbase.documents.vocabularies import Role
from pilotbase.workspace.actors import Actor, actor
from pilotbase_estate.documents.pool import PoolAct
from pilotbase_estate.documents.voucher import VoucherAct

RESTRICTED = [one for kind in (*Restricted.__subclasses__(), *PluginAct.__subclasses__()) for one in kind]
ENDS = {
    "organisation": {"registered"},
    "scenario": {"closed", "withdrawn"},
    "application": {"withdrawn"},
    "commission": {"declined", "cancelled", "revoked"},
    "dataset": {"withdrawn"},
    "demand": {"taken_up", "withdrawn"},
    "agreement": {"expired", "revoked", "ended"},
}

STATES = {
    "organisation": OrganisationState,
    "scenario": ScenarioState,
    "application": ApplicationState,
    "commission": CommissionState,
    "dataset": DatasetState,
    "agreement": AgreementState,
    "demand": DemandState,
}


def test_every_act_has_one_transition_and_somebody_who_may_do_it():
    rows = [row.act for table in LIFECYCLES.values() for row in table]
    assert sorted(rows) == sorted(Act)


def test_one_table_says_of_everything_who_may():
    kinds = (Act, ExchangeAct, IncidentAct, ServiceAct, WatchAct, DeskAct, PluginAct, ReadScope)
    assert set(PluginAct.__subclasses__()) == {VoucherAct, PoolAct}
    assert set(kinds) == set(Restricted.__subclasses__())
    assert all(one.grants for one in RESTRICTED)
    assert len(set(RESTRICTED)) == len(RESTRICTED), "two of one name"


@pytest.mark.parametrize(
    ("who", "may"),
    [
        (actor("base", Role.OPERATOR, person="p"), "SOIWUdlo"),
        (actor("base", Role.OPERATOR), "OIWdl"),
        (actor("plant", Role.DEMAND_OWNER, person="p"), "SUdl"),
        (Actor("plant", frozenset({Role.DEMAND_OWNER}), "p", manages=True), "SIUdl"),
        (actor("acme", Role.SUPPLIER, person="p"), "APU"),
        (actor("ministry", Role.REGULATOR, person="p"), "dlo"),
        (actor("institute", Role.REVIEWER, person="p"), ""),
        (Actor("", frozenset()), ""),
    ],
)
def test_what_stands_in_no_record_is_open_to_the_roles_of_the_table(who, may):
    begun = {
        "S": Act.SCENARIO_REGISTER,
        "A": Act.APPLICATION_REGISTER,
        "P": Act.COMMISSION_PROPOSE,
        "O": Act.ORGANISATION_REGISTER,
        "I": DeskAct.STAFF,
        "W": WatchAct.ARM,
        "U": DeskAct.UPLOAD,
    }
    read = {"d": ReadScope.DESK, "l": ReadScope.LEDGER, "o": ReadScope.OVERVIEW}
    found = {letter for letter, act in begun.items() if may_begin(act, who)}
    assert found | {letter for letter, one in read.items() if permitted(one, who)} == set(may)


def test_a_program_with_a_key_acts_for_its_own_organisation_alone():
    program, own = Actor("plant", frozenset()), SubjectRelation(organisation="plant", demand_owner="plant")
    done = {one for one in RESTRICTED if permitted(one, program, own)}
    assert done == {WatchAct.HAND_IN, WatchAct.CARE, WatchAct.ERASE}
    assert not any(permitted(one, program, SubjectRelation(demand_owner="hospital")) for one in RESTRICTED)


@pytest.mark.parametrize("kind", LIFECYCLES)
def test_every_state_is_reached_and_left_or_an_end(kind):
    reached, more = {NEW}, True
    while more:
        found = {row.target for row in LIFECYCLES[kind] if row.sources & reached and row.target} - reached
        reached, more = reached | found, bool(found)
    assert reached - {NEW} == set(states(kind)) <= set(listed_states(kind)) == set(STATES[kind])
    left = {source for row in LIFECYCLES[kind] if row.target for source in row.sources}
    assert set(states(kind)) - left == ENDS[kind]
    assert {source for row in LIFECYCLES[kind] for source in row.sources} <= reached


def test_work_that_is_due_waits_for_people():
    for table in LIFECYCLES.values():
        for row in table:
            if row.days is not None:
                assert Relation.MACHINE not in {grant.relation for grant in row.act.grants}, row.act
                assert row.days > 0


def test_what_transitions_bring_is_a_known_kind():
    brought = {row.brings for table in LIFECYCLES.values() for row in table if row.brings}
    assert brought == set(BROUGHT)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_tables_stands_in_both_languages(language):
    words = [
        *(f"act.{act}" for act in Act),
        *(f"state.{kind}.{state}" for kind in LIFECYCLES for state in listed_states(kind)),
        *(f"duty.{duty}" for duty in Duty),
        *(f"relation.{relation}" for relation in Relation),
    ]
    assert all(template(word, language) for word in words)


def test_the_submitter_of_an_application_neither_approves_nor_signs():
    for other in (Duty.REVIEW, Duty.SIGN):
        assert frozenset({Duty.SUBMIT, other}) in INCOMPATIBLE
    assert transition(Act.APPLICATION_SUBMIT).duty is Duty.SUBMIT
    assert transition(Act.PLAN_APPROVE).duty is Duty.REVIEW
    assert transition(Act.CERTIFICATE_SIGN).duty is Duty.SIGN
    assert kind_moved(Act.PLAN_APPROVE) == "commission"


def test_the_base_at_work_is_no_person_and_a_person_is_not_the_base():
    machine, person = actor("base", Role.OPERATOR), actor("base", Role.OPERATOR, person="p1")
    assert permitted(Act.TRIAL_REPORT, machine, SubjectRelation())
    assert not permitted(Act.TRIAL_REPORT, person, SubjectRelation())
    assert permitted(Act.TRIAL_QUEUE, person, SubjectRelation())
    assert not permitted(Act.TRIAL_QUEUE, machine, SubjectRelation())
    assert not permitted(Act.TRIAL_REPORT, actor("acme", Role.SUPPLIER), SubjectRelation(supplier="acme"))


def test_a_reviewer_is_a_person_not_an_organisation():
    stands = SubjectRelation(reviewers=frozenset({("institute", "p7")}))
    assert Relation.REVIEWER in relations(actor("institute", Role.REVIEWER, person="p7"), stands)
    assert Relation.REVIEWER not in relations(actor("institute", Role.REVIEWER, person="p8"), stands)
    assert Relation.REVIEWER not in relations(actor("acme", Role.REVIEWER, person="p7"), stands)
    assert Relation.REVIEWER not in relations(actor("institute", Role.REVIEWER), stands)
