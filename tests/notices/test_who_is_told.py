"""Who is told of what: tables written by hand. What an actor does not see (any more), they are not told of."""

import pytest

from pilotbase.catalogue import threads
from pilotbase.documents.errors import InputError
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Reviewer
from pilotbase.documents.thread import Marking, Mention, Question, Removal, Reply
from pilotbase.documents.vocabularies import Role
from pilotbase.notices.rows import count_unread, list_notices, mark_read
from pilotbase.workspace.actors import Actor, actor
from pilotbase.workspace.blobs import BlobStore
from tests.catalogue.records_for_tests import (
    COMMISSION,
    DESK,
    OTHER_OWNER,
    OTHER_REVIEWER,
    OTHER_SUPPLIER,
    OWNER,
    PLANNER,
    REGULATOR,
    REVIEWER,
    SCENARIO,
    SUPPLIER,
    VISITOR,
    Order,
)

PEOPLE = {
    "o": DESK,
    "p": PLANNER,
    "D": OWNER,
    "E": actor("plant", Role.DEMAND_OWNER, person="p-colleague-of-owner"),
    "S": SUPPLIER,
    "T": actor("acme", Role.SUPPLIER, person="p-colleague-of-supplier"),
    "R": REVIEWER,
    "Q": actor("institute", Role.REVIEWER, person="p-colleague-of-reviewer"),
    "g": REGULATOR,
    "h": actor("ministry", Role.REGULATOR, person="p-colleague-of-regulator"),
    "d": OTHER_OWNER,
    "s": OTHER_SUPPLIER,
    "r": OTHER_REVIEWER,
    "v": VISITOR,
}


@pytest.mark.prove
def test_who_is_told_of_steps(any_told):
    """Parties, and whose turn it is; nobody is told of what they did themselves, nobody else of anything."""
    trial = any_told.trial
    steps = {
        "scenario.register": (lambda: trial.do(OWNER, SCENARIO, Act.SCENARIO_REGISTER, trial.scenario), "E"),
        "scenario.submit": (lambda: trial.do(OWNER, SCENARIO, Act.SCENARIO_SUBMIT), "opE"),
        "scenario.open": (lambda: trial.do(DESK, SCENARIO, Act.SCENARIO_OPEN), "DE"),
        "application": (trial.submit_application, "T"),
    }
    for name, (step, told_to) in steps.items():
        step()
        any_told.round()
        assert any_told.letters(PEOPLE) == told_to, name
    trial.open_scenario = trial.submit_application = lambda: None
    for state, told_to in {
        "proposed": "DET",
        "agreed": "opEST",  # the operator drafts the plan
        "plan_review": "opDESTR",  # approval filed, reviewer named, plan drafted
        "plan_approved": "opDEST",
        "freezing": "DESTR",
        "frozen": "opDESTR",
        "queued": "DESTR",
        "running": "DESTR",
        "reported": "DESTR",
        "accepted": "opESTR",
        "signing": "DESTR",
        "certified": "DESTR",
    }.items():
        trial.reach(state)
        any_told.round()
        assert any_told.letters(PEOPLE) == told_to, state
    order = Order(kind="suspension", reasons="Fire", deadline="2026-05-03")
    trial.do(REGULATOR, COMMISSION, Act.ORDER_GIVE, order)
    any_told.round()
    assert any_told.letters(PEOPLE) == "opDESTRh"
    assert "due certificate.suspend" in [
        f"{notice.kind} {notice.body.act}" for notice in list_notices(any_told.view(DESK))[0]
    ], "an order whose day is the day after tomorrow is told to be due at once"


def test_a_reviewer_who_is_released_is_told_and_sees_the_record_no_more(any_told):
    any_told.trial.reach("plan_review")
    any_told.round()
    any_told.letters(PEOPLE)
    named = Reviewer(organisation=REVIEWER.organisation, person=REVIEWER.person)
    any_told.trial.do(DESK, COMMISSION, Act.REVIEWER_RELEASE, named)
    any_told.round()
    any_told.round()
    told = any_told.letters(PEOPLE)
    assert "R" in told and "Q" not in told, "the person, not their colleagues"
    notice = list_notices(any_told.view(REVIEWER))[0][0]
    assert (notice.body.act, notice.body.organisation, notice.subject) == ("reviewer.release", "base", "")
    assert not any(one.subject == COMMISSION for one in list_notices(any_told.view(REVIEWER))[0])


def test_days_that_near_and_pass_are_told_once(any_told, clock):
    any_told.trial.open_scenario()
    any_told.trial.submit_application()
    any_told.trial.propose = lambda: None
    any_told.trial.do(SUPPLIER, COMMISSION, Act.COMMISSION_PROPOSE, _terms(any_told.trial))  # due in 10 days
    any_told.round()
    any_told.letters(PEOPLE)
    for days, told_to in ((6, ""), (1.1, "DE"), (1, ""), (2, "DE"), (5, "")):
        clock.step(days * 86_400)
        any_told.round()
        any_told.round()
        assert any_told.letters(PEOPLE) == told_to, days
    kinds = [notice.kind for notice in list_notices(any_told.view(OWNER))[0]]
    assert kinds[:2] == ["overdue", "due"]


def test_what_was_done_in_time_is_not_told_to_be_due(told, clock):
    told.trial.open_scenario()
    told.trial.submit_application()
    told.trial.do(SUPPLIER, COMMISSION, Act.COMMISSION_PROPOSE, _terms(told.trial))
    told.round()
    told.trial.do(OWNER, COMMISSION, Act.COMMISSION_DECLINE)
    told.round()
    told.letters(PEOPLE)
    for _ in range(3):
        clock.step(5 * 86_400)
        told.round()
    assert told.letters(PEOPLE) == ""


def _terms(trial):
    from tests.catalogue.records_for_tests import commission

    return commission(trial.scenario, trial.version)


def test_who_is_told_of_messages(any_told, tmp_path):
    any_told.trial.open_scenario()
    any_told.round()
    any_told.letters(PEOPLE)
    view, blobs = any_told.view, BlobStore(str(tmp_path / "blobs"))
    private = Question(subject=SCENARIO, title="Private", text="@academy @plant, well?", private=True)
    question = Question(
        subject=SCENARIO, title="Row 7", text="Who? @hospital", mentions=(Mention(organisation="base"),)
    )
    one = threads.ask(view(OTHER_SUPPLIER), question).thread.identity
    other = threads.ask(view(SUPPLIER), private).thread.identity
    steps = [
        (lambda: None, {"o": ["mention thread.ask"], "p": ["mention thread.ask"], "d": ["mention thread.ask"],
                        "D": ["question thread.ask", "mention thread.ask"],
                        "E": ["question thread.ask", "mention thread.ask"]}),
        (lambda: threads.reply(view(OTHER_REVIEWER), one, Reply(text="I know.")),
         {"D": ["reply thread.reply"], "E": ["reply thread.reply"], "s": ["reply thread.reply"]}),
        (lambda: threads.reply(view(OWNER), other, Reply(text="No.")),
         {"E": ["reply thread.reply"], "S": ["reply thread.reply"]}),
        (lambda: threads.mark(view(OTHER_SUPPLIER), one, Marking(message=2)), {"r": ["answer thread.mark"]}),
        (lambda: threads.remove(view(DESK), blobs, one, 2, Removal(reason="x")), {"r": ["removal thread.remove"]}),
    ]  # fmt: skip
    for step, expected in steps:
        step()
        any_told.round()
        assert {letter: news for letter, who in PEOPLE.items() if (news := any_told.news(who))} == expected


def test_who_does_not_see_a_thing_any_more_is_not_told_of_it_any_more(any_told):
    any_told.trial.open_scenario()
    question = Question(subject=SCENARIO, title="Row 7", text="@hospital?")
    threads.ask(any_told.view(OTHER_SUPPLIER), question)
    any_told.round()
    hospital = any_told.view(OTHER_OWNER)
    assert count_unread(hospital) == 1
    identity = list_notices(hospital)[0][0].identity
    edited = any_told.trial.scenario.model_copy(update={"intended_use": "Another."})
    any_told.trial.do(OWNER, SCENARIO, Act.SCENARIO_EDIT, edited)
    assert (count_unread(hospital), list_notices(hospital)) == (0, ([], None))
    assert mark_read(hospital, [identity]) == 0
    with pytest.raises(InputError):
        list_notices(hospital, after=identity)


def test_each_person_reads_for_themselves(any_told):
    any_told.trial.open_scenario()
    any_told.round()
    owner, colleague, stranger = (any_told.view(PEOPLE[letter]) for letter in "DEd")
    assert (count_unread(owner), count_unread(colleague), count_unread(stranger)) == (1, 3, 0)
    theirs = [notice.identity for notice in list_notices(colleague)[0]]
    assert mark_read(stranger, theirs) == mark_read(any_told.view(VISITOR), None) == 0
    assert mark_read(colleague, theirs[:1]) == 1 and mark_read(colleague, theirs[:1]) == 0
    assert (count_unread(owner), count_unread(colleague)) == (1, 2)
    assert [notice.read for notice in list_notices(colleague)[0]] == [True, False, False]
    assert [notice.identity for notice in list_notices(colleague, unread=True)[0]] == theirs[1:]
    page, after = list_notices(colleague, limit=2)
    assert [one.identity for one in page + list_notices(colleague, after=after)[0]] == theirs
    assert mark_read(colleague, None) == 2 and count_unread(colleague) == 0


def test_nobody_is_told_twice_and_the_log_says_nothing_of_it(any_told):
    any_told.trial.reach("agreed")
    lines = len(any_told.store.log_copy().entries)
    any_told.round()
    any_told.letters(PEOPLE)
    from sqlalchemy import text

    with any_told.store.database.write() as connection:
        connection.execute(text("UPDATE positions SET value = 0"))
    any_told.round()
    assert any_told.letters(PEOPLE) == ""
    assert len(any_told.store.log_copy().entries) == lines


def test_two_that_tell_at_once_tell_once(told, monkeypatch):
    """Another worker has kept the same changes while this one was reading them."""
    told.trial.open_scenario()
    keep = type(told.noticing)._keep

    def late(self, *arguments):
        keep(told.noticing, *arguments)
        keep(self, *arguments)

    monkeypatch.setattr(type(told.noticing), "_keep", late)
    told.round()
    assert told.news(PEOPLE["E"]) == ["step scenario.register", "step scenario.submit", "step scenario.open"]


def test_old_notices_are_forgotten(told, clock):
    told.trial.open_scenario()
    told.round()
    mark_read(told.view(PEOPLE["E"]), None)
    clock.step(366 * 86_400)
    assert told.noticing.forget() > 0
    assert list_notices(told.view(PEOPLE["E"])) == ([], None)


def test_an_actor_without_an_organisation_is_told_nothing(told):
    told.trial.open_scenario()
    told.round()
    assert list_notices(told.view(Actor("", frozenset(Role), "p-x"))) == ([], None)
