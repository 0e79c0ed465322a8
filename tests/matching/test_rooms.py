"""The room of a match: proposed by one side, agreed to by the other, seen by both, and ended with what came of it."""

import io

import pytest

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.permissions import Act
from pilotbase.operations.matches import NewDemand
from pilotbase.worker import rooms
from pilotbase.worker.demands import register_demand
from pilotbase.worker.reactions.drafts import of_asks
from pilotbase.workspace.blobs import BlobStore
from tests.catalogue.conftest import any_trial, trial
from tests.catalogue.records_for_tests import (
    APPLICATION,
    COMMISSION,
    DESK,
    OTHER_OWNER,
    OTHER_SUPPLIER,
    OWNER,
    REGULATOR,
    SCENARIO,
    SUPPLIER,
    VISITOR,
    commission,
)

__all__ = ["any_trial", "trial"]


@pytest.fixture
def match(any_trial):
    """A scenario that is open, and an application that is submitted."""
    any_trial.open_scenario()
    any_trial.submit_application()
    return any_trial.store


@pytest.fixture
def room(match):
    opened = rooms.open_room(match.as_actor(SUPPLIER), SCENARIO, APPLICATION, "Does it work without a torque sensor?")
    rooms.agree(match.as_actor(OWNER), opened.room.identity)
    return opened.room.identity


def refusal(call, *arguments, **more):
    with pytest.raises(PilotbaseError) as refused:
        call(*arguments, **more)
    return refused.value.code


def waits(store, who):
    return [one.act for one in rooms.rooms_waiting(store.as_actor(who))]


def test_both_must_agree_and_nobody_else_sees_it(match):
    opened = rooms.open_room(match.as_actor(SUPPLIER), SCENARIO, APPLICATION, "Let us talk.")
    identity = opened.room.identity
    assert (opened.state, opened.room.owner, opened.room.supplier) == ("proposed", "plant", "acme")
    assert rooms.open_room(match.as_actor(SUPPLIER), SCENARIO, APPLICATION, "Again.").room.identity == identity
    assert waits(match, OWNER) == ["agree"] and waits(match, SUPPLIER) == waits(match, DESK) == []
    assert refusal(rooms.agree, match.as_actor(SUPPLIER), identity) == "room.other_side"
    assert refusal(rooms.enter, match.as_actor(SUPPLIER), identity, "question", words="?") == "room.not_agreed"
    assert rooms.agree(match.as_actor(OWNER), identity).state == "open"
    assert rooms.agree(match.as_actor(OWNER), identity).state == "open"
    for who in (OTHER_OWNER, OTHER_SUPPLIER, VISITOR):
        assert refusal(rooms.read_room, match.as_actor(who), identity) == "room.not_found"
        assert rooms.rooms_of(match.as_actor(who)) == []
    for who in (DESK, REGULATOR):
        assert rooms.read_room(match.as_actor(who), identity).state == "open"
        assert refusal(rooms.enter, match.as_actor(who), identity, "question", words="?") == "room.not_a_side"


def test_only_the_two_of_a_match_open_a_room(match):
    for who in (OTHER_SUPPLIER, OTHER_OWNER, DESK):
        assert refusal(rooms.open_room, match.as_actor(who), SCENARIO, APPLICATION, "Hi.") == "room.not_a_side"
    assert refusal(rooms.open_room, match.as_actor(OWNER), SCENARIO, APPLICATION, "Hi.") == "record.not_found"
    unknown = ("scenario:plant/none", APPLICATION, "Hi.")
    assert refusal(rooms.open_room, match.as_actor(SUPPLIER), *unknown) == "record.not_found"


def test_questions_decisions_and_steps_wait_for_the_other_side(match, room):
    owner, supplier = match.as_actor(OWNER), match.as_actor(SUPPLIER)
    rooms.enter(supplier, room, "question", words="How often is torque measured?")
    assert waits(match, OWNER) == ["answer"] and waits(match, SUPPLIER) == []
    assert refusal(rooms.reply, supplier, room, "answer", ("question", 2), "Often.") == "room.other_side"
    assert refusal(rooms.reply, owner, room, "answer", ("question", 9), "Often.") == "room.no_entry"
    rooms.reply(owner, room, "answer", ("question", 2), "Ten times a second.")
    rooms.enter(owner, room, "decision", words="We begin with line 3.")
    assert waits(match, OWNER) == [] and waits(match, SUPPLIER) == ["confirm"]
    assert refusal(rooms.reply, owner, room, "confirmed", ("decision", 4)) == "room.other_side"
    rooms.reply(supplier, room, "confirmed", ("decision", 4))
    confirmed = rooms.reply(supplier, room, "confirmed", ("decision", 4))
    assert [one.kind for one in confirmed.entries] == ["agreed", "question", "answer", "decision", "confirmed"]
    assert refusal(rooms.plan_step, owner, room, "Call them.", "globex", "2026-06-01") == "room.neither_side"
    rooms.plan_step(owner, room, "Fit the sensor.", "plant", "2026-06-01")
    assert waits(match, OWNER) == ["done"] and waits(match, SUPPLIER) == []
    rooms.reply(owner, room, "done", ("step", 6))
    assert waits(match, OWNER) == []


def test_a_file_is_opened_by_who_accepts_its_terms_and_never_by_the_base(match, room, tmp_path):
    blobs, owner, supplier = BlobStore(tmp_path), match.as_actor(OWNER), match.as_actor(SUPPLIER)
    file = ("line3.csv", io.BytesIO(b"torque\n1\n"))
    [*_, shared] = rooms.share_file(owner, blobs, room, file, "For this talk only.", 100).entries
    assert rooms.file_in(owner, room, shared.number).size == 9
    assert refusal(rooms.file_in, supplier, room, shared.number) == "room.terms_first"
    for who in (DESK, REGULATOR):
        assert refusal(rooms.file_in, match.as_actor(who), room, shared.number) == "room.not_a_side"
        assert refusal(rooms.accept_terms, match.as_actor(who), room, shared.number) == "room.not_a_side"
    rooms.accept_terms(supplier, room, shared.number)
    accepted = rooms.accept_terms(supplier, room, shared.number).entries[-1]
    assert (accepted.kind, accepted.about, accepted.person) == ("accepted", shared.number, "p-supplier")
    assert rooms.file_in(supplier, room, shared.number).name == "line3.csv"
    large = ("line3.csv", io.BytesIO(bytes(101)))
    assert refusal(rooms.share_file, owner, blobs, room, large, "Terms.", 100) == "thread.file_too_large"


def test_a_room_holds_a_bounded_number_of_entries_and_can_always_be_ended(match, room, monkeypatch):
    monkeypatch.setattr(rooms, "MOST_ENTRIES", 3)
    rooms.enter(match.as_actor(OWNER), room, "question", words="One?")
    assert refusal(rooms.enter, match.as_actor(OWNER), room, "question", words="Two?") == "room.full"
    assert rooms.end_room(match.as_actor(OWNER), room, "declined", "No time.").state == "ended"


def test_a_room_ends_in_what_there_is(any_trial, match, room):
    owner, supplier = match.as_actor(OWNER), match.as_actor(SUPPLIER)
    assert refusal(rooms.end_room, owner, room, "trial", "Agreed.") == "room.no_trial"
    assert refusal(rooms.end_room, owner, room, "call", "Others too.") == "room.no_call"
    any_trial.do(SUPPLIER, COMMISSION, Act.COMMISSION_PROPOSE, commission(any_trial.scenario, any_trial.version))
    ended = rooms.end_room(supplier, room, "trial", "Proposed today.")
    assert (ended.end.outcome, ended.end.led_to) == ("trial", COMMISSION)
    assert refusal(rooms.enter, owner, room, "question", words="Still there?") == "room.ended"
    again = rooms.open_room(owner, SCENARIO, APPLICATION, "Another season.")
    assert again.state == "proposed" and again.room.identity != room


def test_a_demand_in_words_has_rooms_too(any_trial):
    any_trial.submit_application()
    store = any_trial.store
    register_demand(store.as_actor(OWNER), "plant", "spindles", NewDemand(text="Spindles break without warning."))
    opened = rooms.open_room(store.as_actor(SUPPLIER), "demand:plant/spindles", APPLICATION, "We may help.")
    assert opened.room.owner == "plant"


def test_the_other_side_is_told(match):
    before = match.as_actor(DESK).changes(0, 1000)[-1].sequence
    opened = rooms.open_room(match.as_actor(SUPPLIER), SCENARIO, APPLICATION, "Let us talk.")
    rooms.agree(match.as_actor(OWNER), opened.room.identity)
    rooms.enter(match.as_actor(OWNER), opened.room.identity, "question", words="When?")
    told = list(of_asks(match.as_actor(DESK), match.as_actor(DESK).changes(before, 100)))
    assert [(one.address.organisation, one.address.role, one.body.said.code) for one in told] == [
        ("plant", "demand_owner", "room.told.agree"),
        ("acme", "supplier", "room.told.entry"),
        ("acme", "supplier", "room.told.answer"),
    ]
