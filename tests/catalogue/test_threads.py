"""Threads: who sees which, who may do what to a message, what a change leaves behind; tables written by hand."""

import io

import pytest

from pilotbase.catalogue import threads
from pilotbase.documents.errors import InputError, PilotbaseError, RefusedError
from pilotbase.documents.permissions import Act, ExchangeAct
from pilotbase.documents.thread import Correction, Marking, Mention, Question, Removal, Reply, Thread, mentions_in
from pilotbase.documents.vocabularies import Role
from pilotbase.workspace.actors import actor
from pilotbase.workspace.blobs import BlobStore
from pilotbase.workspace.checks.reconciliation import verify_store
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.threads import count_threads, list_threads
from tests.catalogue.records_for_tests import (
    APPLICATION,
    DESK,
    MACHINE,
    OTHER_OWNER,
    OTHER_REVIEWER,
    OTHER_SUPPLIER,
    OWNER,
    REGULATOR,
    REVIEWER,
    SCENARIO,
    SUPPLIER,
    VISITOR,
)

PEOPLE = {
    "o": DESK, "D": OWNER, "d": OTHER_OWNER, "S": SUPPLIER, "s": OTHER_SUPPLIER, "R": REVIEWER, "r": OTHER_REVIEWER,
    "g": REGULATOR, "v": VISITOR,
}  # fmt: skip
COLLEAGUE = actor("globex", Role.SUPPLIER, person="p-colleague")


@pytest.fixture
def blobs(tmp_path):
    return BlobStore(str(tmp_path / "blobs"))


def question(subject=SCENARIO, private=False, text="Which shift wrote row 7?"):
    return Question(subject=subject, title="Row 7", text=text, private=private)


def asked(trial, who=OTHER_SUPPLIER, **more):
    return threads.ask(trial.store.as_actor(who), question(**more)).thread.identity


def seers(trial, identity):
    found = ""
    for letter, who in PEOPLE.items():
        view = trial.store.as_actor(who)
        listed = identity in {row.identity for row in list_threads(view)[0]}
        try:
            read = threads.read(view, identity).thread.identity == identity
        except NotFoundError:
            read = False
        assert listed == read == (count_threads(view) == 1), letter
        found += letter if read else ""
    return found


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("subject", "private", "state", "seen_by"),
    [
        (SCENARIO, False, "open", "oDdSsRrg"),
        (SCENARIO, True, "open", "oDsg"),
        (SCENARIO, False, "draft", "oDg"),
        (APPLICATION, False, "submitted", "oSg"),
        (APPLICATION, False, "tried", "oDSRg"),
        (APPLICATION, True, "tried", "oSg"),
    ],
)
def test_who_sees_a_thread(any_trial, subject, private, state, seen_by):
    if state == "tried":
        any_trial.reach("plan_review")
    else:
        any_trial.open_scenario()
        any_trial.submit_application()
    who = OTHER_SUPPLIER if subject == SCENARIO else SUPPLIER
    identity = asked(any_trial, who, subject=subject, private=private)
    if state == "draft":
        edited = any_trial.scenario.model_copy(update={"intended_use": "Another."})
        any_trial.do(OWNER, SCENARIO, Act.SCENARIO_EDIT, edited)
    assert seers(any_trial, identity) == seen_by


def test_nobody_asks_about_what_they_do_not_see(any_trial):
    any_trial.open_scenario()
    any_trial.submit_application()
    for who, subject in ((OTHER_SUPPLIER, APPLICATION), (VISITOR, SCENARIO), (OWNER, "organisation:plant")):
        with pytest.raises((NotFoundError, RefusedError)):
            asked(any_trial, who, subject=subject)
    with pytest.raises(RefusedError):
        asked(any_trial, MACHINE)


MAY = {
    # message 1 is globex's question on plant's scenario, message 2 is academy's reply
    ExchangeAct.THREAD_REPLY: "oDdSsRrg",
    ExchangeAct.THREAD_CORRECT: "or",
    ExchangeAct.THREAD_REMOVE: "or",
    ExchangeAct.THREAD_ATTACH: "r",
    ExchangeAct.THREAD_MARK: "Ds",
}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("act", MAY, ids=str)
def test_who_may_do_what(trial, blobs, act):
    trial.open_scenario()
    done = {
        ExchangeAct.THREAD_REPLY: lambda view, one: threads.reply(view, one, Reply(text="So it is.")),
        ExchangeAct.THREAD_CORRECT: lambda view, one: threads.correct(view, one, 2, Correction(text="No.")),
        ExchangeAct.THREAD_REMOVE: lambda view, one: threads.remove(view, blobs, one, 2, Removal(reason="Spam")),
        ExchangeAct.THREAD_ATTACH: lambda view, one: threads.attach(view, blobs, one, 2, ("a", io.BytesIO(b"x")), 9),
        ExchangeAct.THREAD_MARK: lambda view, one: threads.mark(view, one, Marking(message=2)),
    }  # fmt: skip
    found = ""
    for letter, who in PEOPLE.items():
        identity = asked(trial)
        threads.reply(trial.store.as_actor(OTHER_REVIEWER), identity, Reply(text="The night shift."))
        view = trial.store.as_actor(who)
        try:
            seen = threads.read(view, identity)
            offered = threads.may(view, seen, act, 2)
        except NotFoundError:
            offered = False
        try:
            done[act](view, identity)
        except (RefusedError, NotFoundError):
            assert not offered, letter
        else:
            assert offered, letter
            found += letter
    assert found == MAY[act]


def test_a_colleague_of_the_asker_marks_but_does_not_correct(trial):
    trial.open_scenario()
    identity = asked(trial)
    threads.reply(trial.store.as_actor(OWNER), identity, Reply(text="Night."))
    colleague = trial.store.as_actor(COLLEAGUE)
    assert threads.mark(colleague, identity, Marking(message=2)).thread.answer == 2
    with pytest.raises(RefusedError):
        threads.correct(colleague, identity, 1, Correction(text="Mine now."))


def test_a_correction_and_a_removal_leave_their_trace(any_trial, blobs):
    any_trial.open_scenario()
    identity = asked(any_trial)
    owner, asker, desk = (any_trial.store.as_actor(who) for who in (OWNER, OTHER_SUPPLIER, DESK))
    threads.reply(owner, identity, Reply(text="Call Ms Li, 555-0199."))
    threads.mark(asker, identity, Marking(message=2))
    threads.correct(owner, identity, 2, Correction(text="Call the desk."))
    threads.remove(desk, blobs, identity, 2, Removal(reason="A private number"))
    thread = threads.read(asker, identity).thread
    assert (thread.messages[1].text, thread.answer) == ("", None)
    assert "555-0199" not in thread.canonical().decode()
    steps = [(step.act.value, step.message, step.organisation, step.reason) for step in thread.history]
    assert steps == [
        ("thread.ask", 1, "globex", ""),
        ("thread.reply", 2, "plant", ""),
        ("thread.mark", 2, "globex", ""),
        ("thread.correct", 2, "plant", ""),
        ("thread.remove", 2, "base", "A private number"),
    ]
    before = thread.history[3].before
    assert desk.load(before, Thread).messages[1].text == "Call Ms Li, 555-0199."
    for view in (owner, asker, any_trial.store.as_actor(VISITOR)):
        assert view.get(before) is None
    with pytest.raises(RefusedError):
        threads.correct(owner, identity, 2, Correction(text="Back again"))
    told = b"".join(any_trial.store.log_copy().entries)
    assert b"thread.remove" in told and b"555-0199" not in told and b"Row 7" not in told
    verify_store(any_trial.store)


def test_files_are_bounded_shared_by_hash_and_erased_with_the_last_message_that_holds_them(trial, blobs):
    trial.open_scenario()
    view, desk = trial.store.as_actor(OTHER_SUPPLIER), trial.store.as_actor(DESK)
    one, other = asked(trial), asked(trial)
    file = lambda: ("drawing.pdf", io.BytesIO(b"%PDF"))  # noqa: E731
    first = threads.attach(view, blobs, one, 1, file(), 4)
    assert threads.attach(view, blobs, one, 1, file(), 4).digest == first.digest, "the same file again changes nothing"
    threads.attach(view, blobs, other, 1, file(), 4)
    attachment = first.thread.messages[0].attachments[0]
    assert blobs.get(threads.file_of(first, 1, attachment.digest).digest) == b"%PDF"
    with pytest.raises(InputError):
        threads.attach(view, blobs, one, 1, ("big.bin", io.BytesIO(b"12345")), 4)
    for name in ("../x", "a/b", "", "x\u202egpj.exe", "n" * 200, ".."):
        with pytest.raises(InputError):
            threads.attach(view, blobs, one, 1, (name, io.BytesIO(b"1")), 4)
    with pytest.raises(NotFoundError):
        threads.file_of(first, 1, "sha256:" + "0" * 64)
    threads.remove(desk, blobs, one, 1, Removal(reason="x"))
    assert blobs.exists(attachment.digest), "another thread holds it"
    threads.remove(desk, blobs, other, 1, Removal(reason="x"))
    assert not blobs.exists(attachment.digest)


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    "change",
    [
        "private = true",
        "subject = 'scenario:plant/other'",
        "digest = owner",
        "organisation = 'plant'",
        "answered = true",
    ],
)
def test_a_row_that_was_altered_behind_the_log_is_found(trial, change):
    trial.open_scenario()
    asked(trial)
    verify_store(trial.store)
    with trial.store.database.write() as connection:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        if change.startswith("digest"):
            other = "FROM documents WHERE digest <> (SELECT digest FROM threads) ORDER BY digest LIMIT 1"
            change = f"digest = (SELECT digest {other}), owner = (SELECT owner {other})"
        connection.exec_driver_sql(f"UPDATE threads SET {change}")
    with pytest.raises(PilotbaseError) as caught:
        verify_store(trial.store)
    assert caught.value.code == "log.thread_differs"


def test_a_stale_change_is_refused(trial):
    trial.open_scenario()
    view = trial.store.as_actor(OTHER_SUPPLIER)
    seen = threads.ask(view, question())
    threads.reply(trial.store.as_actor(OWNER), seen.thread.identity, Reply(text="Night."))
    with pytest.raises(ConflictError):
        threads.mark(view, seen.thread.identity, Marking(message=2), seen.digest)


def test_a_request_that_is_sent_again_says_nothing_twice(trial):
    trial.open_scenario()
    view = trial.store.as_actor(OTHER_SUPPLIER)
    one, other = "sha256:" + "1" * 64, "sha256:" + "2" * 64
    seen = threads.ask(view.asked_by(one), question())
    assert threads.ask(view.asked_by(one), question()).digest == seen.digest and count_threads(view) == 1
    said = threads.reply(view.asked_by(other), seen.thread.identity, Reply(text="Well?"), seen.digest)
    again = threads.reply(view.asked_by(other), seen.thread.identity, Reply(text="Well?"), seen.digest)
    assert again.digest == said.digest and len(again.thread.messages) == 2


@pytest.mark.parametrize("number", [0, 1, 3])
def test_only_what_was_said_to_a_question_answers_it(trial, number):
    trial.open_scenario()
    view = trial.store.as_actor(OTHER_SUPPLIER)
    identity = asked(trial)
    threads.reply(view, identity, Reply(text="Never mind."))
    with pytest.raises((PilotbaseError, ValueError)):
        threads.mark(view, identity, Marking(message=number))


def test_organisations_are_called_by_name():
    said = "Ask @plant and @hospital; not mail@acme.example, @Acme, @@globex or a/@institute."
    assert mentions_in(said) == (Mention(organisation="plant"), Mention(organisation="hospital"))


def test_pages_of_threads_go_on_from_what_is_seen(any_trial):
    any_trial.open_scenario()
    made = [asked(any_trial, private=number % 2 == 0) for number in range(6)]
    view = any_trial.store.as_actor(OTHER_OWNER)
    rows, after = list_threads(view, SCENARIO, limit=2)
    assert [row.identity for row in rows] == [made[5], made[3]] and after == made[3]
    assert [row.identity for row in list_threads(view, SCENARIO, after)[0]] == [made[1]]
    with pytest.raises(InputError):
        list_threads(view, SCENARIO, made[4])
